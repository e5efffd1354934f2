/* When the writer waits for a fuller batch, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/pace.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define COMMIT_NS (200 * US)
#define PER_OP_NS (30 * US)

struct clock {
	struct pace p;
	uint64_t now;
};

/* One op is there, @n_more come if the writer waits for them.  Returns how long it waited. */
static uint64_t commit(struct clock *c, size_t n_more)
{
	uint64_t waited = pace_wait(&c->p, c->now);
	size_t n_ops = 1;

	if (waited > 0) {
		pace_waited(&c->p, n_more);
		n_ops += n_more;
	}
	c->now += waited;
	uint64_t begun = c->now;
	c->now += COMMIT_NS + n_ops * PER_OP_NS;
	pace_ran(&c->p, begun, c->now, n_ops);
	return waited;
}

static struct clock start(uint64_t limit)
{
	struct clock c = {.now = 1000 * MS};

	pace_init(&c.p, limit);
	return c;
}

/* As a crowd is that sends without pause. */
static void crowd(struct clock *c)
{
	for (unsigned i = 0; i < 1000; i++)
		commit(c, 4);
}

static void what_comes_after_a_pause_is_stored_at_once(void **state)
{
	(void)state;
	struct clock c = start(2 * MS);

	crowd(&c);
	c.now += 2 * MS;
	assert_int_equal(commit(&c, 4), 0);
}

static void a_crowd_shares_commits(void **state)
{
	(void)state;
	struct clock c = start(2 * MS);

	crowd(&c);
	uint64_t begun = c.p.begun_ns;
	assert_true(commit(&c, 4) > 0);
	assert_int_equal(c.p.begun_ns - begun, 2 * MS);
}

static void full_batches_follow_each_other_without_a_wait(void **state)
{
	(void)state;
	struct clock c = start(2 * MS);

	crowd(&c);
	pace_ran(&c.p, c.now, c.now + 5 * MS, 200);
	c.now += 5 * MS;
	assert_int_equal(pace_wait(&c.p, c.now), 0);
}

static void who_waits_for_each_reply_is_not_made_to_wait(void **state)
{
	(void)state;
	struct clock c = start(2 * MS);
	unsigned n_waits = 0;

	crowd(&c);
	for (unsigned i = 0; i < 100; i++)
		commit(&c, 0);
	for (unsigned i = 0; i < 640; i++)
		n_waits += commit(&c, 0) > 0;
	assert_int_equal(n_waits, 10);
	/* Others have come: the tries find out. */
	crowd(&c);
	assert_true(commit(&c, 4) > 0);
}

static void without_a_limit_nothing_waits(void **state)
{
	(void)state;
	struct clock c = start(0);

	crowd(&c);
	assert_int_equal(commit(&c, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_after_a_pause_is_stored_at_once),
		cmocka_unit_test(a_crowd_shares_commits),
		cmocka_unit_test(full_batches_follow_each_other_without_a_wait),
		cmocka_unit_test(who_waits_for_each_reply_is_not_made_to_wait),
		cmocka_unit_test(without_a_limit_nothing_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
