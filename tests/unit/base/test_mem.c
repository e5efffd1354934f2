/* Memory that is there. */
#include "hubbub/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void nothing_at_all_is_still_an_address(void **state)
{
	void *a = mem_alloc(0), *b = mem_zalloc(0), *c = mem_realloc(NULL, 0);
	(void)state;

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void zeroed_memory_is_zero(void **state)
{
	static const char zeros[1000];
	char *p = mem_zalloc(sizeof(zeros));
	(void)state;

	assert_memory_equal(p, zeros, sizeof(zeros));
	free(p);
}

static void grown_memory_keeps_its_bytes(void **state)
{
	char *p = mem_dup("abc", 3);
	(void)state;

	p = mem_realloc(p, 100000);
	assert_memory_equal(p, "abc", 4);
	free(p);
}

static void a_copy_ends_in_a_nul_behind_its_length(void **state)
{
	char *bytes = mem_dup("a\0bc", 3);
	char *nothing = mem_dup(NULL, 0);
	char *text = mem_strdup("text");
	(void)state;

	assert_memory_equal(bytes, "a\0b", 4);
	assert_string_equal(nothing, "");
	assert_string_equal(text, "text");
	free(bytes);
	free(nothing);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_at_all_is_still_an_address),
		cmocka_unit_test(zeroed_memory_is_zero),
		cmocka_unit_test(grown_memory_keeps_its_bytes),
		cmocka_unit_test(a_copy_ends_in_a_nul_behind_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
