/* Mutexes, condition variables and the clock that their waits are measured by. */
#include "hubbub/mutex.h"

#include "hubbub/clock.h"
#include <setjmp.h>
#include <stdarg.h>
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
		cmocka_unit_test(the_clocks_agree_with_their_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
