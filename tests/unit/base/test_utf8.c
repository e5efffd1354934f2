/* Well-formed UTF-8, against a second decoder that is written the slow way. */
#include "hubbub/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Decode one code point by its bits and refuse by its value: no table of ranges. */
static size_t slow_sequence_len(const uint8_t *p, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80       ? 1
		   : p[0] >> 5 == 6  ? 2
		   : p[0] >> 4 == 14 ? 3
		   : p[0] >> 3 == 30 ? 4
				     : 0;
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

static void every_start_of_a_sequence_is_judged_as_rfc_3629_does(void **state)
{
	(void)state;
	for (uint32_t head = 0; head < 0x10000; head++) {
		static const uint8_t tails[] = {0x00, 0x7f, 0x80, 0x8f, 0x90,
						0x9f, 0xa0, 0xbf, 0xc0};

		for (size_t i = 0; i < sizeof(tails); i++) {
			for (size_t j = 0; j < sizeof(tails); j++) {
				uint8_t b[4] = {(uint8_t)(head >> 8), (uint8_t)head, tails[i],
						tails[j]};

				for (size_t len = 1; len <= 4; len++) {
					if (utf8_sequence_len(b, len) != slow_sequence_len(b, len))
						fail_msg("%02x%02x%02x%02x of %zu", b[0], b[1],
							 b[2], b[3], len);
				}
			}
		}
	}
}

static void one_bad_byte_is_found_wherever_it_stands(void **state)
{
	char text[64];
	(void)state;

	for (size_t len = 1; len <= sizeof(text); len++) {
		for (size_t at = 0; at < len; at++) {
			memset(text, 'a', sizeof(text));
			assert_true(utf8_is_valid(text, len));
			text[at] = (char)0xff;
			assert_false(utf8_is_valid(text, len));
			text[at] = (char)0xc3; /* half a character, followed by no tail */
			assert_false(utf8_is_valid(text, len));
		}
	}
}

static void text_of_many_scripts_is_valid(void **state)
{
	static const char text[] = "Grüße, Привет, 日本語, 🎉 and ASCII again; \xf4\x8f\xbf\xbf";
	(void)state;

	assert_true(utf8_is_valid(text, sizeof(text) - 1));
	assert_true(utf8_is_valid("a\0b", 3));
	assert_true(utf8_is_valid("", 0));
	assert_int_equal(utf8_sequence_len("", 0), 0);
}

static void a_character_cut_at_the_end_is_invalid(void **state)
{
	static const char text[] = "12345678🎉";
	(void)state;

	for (size_t len = 9; len < sizeof(text) - 1; len++)
		assert_false(utf8_is_valid(text, len));
	assert_true(utf8_is_valid(text, sizeof(text) - 1));
}

static void what_more_bytes_can_complete_may_go_on(void **state)
{
	(void)state;
	for (uint32_t head = 0; head < 0x10000; head++) {
		for (size_t len = 0; len <= 2; len++) {
			uint8_t b[4] = {(uint8_t)(head >> 8), (uint8_t)head};
			bool can_end = len == 0 || slow_sequence_len(b, len) == len ||
				       (len == 2 && b[0] < 0x80 && b[1] < 0x80);
			bool may_go_on;

			/* By trying: what comes behind is at most two or three tails. */
			for (unsigned t = 0x80; t <= 0xbf && !can_end && len > 0; t++) {
				uint8_t all[5] = {b[0], b[1], 0x80, 0x80, 0x80};

				all[len] = (uint8_t)t;
				for (size_t n = len + 1; n <= len + 3 && !can_end; n++) {
					size_t first = slow_sequence_len(all, n);

					can_end = first == n ||
						  (len == 2 && first == 1 &&
						   slow_sequence_len(all + 1, n - 1) == n - 1);
				}
			}
			utf8_whole_len(b, len, &may_go_on);
			if (may_go_on != can_end)
				fail_msg("%02x%02x of %zu", b[0], b[1], len);
		}
	}
}

static void whole_characters_are_counted_before_a_cut_one(void **state)
{
	static const char text[] = "12345678🎉";
	bool may_go_on;
	(void)state;

	for (size_t len = 0; len < sizeof(text); len++) {
		size_t whole = len < 8 || len == sizeof(text) - 1 ? len : 8;

		assert_int_equal(utf8_whole_len(text, len, &may_go_on), whole);
		assert_true(may_go_on);
	}
	assert_int_equal(utf8_whole_len("ab\xff", 3, &may_go_on), 2);
	assert_false(may_go_on);
	assert_int_equal(utf8_whole_len("ab\xf4\x90", 4, &may_go_on), 2);
	assert_false(may_go_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_start_of_a_sequence_is_judged_as_rfc_3629_does),
		cmocka_unit_test(one_bad_byte_is_found_wherever_it_stands),
		cmocka_unit_test(text_of_many_scripts_is_valid),
		cmocka_unit_test(a_character_cut_at_the_end_is_invalid),
		cmocka_unit_test(what_more_bytes_can_complete_may_go_on),
		cmocka_unit_test(whole_characters_are_counted_before_a_cut_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
