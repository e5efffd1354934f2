#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/totp.h"
#include <stdio.h>
#include <string.h>

/* RFC 6238, appendix B: the secret of its SHA-1 rows. */
static const uint8_t *const secret = (const uint8_t *)"12345678901234567890";

static void the_codes_are_those_of_the_rfc(void **state)
{
	(void)state;
	static const struct {
		uint64_t unix_s;
		uint32_t code; /* of its eight digits the last six */
	} rows[] = {
		{59, 287082},       {1111111109, 81804},  {1111111111, 50471},
		{1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(totp_code(secret, rows[i].unix_s / TOTP_STEP_S), rows[i].code);
}

static struct span code_of(char out[8], uint64_t step)
{
	snprintf(out, 8, "%06u", totp_code(secret, step));
	return (struct span){.p = out, .len = 6};
}

static void a_code_is_good_for_its_step_and_one_either_way(void **state)
{
	(void)state;
	uint64_t now = 1234567890, step = now / TOTP_STEP_S, got = 0;
	char code[8];

	for (int d = -3; d <= 3; d++) {
		bool ok = totp_check(secret, code_of(code, step + (uint64_t)d), now, 0, &got);

		assert_int_equal(ok, d >= -1 && d <= 1);
		if (ok)
			assert_int_equal(got, step + (uint64_t)d);
	}
}

static void no_code_is_taken_twice_nor_an_older_one(void **state)
{
	(void)state;
	uint64_t now = 1234567890, step = now / TOTP_STEP_S, got = 0;
	char code[8];

	assert_true(totp_check(secret, code_of(code, step), now, step - 1, &got));
	assert_false(totp_check(secret, code_of(code, step), now, got, &got));
	assert_false(totp_check(secret, code_of(code, step - 1), now, step, &got));
	assert_true(totp_check(secret, code_of(code, step + 1), now, step, &got));
}

static void what_is_no_code_is_refused(void **state)
{
	(void)state;
	uint64_t got;
	static const struct span bad[] = {
		SPAN(""),       SPAN("05924"),  SPAN("0005924"),
		SPAN("00592a"), SPAN(" 05924"), SPAN("-05924"),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(totp_check(secret, bad[i], 1234567890, 0, &got));
}

static void the_uri_is_what_apps_read(void **state)
{
	(void)state;
	struct buf out = {0};

	totp_append_uri(&out, secret, SPAN("Tea & Co"), SPAN("ada@example.org"));
	buf_append_char(&out, '\0');
	assert_string_equal(out.p, "otpauth://totp/Tea%20%26%20Co:ada%40example.org"
				   "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
				   "&issuer=Tea%20%26%20Co");
	buf_deinit(&out);
}

static void secrets_differ(void **state)
{
	(void)state;
	uint8_t a[TOTP_SECRET_BYTES], b[TOTP_SECRET_BYTES];

	totp_make_secret(a);
	totp_make_secret(b);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_are_those_of_the_rfc),
		cmocka_unit_test(a_code_is_good_for_its_step_and_one_either_way),
		cmocka_unit_test(no_code_is_taken_twice_nor_an_older_one),
		cmocka_unit_test(what_is_no_code_is_refused),
		cmocka_unit_test(the_uri_is_what_apps_read),
		cmocka_unit_test(secrets_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
