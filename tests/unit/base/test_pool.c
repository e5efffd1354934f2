/* Pools of objects of one size. */
#include "hubbub/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISONS 1
#endif

#define N 2000
static unsigned char *objects[N], *freed[N];

static void an_object_is_all_zero_also_the_second_time(void **state)
{
	static const char zeroes[200];
	struct pool p;
	(void)state;

	pool_init(&p, sizeof(zeroes));
	for (int i = 0; i < 3; i++) {
		char *o = pool_zalloc(&p);

		assert_memory_equal(o, zeroes, sizeof(zeroes));
		memset(o, 0xff, sizeof(zeroes));
		pool_free(&p, o);
	}
	pool_free(&p, NULL);
	pool_deinit(&p);
}

static void objects_do_not_overlap_and_are_aligned(void **state)
{
	static const size_t sizes[] = {1, 8, 20, 96, 200, 648};
	(void)state;

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct pool p;

		pool_init(&p, sizes[s]);
		for (unsigned i = 0; i < N; i++) {
			objects[i] = pool_zalloc(&p);
			assert_int_equal((uintptr_t)objects[i] % sizeof(void *), 0);
			memset(objects[i], (int)(i % 251), sizes[s]);
		}
		for (unsigned i = 0; i < N; i++) {
			assert_int_equal(objects[i][0], i % 251);
			assert_int_equal(objects[i][sizes[s] - 1], i % 251);
		}
		for (unsigned i = 0; i < N; i++)
			pool_free(&p, objects[i]);
		pool_deinit(&p);
	}
}

static void what_was_freed_is_used_again_first(void **state)
{
	struct pool p;
	(void)state;

	pool_init(&p, 64);
	for (unsigned i = 0; i < N; i++)
		objects[i] = pool_zalloc(&p);
	memcpy(freed, objects, sizeof(freed));
	for (unsigned i = 0; i < N; i += 3)
		pool_free(&p, objects[i]);
	for (unsigned i = 0; i < N; i += 3) {
		void *o = pool_zalloc(&p);
		bool was_there = false;

		for (unsigned k = 0; k < N && !was_there; k += 3)
			was_there = freed[k] == o;
		assert_true(was_there);
		objects[i] = o;
	}
	assert_int_equal(p.n, N);
	for (unsigned i = N; i-- > 0;)
		pool_free(&p, objects[i]);
	pool_deinit(&p);
}

static void pages_without_objects_are_given_back_but_one(void **state)
{
	struct pool p;
	(void)state;

	pool_init(&p, 640);
	for (unsigned i = 0; i < N; i++)
		objects[i] = pool_zalloc(&p);
	for (unsigned i = 0; i < N; i++)
		pool_free(&p, objects[i]);
	assert_null(p.open);
	assert_non_null(p.spare);
	assert_int_equal(p.n, 0);
	void *kept = p.spare, *o = pool_zalloc(&p);

	assert_ptr_equal(p.open, kept);
	assert_null(p.spare);
	pool_free(&p, o);
	pool_deinit(&p);
}

static void what_is_free_is_poisoned(void **state)
{
	(void)state;
#ifdef POISONS
	struct pool p;

	pool_init(&p, 64);
	char *o = pool_zalloc(&p);

	assert_false(__asan_address_is_poisoned(o));
	assert_false(__asan_address_is_poisoned(o + 63));
	assert_true(__asan_address_is_poisoned(o + 64));
	pool_free(&p, o);
	assert_true(__asan_address_is_poisoned(o));
	assert_true(__asan_address_is_poisoned(o + 63));
	pool_deinit(&p);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_all_zero_also_the_second_time),
		cmocka_unit_test(objects_do_not_overlap_and_are_aligned),
		cmocka_unit_test(what_was_freed_is_used_again_first),
		cmocka_unit_test(pages_without_objects_are_given_back_but_one),
		cmocka_unit_test(what_is_free_is_poisoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
