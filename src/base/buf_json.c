/*
 * JSON strings (RFC 8259, section 7).
 *
 * This is on the way of every message, so what needs no escape, which is nearly everything, is
 * found eight bytes at a time and copied in runs.
 */
#include "hubbub/buf.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each byte of @x that is zero; borrows may also set it above such a byte. */
static uint64_t zero_bytes(uint64_t x)
{
	return (x - ONES) & ~x & HIGHS;
}

/* Whether one of eight bytes is a quote, a backslash or a control character. */
static bool has_special(uint64_t x)
{
	uint64_t controls = (x - ONES * 0x20) & ~x & HIGHS;

	return (controls | zero_bytes(x ^ (ONES * '"')) | zero_bytes(x ^ (ONES * '\\'))) != 0;
}

static bool is_special(char c)
{
	return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

static size_t plain_run(const char *p, size_t len)
{
	size_t i = 0;
	uint64_t eight;

	while (len - i >= sizeof(eight)) {
		memcpy(&eight, p + i, sizeof(eight));
		if (has_special(eight))
			break;
		i += sizeof(eight);
	}
	while (i < len && !is_special(p[i]))
		i++;
	return i;
}

static void append_escape(struct buf *b, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[0x20] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};
	unsigned char u = (unsigned char)c;
	char out[6] = {'\\', 'u', '0', '0', hex[u >> 4], hex[u & 15]};

	if (u >= 0x20)
		out[1] = c; /* the quote and the backslash stand for themselves */
	else if (shorts[u] != 0)
		out[1] = shorts[u];
	buf_append(b, out, out[1] == 'u' ? 6 : 2);
}

void buf_append_json(struct buf *b, struct span s)
{
	size_t i = 0;

	buf_reserve(b, s.len + 2);
	buf_append_char(b, '"');
	while (i < s.len) {
		size_t run = plain_run(s.p + i, s.len - i);

		buf_append(b, s.p + i, run);
		i += run;
		if (i < s.len)
			append_escape(b, s.p[i++]);
	}
	buf_append_char(b, '"');
}
