/*
 * Names of rooms and users.  A folded name folds to itself, what people cannot tell apart by case
 * is one name, and what a name looks like looks like itself.
 */
#include "fuzz.h"

#include "hubbub/names.h"
#include "hubbub/request.h"
#include "hubbub/utf8.h"
#include <string.h>

#define MAX_SKELETON 8192 /* 80 characters, of each up to 18, of up to 4 bytes */

/* A good name has one, of bounded length, which looks like itself however it is read. */
static void check_skeleton(struct span name, enum name_reading reading)
{
	struct buf once = {0}, twice = {0};

	MUST(name_skeleton(name, reading, &once));
	MUST(once.len > 0 && once.len <= MAX_SKELETON && utf8_is_valid(once.p, once.len));
	for (int again = 0; again < 2; again++) {
		MUST(name_skeleton(buf_span(&once), (enum name_reading)again, &twice));
		MUST(span_equal(buf_span(&once), buf_span(&twice)));
	}
	buf_deinit(&once);
	buf_deinit(&twice);
}

static void check_room(struct span name)
{
	struct buf once = {0}, twice = {0};

	if (name_fold_room(name, &once)) {
		MUST(once.len > 0 && utf8_is_valid(once.p, once.len));
		MUST(name_fold_room(buf_span(&once), &twice));
		MUST(span_equal(buf_span(&once), buf_span(&twice)));
		check_skeleton(buf_span(&once), NAME_CAPITAL_I_IS_L);
	}
	buf_deinit(&once);
	buf_deinit(&twice);
}

static void check_user(struct span name)
{
	struct buf clean = {0}, key = {0}, clean_again = {0}, key_again = {0};

	if (name_clean_user(name, &clean, &key)) {
		MUST(clean.len > 0 && utf8_is_valid(clean.p, clean.len));
		MUST(key.len > 0 && utf8_is_valid(key.p, key.len));
		MUST(name_clean_user(buf_span(&clean), &clean_again, &key_again));
		MUST(span_equal(buf_span(&clean), buf_span(&clean_again)));
		MUST(span_equal(buf_span(&key), buf_span(&key_again)));
		check_skeleton(buf_span(&clean), NAME_CAPITAL_I_IS_L);
		check_skeleton(buf_span(&clean), NAME_CAPITAL_I_IS_I);
	}
	buf_deinit(&clean);
	buf_deinit(&key);
	buf_deinit(&clean_again);
	buf_deinit(&key_again);
}

static void check_query(struct span query)
{
	struct buf folded = {0};

	if (name_fold_query(query, &folded))
		MUST(utf8_is_valid(folded.p != NULL ? folded.p : "", folded.len));
	buf_deinit(&folded);
}

/* An id is its number in decimal and nothing else. */
static void check_id(struct span text)
{
	struct buf again = {0};
	int64_t id = user_id_parse(text);

	MUST(id >= 0);
	if (id > 0) {
		buf_printf(&again, "u%lld", (long long)id);
		MUST(span_equal(buf_span(&again), text));
	}
	buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span name = {.p = (const char *)data, .len = size};

	if (!utf8_is_valid(data, size))
		return 0;
	check_room(name);
	check_user(name);
	check_query(name);
	check_id(name);
	return 0;
}
