/* The accounts: who shares one, when one is forgotten, how many there may be, and threads. */
#include "hubbub/limits.h"

#include "hubbub/clock.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N_SWEEPS 64 /* all shards, several times */

static const struct config usual = {
	.send_limit = {5, 3600000},
	.request_limit = {7, 3600000},
	.failed_limit = {0, 1},
	.connect_limit = {3, 3600000},
	.http_limit = {4, 50},
	.hello_limit = {2, 3600000},
	.user_connections = 3,
	.address_connections = 10,
};

static struct limit_account *of_addr(struct limits *l, const char *text)
{
	struct limit_account *a;
	struct addr addr;

	assert_true(addr_parse(&addr, span_of(text)));
	assert_int_equal(limits_enter_addr(l, &addr, &a), LIMIT_ENTERED);
	return a;
}

static struct limit_account *of_user(struct limits *l, int64_t user)
{
	struct limit_account *a;

	assert_int_equal(limits_enter_user(l, user, &a), LIMIT_ENTERED);
	return a;
}

static unsigned take_all(struct limit_account *a, enum limit which)
{
	unsigned n = 0;

	while (limit_take(a, which, clock_mono_ms()) == 0)
		n++;
	return n;
}

static void connections_of_one_user_share_an_account(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *first = of_user(l, 4), *second = of_user(l, 4),
			     *other = of_user(l, 5);

	assert_ptr_equal(first, second);
	assert_int_equal(take_all(first, LIMIT_SEND), 5);
	assert_true(limit_take(second, LIMIT_SEND, clock_mono_ms()) > 0);
	assert_int_equal(take_all(second, LIMIT_REQUEST), 7);
	assert_int_equal(take_all(other, LIMIT_SEND), 5);
	limit_account_leave(first);
	limit_account_leave(second);
	limit_account_leave(other);
	limits_free(l);
}

static void an_address_of_ipv6_counts_by_its_64(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *a = of_addr(l, "2001:db8:1:2::1");
	struct limit_account *near = of_addr(l, "2001:db8:1:2:ffff::9");
	struct limit_account *far = of_addr(l, "2001:db8:1:3::1");
	struct limit_account *four = of_addr(l, "192.0.2.1");
	struct limit_account *mapped = of_addr(l, "::ffff:192.0.2.1");
	struct limit_account *next = of_addr(l, "192.0.2.2");

	assert_ptr_equal(a, near);
	assert_ptr_not_equal(a, far);
	assert_ptr_equal(four, mapped);
	assert_ptr_not_equal(four, next);
	limits_free(l);
}

static void what_was_taken_is_gone_also_for_who_comes_back(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *a = of_addr(l, "192.0.2.1");

	assert_int_equal(take_all(a, LIMIT_CONNECT), 3);
	limit_account_leave(a);
	for (unsigned i = 0; i < N_SWEEPS; i++)
		limits_sweep(l, clock_mono_ms());
	a = of_addr(l, "192.0.2.1");
	assert_int_equal(take_all(a, LIMIT_CONNECT), 0);
	limits_free(l);
}

static void an_account_is_forgotten_when_it_is_as_new_and_nobody_holds_it(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *held = of_addr(l, "192.0.2.1"), *left = of_addr(l, "192.0.2.2");
	uint64_t now = clock_mono_ms();

	assert_int_equal(limit_take(left, LIMIT_HTTP, now), 0);
	limit_account_leave(left);
	for (unsigned i = 0; i < N_SWEEPS; i++)
		limits_sweep(l, now);
	assert_int_equal(limits_count(l), 2);
	for (unsigned i = 0; i < N_SWEEPS; i++)
		limits_sweep(l, now + 1000);
	assert_int_equal(limits_count(l), 1);
	assert_ptr_equal(of_addr(l, "192.0.2.1"), held);
	limits_free(l);
}

static void no_more_than_so_many_hold_one(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *a[3], *more;
	struct addr addr;

	for (unsigned i = 0; i < 3; i++)
		a[i] = of_user(l, 1);
	assert_int_equal(limits_enter_user(l, 1, &more), LIMIT_FULL);
	assert_null(more);
	limit_account_leave(a[0]);
	assert_ptr_equal(of_user(l, 1), a[1]);

	limits_set_capacity(l, 8);
	for (unsigned i = 0; i < 6; i++)
		of_addr(l, "192.0.2.1");
	assert_true(addr_parse(&addr, SPAN("192.0.2.1")));
	assert_int_equal(limits_enter_addr(l, &addr, &more), LIMIT_FULL);
	more = limits_borrow_addr(l, &addr);
	assert_non_null(more);
	limits_free(l);
}

static void a_retry_as_told_succeeds(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *a = of_addr(l, "192.0.2.1");
	uint64_t now = clock_mono_ms();

	for (unsigned round = 0; round < 5; round++) {
		unsigned wait;

		while ((wait = limit_take(a, LIMIT_HTTP, now)) == 0)
			;
		assert_in_range(wait, 1, 13);
		assert_true(limit_wait(a, LIMIT_HTTP, now) <= wait);
		for (uint64_t until = clock_mono_ns() + wait * 1000000; clock_mono_ns() < until;)
			;
		/* The clock given is as late as a worker's may be. */
		assert_int_equal(limit_take(a, LIMIT_HTTP, now), 0);
	}
	limits_free(l);
}

static void without_limits_there_is_nothing_to_hold(void **state)
{
	(void)state;
	struct config cfg = usual;
	struct limit_account *a;
	struct addr addr = {0};

	cfg.no_limits = true;
	struct limits *l = limits_new(&cfg);

	assert_int_equal(limits_enter_user(l, 1, &a), LIMIT_ENTERED);
	assert_null(a);
	assert_int_equal(limits_enter_addr(l, &addr, &a), LIMIT_ENTERED);
	assert_null(a);
	assert_int_equal(limit_take(a, LIMIT_SEND, 1), 0);
	assert_int_equal(limit_wait(a, LIMIT_SEND, 1), 0);
	assert_false(limit_is_news(a));
	limit_charge(a, LIMIT_SEND, 1, 1);
	limit_account_leave(a);
	limits_sweep(l, 1);
	assert_int_equal(limits_count(l), 0);
	limits_free(l);
}

static void other_settings_hold_at_once_and_may_turn_all_off(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *a = of_user(l, 1), *b;
	struct config cfg = usual;

	assert_int_equal(take_all(a, LIMIT_SEND), 5);
	cfg.send_limit = (struct rate){8, 7200000};
	cfg.user_connections = 1;
	limits_set_config(l, &cfg);
	assert_int_equal(take_all(a, LIMIT_SEND), 4);
	assert_int_equal(limits_enter_user(l, 1, &b), LIMIT_FULL);
	cfg.no_limits = true;
	limits_set_config(l, &cfg);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(limit_take(a, LIMIT_SEND, clock_mono_ms()), 0);
	assert_int_equal(limits_enter_user(l, 1, &b), LIMIT_ENTERED);
	assert_null(b);
	limit_account_leave(a);
	limits_set_config(l, &usual);
	assert_non_null(of_user(l, 1));
	limits_free(l);
}

static struct addr nth_addr(uint32_t n)
{
	struct addr a = {.bytes = {[0] = 0x20,
				   [4] = (uint8_t)(n >> 24),
				   [5] = (uint8_t)(n >> 16),
				   [6] = (uint8_t)(n >> 8),
				   [7] = (uint8_t)n}};

	return a;
}

static void a_flood_from_many_addresses_takes_bounded_memory(void **state)
{
	(void)state;
	struct limits *l = limits_new(&usual);
	struct limit_account *mine = of_addr(l, "192.0.2.1");

	take_all(mine, LIMIT_CONNECT);
	for (uint32_t i = 0; i < 300000; i++) {
		struct addr addr = nth_addr(i);
		struct limit_account *a;

		assert_int_equal(limits_enter_addr(l, &addr, &a), LIMIT_ENTERED);
		assert_int_equal(limit_take(a, LIMIT_CONNECT, clock_mono_ms()), 0);
		limit_account_leave(a);
	}
	assert_in_range(limits_count(l), 60000, 70000);
	/* What is held is not forgotten. */
	assert_true(limit_take(mine, LIMIT_CONNECT, clock_mono_ms()) > 0);
	limits_free(l);
}

#define N_THREADS 4
#define N_ROUNDS 20000
#define N_USERS 7

static struct limits *shared;
static atomic_uint n_taken;

static void *come_and_go(void *arg)
{
	uint64_t seed = (uintptr_t)arg;

	for (unsigned i = 0; i < N_ROUNDS; i++) {
		struct limit_account *a;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		if (limits_enter_user(shared, (int64_t)((seed >> 33) % N_USERS), &a) == LIMIT_FULL)
			continue;
		atomic_fetch_add(&n_taken, limit_take(a, LIMIT_SEND, clock_mono_ms()) == 0);
		limit_charge(a, LIMIT_REQUEST, clock_mono_ms(), 1);
		if (i % 64 == 0)
			limits_sweep(shared, clock_mono_ms());
		limit_account_leave(a);
	}
	return NULL;
}

static void threads_that_come_and_go_take_no_more_than_there_is(void **state)
{
	(void)state;
	pthread_t threads[N_THREADS];

	shared = limits_new(&usual);
	atomic_store(&n_taken, 0);
	for (uintptr_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, (void *)i), 0);
	for (unsigned i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&n_taken), 5 * N_USERS);
	assert_int_equal(limits_count(shared), N_USERS);
	limits_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_of_one_user_share_an_account),
		cmocka_unit_test(an_address_of_ipv6_counts_by_its_64),
		cmocka_unit_test(what_was_taken_is_gone_also_for_who_comes_back),
		cmocka_unit_test(an_account_is_forgotten_when_it_is_as_new_and_nobody_holds_it),
		cmocka_unit_test(no_more_than_so_many_hold_one),
		cmocka_unit_test(a_retry_as_told_succeeds),
		cmocka_unit_test(without_limits_there_is_nothing_to_hold),
		cmocka_unit_test(other_settings_hold_at_once_and_may_turn_all_off),
		cmocka_unit_test(a_flood_from_many_addresses_takes_bounded_memory),
		cmocka_unit_test(threads_that_come_and_go_take_no_more_than_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
