/*
 * The frames that the C and the TypeScript decoder must agree on, whole and spoilt.
 */
#include "support.h"

#include "hubbub/utf8.h"
#include <jansson.h>

static int load_fixtures(void **state)
{
	json_error_t error;

	*state = json_load_file(HUBBUB_FIXTURES "/client-frames.json",
				JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	if (*state == NULL)
		print_error("%s:%d: %s\n", error.source, error.line, error.text);
	return json_is_array((json_t *)*state) && json_array_size(*state) > 0 ? 0 : -1;
}

static int free_fixtures(void **state)
{
	json_decref(*state);
	return 0;
}

static struct span fixture_text(const json_t *fixture)
{
	const json_t *text = json_object_get(fixture, "text");

	assert_true(json_is_string(text));
	return (struct span){.p = json_string_value(text), .len = json_string_length(text)};
}

static void every_fixture_is_judged_as_it_says(void **state)
{
	size_t i;
	json_t *fixture;
	unsigned n_wrong = 0;

	json_array_foreach(*state, i, fixture)
	{
		const char *want = json_string_value(json_object_get(fixture, "code"));
		struct request *r;
		const char *why = NULL;
		enum proto_error e = request_decode(&r, fixture_text(fixture), &test_config, &why);

		if (json_is_true(json_object_get(fixture, "valid")))
			want = "ok";
		if (strcmp(proto_error_name(e), want) != 0) {
			n_wrong++;
			print_error("%s: got %s, want %s\n",
				    json_string_value(json_object_get(fixture, "name")),
				    proto_error_name(e), want);
		}
		assert_int_equal(e == PROTO_OK, why == NULL);
		request_free(r);
	}
	assert_int_equal(n_wrong, 0);
}

/* Decode from a block of exactly that size, so that a read beyond it is caught. */
static enum proto_error decode_exactly(const char *p, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	struct request *r;
	const char *why;

	assert_non_null(copy);
	memcpy(copy, p, len);
	enum proto_error e =
		request_decode(&r, (struct span){.p = copy, .len = len}, &test_config, &why);
	free(copy);
	request_free(r);
	return e;
}

/* Long runs of one letter teach nothing after the first few. */
#define LONGEST 600

static void no_fixture_cut_short_passes(void **state)
{
	size_t i;
	json_t *fixture;

	json_array_foreach(*state, i, fixture)
	{
		struct span text = fixture_text(fixture);
		bool is_valid = json_is_true(json_object_get(fixture, "valid"));

		for (size_t len = 0; len < text.len && len < LONGEST; len++) {
			enum proto_error e = decode_exactly(text.p, len);

			/* White space may follow the object. */
			if (is_valid && text.p[text.len - 1] == '}')
				assert_int_equal(e, PROTO_E_BAD_REQUEST);
		}
	}
}

static void no_byte_changed_breaks_the_decoder(void **state)
{
	static const char bytes[] = "\"\\{}[]:,0-e.uU\n \x7f~";
	size_t i;
	json_t *fixture;

	json_array_foreach(*state, i, fixture)
	{
		struct span text = fixture_text(fixture);
		if (text.len > LONGEST)
			continue;

		char *copy = malloc(text.len + 1);
		assert_non_null(copy);
		for (size_t at = 0; at < text.len; at++) {
			memcpy(copy, text.p, text.len);
			copy[at] = bytes[(at + i) % (sizeof(bytes) - 1)];
			if (utf8_is_valid(copy, text.len))
				decode_exactly(copy, text.len);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fixture_is_judged_as_it_says),
		cmocka_unit_test(no_fixture_cut_short_passes),
		cmocka_unit_test(no_byte_changed_breaks_the_decoder),
	};

	return cmocka_run_group_tests(tests, load_fixtures, free_fixtures);
}
