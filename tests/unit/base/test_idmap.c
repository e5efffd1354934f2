/* The map from ids to words. */
#include "hubbub/idmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static void what_was_added_is_found_until_it_is_removed(void **state)
{
	struct idmap m = {0};
	int value;
	(void)state;

	assert_null(idmap_find(&m, 7));
	assert_false(idmap_remove(&m, 7));
	idmap_put(&m, 7, &value);
	assert_ptr_equal(idmap_get(&m, 7), &value);
	assert_null(idmap_find(&m, 8));
	assert_null(idmap_find(&m, 0));
	assert_int_equal(idmap_len(&m), 1);
	assert_true(idmap_remove(&m, 7));
	assert_false(idmap_remove(&m, 7));
	assert_null(idmap_get(&m, 7));
	idmap_deinit(&m);
}

static void a_value_may_be_changed_in_place(void **state)
{
	struct idmap m = {0};
	(void)state;

	assert_int_equal(idmap_add(&m, UINT64_MAX)->u, 0);
	idmap_find(&m, UINT64_MAX)->u += 5;
	assert_int_equal(idmap_find(&m, UINT64_MAX)->u, 5);
	idmap_deinit(&m);
}

/* Ids a stride apart, among others those that a weak hash would put side by side. */
static void ids_of_any_stride_are_kept_apart(void **state)
{
	static const uint64_t strides[] = {1, 2, 64, 1000, 10946, 1ULL << 32, 1ULL << 52};
	(void)state;

	for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++) {
		struct idmap m = {0};

		for (uint64_t i = 1; i <= 3000; i++)
			idmap_add(&m, i * strides[s])->u = i;
		assert_int_equal(idmap_len(&m), 3000);
		for (uint64_t i = 1; i <= 3000; i++)
			assert_int_equal(idmap_find(&m, i * strides[s])->u, i);
		assert_null(idmap_find(&m, 3001 * strides[s]));
		idmap_deinit(&m);
	}
}

static void a_walk_meets_every_entry_once(void **state)
{
	struct idmap m = {0};
	unsigned char met[101] = {0};
	uint32_t pos = 0;
	struct idmap_slot *s;
	(void)state;

	assert_null(idmap_next(&m, &pos));
	for (uint64_t id = 1; id <= 100; id++)
		idmap_add(&m, id);
	pos = 0;
	while ((s = idmap_next(&m, &pos)) != NULL)
		met[s->id]++;
	for (unsigned id = 1; id <= 100; id++)
		assert_int_equal(met[id], 1);
	idmap_deinit(&m);
}

/* Against a plain array, through growing and shrinking, with the order of removals mixed. */
static void it_says_what_an_array_would(void **state)
{
	enum {
		N = 4096
	};
	static uint64_t truth[N + 1];
	struct idmap m = {0};
	uint32_t n = 0;
	uint64_t random = 1;
	(void)state;

	for (unsigned step = 0; step < 200000; step++) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		uint64_t id = (random >> 33) % N + 1;
		bool filling = step / 20000 % 2 == 0;
		bool adds = (random >> 50) % 8 < (filling ? 6 : 2);

		if (adds && truth[id] == 0) {
			idmap_add(&m, id)->u = truth[id] = step + 1;
			n++;
		} else if (!adds) {
			assert_int_equal(idmap_remove(&m, id), truth[id] != 0);
			n -= truth[id] != 0;
			truth[id] = 0;
		}
		assert_int_equal(idmap_len(&m), n);
		uint64_t other = (random >> 20) % N + 1;
		struct idmap_slot *s = idmap_find(&m, other);

		assert_int_equal(s != NULL ? s->u : 0, truth[other]);
	}
	for (uint64_t id = 1; id <= N; id++)
		assert_int_equal(idmap_remove(&m, id), truth[id] != 0);
	assert_null(m.slots); /* nothing in it, nothing held */
}

static void slots_are_few_and_given_back(void **state)
{
	struct idmap m = {0};
	(void)state;

	for (uint64_t id = 1; id <= 15000; id++) {
		idmap_add(&m, id);
		assert_true(id < 100 || m.cap < id * 3 / 2);
	}
	for (uint64_t id = 1; id <= 14900; id++)
		assert_true(idmap_remove(&m, id));
	assert_true(m.cap <= 400);
	for (uint64_t id = 14901; id <= 15000; id++)
		assert_non_null(idmap_find(&m, id));
	idmap_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_until_it_is_removed),
		cmocka_unit_test(a_value_may_be_changed_in_place),
		cmocka_unit_test(ids_of_any_stride_are_kept_apart),
		cmocka_unit_test(a_walk_meets_every_entry_once),
		cmocka_unit_test(it_says_what_an_array_would),
		cmocka_unit_test(slots_are_few_and_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
