#include "support.h"

#include "hubbub/names.h"
#include <utf8proc.h>

#define TEN(s) s s s s s s s s s s

static const struct fold_row {
	struct span name;
	const char *folded; /* NULL: not allowed */
} room_rows[] = {
	{SPAN("general"), "general"},
	{SPAN("General"), "general"},
	{SPAN("ｇｅｎｅｒａｌ"), "general"},
	{SPAN("Straße"), "strasse"},
	{SPAN("STRAẞE"), "strasse"},
	{SPAN("ΟΔΟΣ"), "οδοσ"},
	{SPAN("οδος"), "οδοσ"},
	{SPAN("ﬁsh"), "fish"},
	{SPAN("x²"), "x2"},
	{SPAN("Ⅷ"), "viii"},
	{SPAN("cafe\xcc\x81"), "caf\xc3\xa9"},
	{SPAN("CAFE\xcc\x81"), "caf\xc3\xa9"},
	{SPAN("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), "\xed\x95\x9c"}, /* jamo: 한 */
	{SPAN("a\xcc\x82\xcc\xa3"), "\xe1\xba\xad"}, /* marks in canonical order */
	{SPAN("\xe2\x84\xab"), "\xc3\xa5"},          /* the angstrom sign: å */
	{SPAN("हिन्दी"), "हिन्दी"},
	{SPAN("٣٤"), "٣٤"},
	{SPAN("日本語"), "日本語"},
	{SPAN("\xcc\x81"
	      "a"),
	 "\xcc\x81"
	 "a"},
	{SPAN("a.b_c-d"), "a.b_c-d"},
	{SPAN("a--__..b"), "a--__..b"},
	{SPAN("7"), "7"},
	{SPAN(TEN("aaaaaaaa")), TEN("aaaaaaaa")},
	{SPAN(TEN("ßßßß")), TEN("ssssssss")},
	{SPAN(TEN("aaaaaaaa") "a"), NULL},
	{SPAN(TEN("ßßßß") "ß"), NULL},
	{SPAN(""), NULL},
	{SPAN(" "), NULL},
	{SPAN("a b"), NULL},
	{SPAN("-a"), NULL},
	{SPAN("a-"), NULL},
	{SPAN("."), NULL},
	{SPAN(".."), NULL},
	{SPAN("_a"), NULL},
	{SPAN("a_"), NULL},
	{SPAN("a~b"), NULL},
	{SPAN("#a"), NULL},
	{SPAN("½"), NULL},              /* NFKC spells it with a slash */
	{SPAN("〇"), NULL},             /* Nl */
	{SPAN("a\xe2\x83\x9d"), NULL},  /* Me */
	{SPAN("a\xc2\xad"), NULL},      /* Cf */
	{SPAN("a\xe2\x80\x8d"), NULL},  /* Cf */
	{SPAN("a\xc2\xa0z"), NULL},     /* Zs */
	{SPAN("a\xee\x80\x80z"), NULL}, /* Co */
	{SPAN("a\xcd\xb8z"), NULL},     /* Cn */
	{SPAN("🙂"), NULL},
	{SPAN("a\0b"), NULL},
	{SPAN("\0"), NULL},
	{SPAN("a\nb"), NULL},
	{SPAN("～a"), NULL}, /* NFKC spells it with a tilde */
};

static void room_names_fold_as_the_contract_says(void **state)
{
	(void)state;
	struct buf out = {0};

	for (size_t i = 0; i < COUNT(room_rows); i++) {
		bool allowed = name_fold_room(room_rows[i].name, &out);

		if (allowed != (room_rows[i].folded != NULL))
			fail_msg("%s: allowed is %d", room_rows[i].name.p, allowed);
		if (allowed && !span_equal(buf_span(&out), span_of(room_rows[i].folded)))
			fail_msg("%s: got %.*s", room_rows[i].name.p, (int)out.len, out.p);
	}
	buf_deinit(&out);
}

static void folding_a_folded_name_changes_nothing(void **state)
{
	(void)state;
	struct buf once = {0}, twice = {0};
	char bytes[8] = {0};

	/* Every character there is, alone and behind a letter with marks of its own. */
	for (utf8proc_int32_t c = 1; c < 0x110000; c++) {
		if (c == 0xD800)
			c = 0xE000; /* past the surrogates */
		if (c == 0x40000)
			c = 0xE0000; /* past the planes that have none */
		memcpy(bytes, "a\xcc\xa3", 3);
		utf8proc_ssize_t n = utf8proc_encode_char(c, (utf8proc_uint8_t *)bytes + 3);

		for (int skip = 0; skip <= 3; skip += 3) {
			struct span name = {.p = bytes + skip, .len = (size_t)(3 - skip + n)};

			if (!name_fold_query(name, &once) ||
			    !name_fold_query(buf_span(&once), &twice) ||
			    !span_equal(buf_span(&once), buf_span(&twice)))
				fail_msg("U+%04X does not settle", (unsigned)c);
		}
	}
	buf_deinit(&once);
	buf_deinit(&twice);
}

static void ascii_folds_as_all_of_unicode_does(void **state)
{
	(void)state;
	struct buf alone = {0}, beside = {0};

	for (int c = 0; c < 0x80; c++) {
		const char bytes[] = {(char)c, '\xc3', '\xa9'};

		assert_true(name_fold_query((struct span){.p = bytes, .len = 1}, &alone));
		assert_true(name_fold_query((struct span){.p = bytes, .len = 3}, &beside));
		assert_int_equal(alone.len, 1);
		assert_int_equal(beside.len, 3);
		assert_memory_equal(alone.p, beside.p, 1);
	}
	buf_deinit(&alone);
	buf_deinit(&beside);
}

static const struct {
	struct span name;
	const char *clean; /* NULL: not allowed */
	const char *key;
} user_rows[] = {
	{SPAN("Ada"), "Ada", "ada"},
	{SPAN("  Ada  "), "Ada", "ada"},
	{SPAN("\t\nAda\r\n"), "Ada", "ada"},
	{SPAN("\xe2\x80\xa8\xe3\x80\x80"
	      "Ada\xc2\xa0\xc2\x85"),
	 "Ada", "ada"},
	{SPAN("Ada Lovelace"), "Ada Lovelace", "ada lovelace"},
	{SPAN("A\xc2\xa0z"), "A z", "a z"},
	{SPAN("A \xe2\x80\x83  \xe3\x80\x80z"), "A z", "a z"},
	{SPAN("❤\xef\xb8\x8f Ada"), "❤\xef\xb8\x8f Ada", "❤ ada"},
	{SPAN("A\xcc\xa3\xcc\xa4\xcc\xa5\xcc\xad\xcc\xae"
	      "da"),
	 "\xe1\xba\xa0\xcc\xa4\xcc\xa5\xcc\xad\xcc\xae"
	 "da",
	 "\xe1\xba\xa1\xcc\xa4\xcc\xa5\xcc\xad\xcc\xae"
	 "da"},
	/* Nothing is seen of these, or too much is piled up. */
	{SPAN("Ada\xe3\x85\xa4"), NULL, NULL}, /* HANGUL FILLER */
	{SPAN("Ad\xcd\x8f"
	      "a"),
	 NULL, NULL},                              /* COMBINING GRAPHEME JOINER */
	{SPAN("Ada\xef\xb8\x8f"), NULL, NULL},     /* a selector behind a letter */
	{SPAN("Ada\xf3\xa0\x84\x81"), NULL, NULL}, /* VARIATION SELECTOR-18 */
	{SPAN("Ada\xee\x80\x80"), NULL, NULL},     /* private use */
	{SPAN("Ada\xf0\x90\x80\x8c"), NULL, NULL}, /* unassigned */
	{SPAN("x\xcc\xa3\xcc\xa4\xcc\xa5\xcc\xad\xcc\xae"), NULL, NULL},
	{SPAN("\xcc\x81 \xcc\x81"), NULL, NULL},
	{SPAN("Jose\xcc\x81"), "Jos\xc3\xa9", "jos\xc3\xa9"},
	{SPAN("Ⅷ"), "Ⅷ", "viii"},
	{SPAN("ẞ"), "ẞ", "ss"},
	{SPAN("<b>&\""), "<b>&\"", "<b>&\""},
	{SPAN("🙂"), "🙂", "🙂"},
	{SPAN("محمد"), "محمد", "محمد"},
	{SPAN(TEN("aaaa")), TEN("aaaa"), TEN("aaaa")},
	{SPAN(TEN("e\xcc\x81"
		  "e\xcc\x81"
		  "e\xcc\x81"
		  "e\xcc\x81")),
	 TEN("éééé"), TEN("éééé")},
	{SPAN(TEN("aaaa") "a"), NULL, NULL},
	{SPAN(""), NULL, NULL},
	{SPAN("   "), NULL, NULL},
	{SPAN("\xe3\x80\x80\xe2\x80\xa8"), NULL, NULL},
	{SPAN("A\0b"), NULL, NULL},
	{SPAN("\0"), NULL, NULL},
	{SPAN("A\nb"), NULL, NULL},
	{SPAN("A\x7f"
	      "b"),
	 NULL, NULL},
	{SPAN("A\xc2\x85"
	      "b"),
	 NULL, NULL},
	{SPAN("A\xe2\x80\x8b"
	      "b"),
	 NULL, NULL},
	{SPAN("\xe2\x80\xae"
	      "Ada"),
	 NULL, NULL},
	{SPAN("A\xe2\x80\xa8"
	      "b"),
	 NULL, NULL},
	{SPAN("\xef\xbb\xbf"
	      "Ada"),
	 NULL, NULL},
};

static void user_names_are_cleaned_as_the_contract_says(void **state)
{
	(void)state;
	struct buf out = {0}, key = {0};

	for (size_t i = 0; i < COUNT(user_rows); i++) {
		bool allowed = name_clean_user(user_rows[i].name, &out, &key);

		if (allowed != (user_rows[i].clean != NULL))
			fail_msg("row %zu: allowed is %d", i, allowed);
		if (allowed && (!span_equal(buf_span(&out), span_of(user_rows[i].clean)) ||
				!span_equal(buf_span(&key), span_of(user_rows[i].key))))
			fail_msg("row %zu: got %.*s, key %.*s", i, (int)out.len, out.p,
				 (int)key.len, key.p);
	}
	buf_deinit(&out);
	buf_deinit(&key);
}

static void white_space_around_a_name_may_be_long(void **state)
{
	(void)state;
	char *name = malloc(60003);
	struct buf out = {0}, key = {0};

	assert_non_null(name);
	memset(name, ' ', 60003);
	memcpy(name + 30000, "Ada", 3);
	assert_true(name_clean_user((struct span){.p = name, .len = 60003}, &out, &key));
	assert_span(buf_span(&out), "Ada");
	free(name);
	buf_deinit(&out);
	buf_deinit(&key);
}

static void names_that_are_too_long_are_refused_unread(void **state)
{
	(void)state;
	char *name = malloc(65536);
	struct buf out = {0}, key = {0};

	assert_non_null(name);
	memset(name, 'a', 65536);
	struct span s = {.p = name, .len = 65536};
	assert_false(name_fold_room(s, &out));
	assert_false(name_clean_user(s, &out, &key));
	assert_false(name_fold_query(s, &out));
	s.len = 1024;
	assert_true(name_fold_query(s, &out));
	free(name);
	buf_deinit(&out);
	buf_deinit(&key);
}

static void bytes_that_are_no_utf8_are_refused(void **state)
{
	(void)state;
	static const struct span rows[] = {
		SPAN("\xff"), SPAN("a\xc3"), SPAN("\xed\xa0\x80"), SPAN("\xc0\x80"), SPAN(" \x80 "),
	};
	struct buf out = {0}, key = {0};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(name_fold_room(rows[i], &out));
		assert_false(name_clean_user(rows[i], &out, &key));
		assert_false(name_fold_query(rows[i], &out));
	}
	buf_deinit(&out);
	buf_deinit(&key);
}

static void queries_fold_without_rules(void **state)
{
	(void)state;
	struct buf out = {0};

	assert_true(name_fold_query(SPAN(""), &out));
	assert_int_equal(out.len, 0);
	assert_true(name_fold_query(SPAN("-GENER "), &out));
	assert_span(buf_span(&out), "-gener ");
	buf_deinit(&out);
}

static void user_ids_are_u_and_a_number(void **state)
{
	(void)state;
	static const struct {
		struct span s;
		int64_t want;
	} rows[] = {
		{SPAN("u1"), 1},
		{SPAN("u9007199254740991"), 9007199254740991},
		{SPAN("u9223372036854775807"), INT64_MAX},
		{SPAN("u9223372036854775808"), 0},
		{SPAN("u99999999999999999999999"), 0},
		{SPAN("u0"), 0},
		{SPAN("u01"), 0},
		{SPAN("u"), 0},
		{SPAN(""), 0},
		{SPAN("U1"), 0},
		{SPAN("1"), 0},
		{SPAN("u-1"), 0},
		{SPAN("u+1"), 0},
		{SPAN("u1 "), 0},
		{SPAN("u1\0"), 0},
		{SPAN("u\xd9\xa3"), 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(user_id_parse(rows[i].s), rows[i].want);
	assert_int_equal(user_id_parse((struct span){0}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_names_fold_as_the_contract_says),
		cmocka_unit_test(folding_a_folded_name_changes_nothing),
		cmocka_unit_test(ascii_folds_as_all_of_unicode_does),
		cmocka_unit_test(user_names_are_cleaned_as_the_contract_says),
		cmocka_unit_test(white_space_around_a_name_may_be_long),
		cmocka_unit_test(names_that_are_too_long_are_refused_unread),
		cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
		cmocka_unit_test(queries_fold_without_rules),
		cmocka_unit_test(user_ids_are_u_and_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
