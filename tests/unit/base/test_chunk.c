/* Counted chunks. */
#include "hubbub/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

static void bytes_outlive_all_but_the_last_reference(void **state)
{
	struct chunk *c = chunk_new_copy("hello", 5);
	struct chunk *second = chunk_ref(c);
	(void)state;

	assert_ptr_equal(second, c);
	chunk_unref(c);
	assert_int_equal(chunk_len(second), 5);
	assert_memory_equal(chunk_bytes(second), "hello", 5);
	chunk_unref(second);
}

static void a_chunk_may_be_filled_before_it_is_shared(void **state)
{
	struct chunk *c = chunk_new(3);
	(void)state;

	memcpy(chunk_fill(c), "abc", 3);
	assert_memory_equal(chunk_bytes(c), "abc", 3);
	chunk_unref(c);
}

static void static_bytes_are_not_copied(void **state)
{
	static const char asset[] = "asset";
	struct chunk *c = chunk_new_static(asset, 5);
	(void)state;

	assert_ptr_equal(chunk_bytes(c), asset);
	assert_int_equal(chunk_len(c), 5);
	chunk_unref(c);
	chunk_unref(NULL);
}

static void n_references_are_dropped_as_they_were_taken(void **state)
{
	struct chunk *c = chunk_new_copy("x", 1);
	(void)state;

	chunk_ref_n(c, 1000);
	chunk_unref_n(c, 400);
	for (int i = 0; i < 600; i++)
		chunk_unref(c);
	assert_memory_equal(chunk_bytes(c), "x", 1);
	chunk_unref_n(c, 1);
}

static void *read_and_drop(void *arg)
{
	struct chunk *c = arg;

	for (int i = 0; i < 1000; i++) {
		if (chunk_bytes(c)[i % 4] != (uint8_t) "abcd"[i % 4])
			return c;
		chunk_unref(c);
	}
	return NULL;
}

static void threads_may_read_and_drop_at_the_same_time(void **state)
{
	struct chunk *c = chunk_new_copy("abcd", 4);
	pthread_t threads[4];
	(void)state;

	chunk_ref_n(c, 4 * 1000 - 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_and_drop, c), 0);
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_outlive_all_but_the_last_reference),
		cmocka_unit_test(a_chunk_may_be_filled_before_it_is_shared),
		cmocka_unit_test(static_bytes_are_not_copied),
		cmocka_unit_test(n_references_are_dropped_as_they_were_taken),
		cmocka_unit_test(threads_may_read_and_drop_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
