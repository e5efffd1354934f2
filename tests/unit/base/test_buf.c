/* The byte buffer and its JSON strings. */
#include "hubbub/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static void assert_buf(struct buf *b, const char *want)
{
	assert_int_equal(b->len, strlen(want));
	assert_memory_equal(b->len != 0 ? b->p : "", want, b->len);
	buf_deinit(b);
}

static void an_empty_buffer_has_a_span_of_nothing(void **state)
{
	struct buf b = {0};
	(void)state;

	assert_non_null(buf_span(&b).p);
	assert_int_equal(buf_span(&b).len, 0);
	buf_append(&b, NULL, 0);
	assert_null(b.p);
	buf_deinit(&b);
}

static void what_is_appended_stays_in_order_while_it_grows(void **state)
{
	struct buf b = {0};
	(void)state;

	for (unsigned i = 0; i < 100000; i++)
		buf_append_char(&b, (char)('a' + i % 26));
	assert_int_equal(b.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	buf_deinit(&b);
	assert_null(b.p);
}

static void numbers_are_written_in_full_range(void **state)
{
	struct buf b = {0};
	(void)state;

	buf_append_u64(&b, 0);
	buf_append_char(&b, ' ');
	buf_append_u64(&b, UINT64_MAX);
	buf_append_char(&b, ' ');
	buf_append_i64(&b, INT64_MIN);
	buf_append_char(&b, ' ');
	buf_append_i64(&b, -7);
	buf_append_char(&b, ' ');
	buf_append_i64(&b, INT64_MAX);
	assert_buf(&b, "0 18446744073709551615 -9223372036854775808 -7 9223372036854775807");
}

static void printf_appends_behind_what_is_there(void **state)
{
	struct buf b = {0};
	char *long_text = malloc(5001);
	(void)state;

	memset(long_text, 'x', 5000);
	long_text[5000] = '\0';
	buf_append_str(&b, "a");
	buf_printf(&b, "%d-%s", 42, long_text);
	assert_int_equal(b.len, 5004);
	assert_memory_equal(b.p, "a42-xxx", 7);
	buf_printf(&b, "%s", "");
	assert_int_equal(b.len, 5004);
	buf_deinit(&b);
	free(long_text);
}

static void taken_bytes_end_in_a_nul_and_leave_the_buffer_empty(void **state)
{
	struct buf b = {0};
	size_t len;
	char *p;
	(void)state;

	buf_append_str(&b, "hello");
	p = buf_take(&b, &len);
	assert_int_equal(len, 5);
	assert_string_equal(p, "hello");
	assert_null(b.p);
	free(p);
	p = buf_take(&b, NULL);
	assert_string_equal(p, "");
	free(p);
}

static void json_escapes_what_rfc_8259_wants_escaped(void **state)
{
	static const struct {
		struct span in;
		const char *out;
	} cases[] = {
		{SPAN(""), "\"\""},
		{SPAN("plain"), "\"plain\""},
		{SPAN("say \"hi\""), "\"say \\\"hi\\\"\""},
		{SPAN("a\\b"), "\"a\\\\b\""},
		{SPAN("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
		{SPAN("\0\x01\x1f"), "\"\\u0000\\u0001\\u001f\""},
		{SPAN("\x7f/"), "\"\x7f/\""},
		{SPAN("grüße 日本 🎉"), "\"grüße 日本 🎉\""},
		{SPAN("eight888\"eight888\n"), "\"eight888\\\"eight888\\n\""},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};

		buf_append_json(&b, cases[i].in);
		assert_buf(&b, cases[i].out);
	}
}

/* Every byte at every place of the words that are scanned at once, read back by jansson. */
static void json_reads_back_as_the_same_text(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 0x80; c++) {
		for (unsigned at = 0; at < 20; at++) {
			char text[20];
			struct buf b = {0};
			json_t *back;

			memset(text, 'x', sizeof(text));
			text[at] = (char)c;
			buf_append_json(&b, (struct span){text, sizeof(text)});
			back = json_loadb(b.p, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			assert_non_null(back);
			assert_int_equal(json_string_length(back), sizeof(text));
			assert_memory_equal(json_string_value(back), text, sizeof(text));
			json_decref(back);
			buf_deinit(&b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_has_a_span_of_nothing),
		cmocka_unit_test(what_is_appended_stays_in_order_while_it_grows),
		cmocka_unit_test(numbers_are_written_in_full_range),
		cmocka_unit_test(printf_appends_behind_what_is_there),
		cmocka_unit_test(taken_bytes_end_in_a_nul_and_leave_the_buffer_empty),
		cmocka_unit_test(json_escapes_what_rfc_8259_wants_escaped),
		cmocka_unit_test(json_reads_back_as_the_same_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
