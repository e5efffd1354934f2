/* Mutexes, condition variables and the clock that their waits are measured by. */
#include "hubbub/mutex.h"

#include "hubbub/clock.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct shared {
	struct mutex lock;
	struct cond changed;
	/* Guarded by lock: */
	unsigned count;
	bool go;
};

static void *add_many(void *arg)
{
	struct shared *sh = arg;

	mutex_lock(&sh->lock);
	while (!sh->go)
		cond_wait(&sh->changed, &sh->lock);
	mutex_unlock(&sh->lock);
	for (int i = 0; i < 10000; i++) {
		mutex_lock(&sh->lock);
		sh->count++;
		mutex_unlock(&sh->lock);
	}
	mutex_lock(&sh->lock);
	cond_signal(&sh->changed);
	mutex_unlock(&sh->lock);
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	struct shared sh = {0};
	pthread_t threads[3];
	(void)state;

	mutex_init(&sh.lock);
	cond_init(&sh.changed);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, &sh), 0);
	mutex_lock(&sh.lock);
	sh.go = true;
	cond_broadcast(&sh.changed);
	while (sh.count < 30000)
		cond_wait(&sh.changed, &sh.lock);
	mutex_unlock(&sh.lock);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(sh.count, 30000);
	cond_deinit(&sh.changed);
	mutex_deinit(&sh.lock);
}

static void a_timed_wait_ends_by_itself_and_not_before(void **state)
{
	struct shared sh = {0};
	uint64_t begin = clock_mono_ns();
	(void)state;

	mutex_init(&sh.lock);
	cond_init(&sh.changed);
	mutex_lock(&sh.lock);
	cond_wait_ms(&sh.changed, &sh.lock, 20);
	mutex_unlock(&sh.lock);
	assert_true(clock_mono_ns() - begin >= 19000000);
	cond_deinit(&sh.changed);
	mutex_deinit(&sh.lock);
}

static void a_lock_that_is_free_is_not_waited_for(void **state)
{
	struct mutex lock;
	struct mutex_waits before = mutex_get_waits();
	(void)state;

	mutex_init(&lock);
	for (int i = 0; i < 1000; i++) {
		mutex_lock(&lock);
		mutex_unlock(&lock);
	}
	mutex_deinit(&lock);
	assert_int_equal(mutex_get_waits().n, before.n);
	assert_int_equal(mutex_get_waits().ns, before.ns);
}

struct contest {
	struct mutex lock;
	atomic_bool is_coming;
	uint64_t came_at_ns, got_it_at_ns;
};

static void *come_second(void *arg)
{
	struct contest *ct = arg;

	ct->came_at_ns = clock_mono_ns();
	atomic_store(&ct->is_coming, true);
	mutex_lock(&ct->lock);
	ct->got_it_at_ns = clock_mono_ns();
	mutex_unlock(&ct->lock);
	return NULL;
}

/* One round of two threads that want one lock.  The second may be so slow that it finds it free. */
static bool has_waited(struct contest *ct)
{
	struct mutex_waits before = mutex_get_waits();
	pthread_t thread;

	atomic_store(&ct->is_coming, false);
	mutex_lock(&ct->lock);
	assert_int_equal(pthread_create(&thread, NULL, come_second, ct), 0);
	while (!atomic_load(&ct->is_coming))
		sched_yield();
	mutex_unlock(&ct->lock);
	pthread_join(thread, NULL);

	struct mutex_waits after = mutex_get_waits();

	if (after.n == before.n)
		return false;
	assert_int_equal(after.n, before.n + 1);
	assert_true(after.ns > before.ns);
	assert_true(after.ns - before.ns <= ct->got_it_at_ns - ct->came_at_ns);
	return true;
}

static void who_waits_for_a_lock_is_counted_with_the_time(void **state)
{
	struct contest ct = {0};
	(void)state;

	mutex_init(&ct.lock);
	while (!has_waited(&ct))
		;
	mutex_deinit(&ct.lock);
}

static void waiting_for_a_condition_is_no_wait_for_a_lock(void **state)
{
	struct shared sh = {0};
	struct mutex_waits before = mutex_get_waits();
	(void)state;

	mutex_init(&sh.lock);
	cond_init(&sh.changed);
	mutex_lock(&sh.lock);
	cond_wait_ms(&sh.changed, &sh.lock, 5);
	mutex_unlock(&sh.lock);
	assert_int_equal(mutex_get_waits().n, before.n);
	cond_deinit(&sh.changed);
	mutex_deinit(&sh.lock);
}

static void the_clocks_agree_with_their_units(void **state)
{
	uint64_t ns = clock_mono_ns(), ms = clock_mono_ms();
	(void)state;

	assert_true(ms >= ns / 1000000 && ms - ns / 1000000 < 10000);
	assert_true(clock_mono_ns() >= ns);
	assert_true(clock_wall_ms() > INT64_C(1700000000000)); /* November 2023 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_between_threads),
		cmocka_unit_test(a_timed_wait_ends_by_itself_and_not_before),
		cmocka_unit_test(a_lock_that_is_free_is_not_waited_for),
		cmocka_unit_test(who_waits_for_a_lock_is_counted_with_the_time),
		cmocka_unit_test(waiting_for_a_condition_is_no_wait_for_a_lock),
		cmocka_unit_test(the_clocks_agree_with_their_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
