/*
 * UTF-8 as RFC 3629, section 4 spells it out: the table of well-formed sequences.
 *
 * Chat is mostly ASCII with islands of other scripts, so runs of ASCII are skipped eight bytes at
 * a time and everything else is checked sequence by sequence.
 */
#include "hubbub/utf8.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static bool is_tail(uint8_t b)
{
	return (b & 0xc0) == 0x80;
}

size_t utf8_sequence_len(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xe0) /* 0xc0 and 0xc1 could only be overlong */
		return p[0] >= 0xc2 && len >= 2 && is_tail(p[1]) ? 2 : 0;
	if (p[0] < 0xf0) {
		/* The second byte's range shuts out overlong forms and surrogates. */
		uint8_t low = p[0] == 0xe0 ? 0xa0 : 0x80;
		uint8_t high = p[0] == 0xed ? 0x9f : 0xbf;

		return len >= 3 && p[1] >= low && p[1] <= high && is_tail(p[2]) ? 3 : 0;
	}
	if (p[0] < 0xf5) {
		/* Likewise overlong forms and what lies above U+10FFFF. */
		uint8_t low = p[0] == 0xf0 ? 0x90 : 0x80;
		uint8_t high = p[0] == 0xf4 ? 0x8f : 0xbf;

		return len >= 4 && p[1] >= low && p[1] <= high && is_tail(p[2]) && is_tail(p[3])
			       ? 4
			       : 0;
	}
	return 0;
}

/** Bytes of the well-formed sequences at the start. */
static size_t well_formed_len(const uint8_t *p, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint64_t eight;
		size_t n;

		while (len - i >= sizeof(eight)) {
			memcpy(&eight, p + i, sizeof(eight));
			if ((eight & HIGH_BITS) != 0)
				break;
			i += sizeof(eight);
		}
		/* Up to eight bytes by hand, so that one accent does not cost the fast path. */
		for (unsigned k = 0; k < 8 && i < len; k++, i += n) {
			n = utf8_sequence_len(p + i, len - i);
			if (n == 0)
				return i;
		}
	}
	return len;
}

bool utf8_is_valid(const void *bytes, size_t len)
{
	return well_formed_len(bytes, len) == len;
}

size_t utf8_whole_len(const void *bytes, size_t len, bool *may_go_on)
{
	const uint8_t *p = bytes;
	size_t n = well_formed_len(p, len);
	size_t rest = len - n;

	*may_go_on = rest == 0;
	/* The lowest or the highest tail completes whatever can be completed (see above). */
	for (unsigned fill = 0x80; fill <= 0xbf && !*may_go_on && rest < 4; fill += 0x3f) {
		uint8_t tried[4] = {(uint8_t)fill, (uint8_t)fill, (uint8_t)fill, (uint8_t)fill};

		memcpy(tried, p + n, rest);
		*may_go_on = utf8_sequence_len(tried, sizeof(tried)) > rest;
	}
	return n;
}
