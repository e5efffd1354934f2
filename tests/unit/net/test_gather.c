/* When output waits for more, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/gather.h"

#define MS UINT64_C(1000000)
#define WRITE_NS UINT64_C(5000)

struct clock {
	struct gather g;
	uint64_t now, idle;
};

/* A worker that was busy (or idle) for long enough to be seen as that. */
static struct clock start(uint64_t limit, unsigned busy_percent)
{
	struct clock c = {.now = 1000 * MS};

	gather_init(&c.g, limit);
	gather_wait(&c.g, c.now, c.idle);
	c.now += 100 * MS;
	c.idle += (100 - busy_percent) * MS;
	gather_wait(&c.g, c.now, c.idle);
	gather_flushed(&c.g, 1, WRITE_NS);
	return c;
}

/* Queue @n_writes; returns how long they wait when @n_merged more come meanwhile. */
static uint64_t broadcast(struct clock *c, uint64_t n_writes, uint64_t n_merged)
{
	uint64_t from = c->now, ns;

	c->g.n_writes += n_writes;
	while ((ns = gather_wait(&c->g, c->now, c->idle)) > 0) {
		c->g.n_merged += n_merged;
		n_merged = 0;
		c->now += ns;
	}
	uint64_t waited = c->now - from;

	gather_flushed(&c->g, n_writes, n_writes * WRITE_NS);
	c->now += n_writes * WRITE_NS;
	return waited;
}

static void an_idle_worker_writes_at_once(void **state)
{
	(void)state;
	struct clock c = start(5 * MS, 20);

	assert_int_equal(broadcast(&c, 1000, 1000), 0);
}

static void a_busy_worker_waits_no_longer_than_the_limit(void **state)
{
	(void)state;
	struct clock c = start(5 * MS, 90);

	assert_int_equal(broadcast(&c, 100000, 100000), 5 * MS);
}

static void a_wait_is_no_longer_than_the_writing(void **state)
{
	(void)state;
	struct clock c = start(5 * MS, 90);
	uint64_t waited = broadcast(&c, 400, 400);

	assert_in_range(waited, 1900000, 2100000);
	assert_int_equal(broadcast(&c, 10, 10), 0);
}

static void without_a_limit_nothing_waits(void **state)
{
	(void)state;
	struct clock c = start(0, 100);

	assert_int_equal(broadcast(&c, 1000, 1000), 0);
}

static void waits_that_save_nothing_stop_but_for_a_try_now_and_then(void **state)
{
	(void)state;
	struct clock c = start(5 * MS, 100);
	unsigned n_waits = 0;

	for (unsigned i = 0; i < 100; i++)
		broadcast(&c, 1000, 0);
	for (unsigned i = 0; i < 320; i++)
		n_waits += broadcast(&c, 1000, 0) > 0;
	assert_int_equal(n_waits, 10);
	/* What comes has changed: the tries find out. */
	for (unsigned i = 0; i < 100; i++)
		broadcast(&c, 1000, 2000);
	assert_int_equal(broadcast(&c, 1000, 1000), 5 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_worker_writes_at_once),
		cmocka_unit_test(a_busy_worker_waits_no_longer_than_the_limit),
		cmocka_unit_test(a_wait_is_no_longer_than_the_writing),
		cmocka_unit_test(without_a_limit_nothing_waits),
		cmocka_unit_test(waits_that_save_nothing_stop_but_for_a_try_now_and_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
