#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/password.h"
#include <sodium.h>
#include <string.h>

struct outcome {
	struct password_job job;
	int err;
	bool is_done;
};

static void on_done(struct password_job *job, int err)
{
	struct outcome *o = (struct outcome *)job;

	assert_null(job->password);
	assert_null(job->stored);
	o->err = err;
	o->is_done = true;
}

/* Run one job on a loop of its own. */
static struct outcome run(struct span password, const char *stored)
{
	struct outcome o = {.job.done = on_done};
	uv_loop_t loop;

	uv_loop_init(&loop);
	assert_int_equal(password_submit(&loop, &o.job, password, stored), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_true(o.is_done);
	assert_int_equal(o.err, 0);
	return o;
}

static void a_hash_matches_its_password_alone(void **state)
{
	(void)state;
	struct outcome made = run(SPAN("correct horse"), NULL);

	assert_memory_equal(made.job.hash, "$argon2id$v=19$m=65536,t=3,p=1$", 31);
	assert_true(run(SPAN("correct horse"), made.job.hash).job.matches);
	assert_false(run(SPAN("correct horse"), made.job.hash).job.is_outdated);
	assert_false(run(SPAN("correct horsf"), made.job.hash).job.matches);
	assert_false(run(SPAN(""), made.job.hash).job.matches);
}

static void without_a_hash_nothing_matches(void **state)
{
	(void)state;

	assert_false(run(SPAN("correct horse"), "").job.matches);
	assert_false(run(SPAN(""), "").job.matches);
}

static void a_hash_of_lesser_parameters_is_outdated(void **state)
{
	(void)state;
	char old[PASSWORD_HASH_SIZE];

	assert_int_equal(crypto_pwhash_str(old, "correct horse", 13, 1, 8192), 0);
	struct outcome o = run(SPAN("correct horse"), old);
	assert_true(o.job.matches);
	assert_true(o.job.is_outdated);
	assert_false(run(SPAN("wrong"), old).job.is_outdated);
}

static void two_hashes_of_one_password_differ(void **state)
{
	(void)state;
	char a[PASSWORD_HASH_SIZE], b[PASSWORD_HASH_SIZE];

	assert_int_equal(password_hash(a, SPAN("correct horse")), 0);
	assert_int_equal(password_hash(b, SPAN("correct horse")), 0);
	assert_string_not_equal(a, b);
}

static void passwords_are_judged_by_characters_and_bytes(void **state)
{
	(void)state;
	char longest[PASSWORD_MAX_BYTES + 1];

	memset(longest, 'x', sizeof(longest));
	assert_non_null(password_judge(SPAN("")));
	assert_non_null(password_judge(SPAN("1234567")));
	assert_null(password_judge(SPAN("12345678")));
	assert_non_null(password_judge(SPAN("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"))); /* four */
	assert_null(password_judge((struct span){.p = longest, .len = PASSWORD_MAX_BYTES}));
	assert_non_null(password_judge((struct span){.p = longest, .len = sizeof(longest)}));
}

static int setup(void **state)
{
	(void)state;
	password_init(1);
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_matches_its_password_alone),
		cmocka_unit_test(without_a_hash_nothing_matches),
		cmocka_unit_test(a_hash_of_lesser_parameters_is_outdated),
		cmocka_unit_test(two_hashes_of_one_password_differ),
		cmocka_unit_test(passwords_are_judged_by_characters_and_bytes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
