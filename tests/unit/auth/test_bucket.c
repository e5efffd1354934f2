/* A bucket's arithmetic: against one that is written the slow way, and under threads. */
#include "auth/bucket.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000ull
#define START (1000000 * MS)

static void a_full_bucket_gives_exactly_n_at_once(void **state)
{
	(void)state;
	static const struct {
		unsigned n, per_ms;
	} rates[] = {{1, 1}, {1, 3600000}, {50, 5000}, {7, 1000}, {3600000, 3600000}, {3, 10}};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bucket_rate r = bucket_rate_of(rates[i].n, rates[i].per_ms);
		atomic_uint_fast64_t at = 0;

		for (unsigned k = 0; k < rates[i].n; k++)
			assert_int_equal(bucket_take(&at, &r, START), 0);
		assert_true(bucket_take(&at, &r, START) > 0);
	}
}

static void who_waits_as_told_is_let_through_and_not_a_nanosecond_sooner(void **state)
{
	(void)state;
	struct bucket_rate r = bucket_rate_of(5, 1000);
	atomic_uint_fast64_t at = 0;
	uint64_t now = START;

	for (unsigned k = 0; k < 5; k++)
		assert_int_equal(bucket_take(&at, &r, now), 0);
	for (unsigned k = 0; k < 1000; k++) {
		uint64_t wait = bucket_take(&at, &r, now);

		assert_int_equal(wait, 200 * MS);
		assert_int_equal(bucket_wait(&at, &r, now), wait);
		assert_int_equal(bucket_take(&at, &r, now + wait - 1), 1);
		now += wait;
		assert_int_equal(bucket_wait(&at, &r, now), 0);
		assert_int_equal(bucket_take(&at, &r, now), 0);
	}
}

/* What everybody knows as a token bucket; a token is a step. */
struct tokens {
	uint64_t n, cap, at;
};

static bool take_token(struct tokens *t, const struct bucket_rate *r, uint64_t now)
{
	t->n += (now - t->at);
	if (t->n > t->cap)
		t->n = t->cap;
	t->at = now;
	if (t->n < r->step_ns)
		return false;
	t->n -= r->step_ns;
	return true;
}

static void it_lets_through_what_a_token_bucket_would(void **state)
{
	(void)state;
	struct bucket_rate r = bucket_rate_of(20, 700);
	struct tokens t = {.n = r.span_ns, .cap = r.span_ns, .at = START};
	atomic_uint_fast64_t at = 0;
	uint64_t now = START, seed = 1;

	for (unsigned k = 0; k < 100000; k++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		now += (seed >> 33) % (60 * MS);
		if (k % 1000 == 0)
			now += 900 * MS;
		assert_int_equal(bucket_take(&at, &r, now) == 0, take_token(&t, &r, now));
	}
}

static void a_debt_is_waited_for_and_is_never_above_one_bucket(void **state)
{
	(void)state;
	struct bucket_rate r = bucket_rate_of(10, 1000);
	atomic_uint_fast64_t at = 0;

	for (unsigned k = 0; k < 13; k++)
		bucket_charge(&at, &r, START, 1);
	assert_int_equal(bucket_wait(&at, &r, START), 400 * MS);
	for (unsigned k = 0; k < 1000; k++)
		bucket_charge(&at, &r, START, 1);
	assert_int_equal(bucket_wait(&at, &r, START), 1100 * MS);
	bucket_charge(&at, &r, START, UINT32_MAX);
	assert_int_equal(bucket_wait(&at, &r, START), 1100 * MS);
	assert_false(bucket_is_full(&at, START + 2000 * MS - 1));
	assert_true(bucket_is_full(&at, START + 2000 * MS));
}

static void no_limit_never_refuses(void **state)
{
	(void)state;
	struct bucket_rate r = bucket_rate_of(0, 1);
	atomic_uint_fast64_t at = 0;

	for (unsigned k = 0; k < 1000; k++) {
		bucket_charge(&at, &r, START, 1);
		assert_int_equal(bucket_take(&at, &r, START), 0);
	}
	assert_int_equal(bucket_wait(&at, &r, START), 0);
	assert_true(bucket_is_full(&at, START));
}

static void a_clock_that_lags_lets_nothing_through_twice(void **state)
{
	(void)state;
	struct bucket_rate r = bucket_rate_of(2, 1000);
	atomic_uint_fast64_t at = 0;

	assert_int_equal(bucket_take(&at, &r, START), 0);
	assert_int_equal(bucket_take(&at, &r, START - 100 * MS), 100 * MS);
	assert_int_equal(bucket_take(&at, &r, START), 0);
}

#define N_THREADS 4
#define N_TRIES 20000

static atomic_uint_fast64_t shared_at;
static const struct bucket_rate *shared_rate;
static atomic_uint n_let_through;

static void *hammer(void *arg)
{
	unsigned n = 0;

	(void)arg;
	for (unsigned i = 0; i < N_TRIES; i++)
		n += bucket_take(&shared_at, shared_rate, START) == 0;
	atomic_fetch_add(&n_let_through, n);
	return NULL;
}

static void threads_share_one_allowance(void **state)
{
	(void)state;
	struct bucket_rate r = bucket_rate_of(12345, 1000);
	pthread_t threads[N_THREADS];

	shared_rate = &r;
	atomic_store(&shared_at, 0);
	atomic_store(&n_let_through, 0);
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (unsigned i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&n_let_through), 12345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_bucket_gives_exactly_n_at_once),
		cmocka_unit_test(who_waits_as_told_is_let_through_and_not_a_nanosecond_sooner),
		cmocka_unit_test(it_lets_through_what_a_token_bucket_would),
		cmocka_unit_test(a_debt_is_waited_for_and_is_never_above_one_bucket),
		cmocka_unit_test(no_limit_never_refuses),
		cmocka_unit_test(a_clock_that_lags_lets_nothing_through_twice),
		cmocka_unit_test(threads_share_one_allowance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
