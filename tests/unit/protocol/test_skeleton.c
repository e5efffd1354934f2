/* Which names look like one: the skeletons of UTS #39. */
#include "support.h"

#include "hubbub/names.h"
#include "protocol/confusables.h"
#include <utf8proc.h>

static void make(struct span name, struct buf out[2])
{
	for (int reading = 0; reading < 2; reading++) {
		if (!name_skeleton(name, (enum name_reading)reading, &out[reading]))
			fail_msg("%.*s has no skeleton", (int)name.len, name.p);
	}
}

static bool look_alike(const char *one, const char *other)
{
	struct buf a[2] = {{0}}, b[2] = {{0}};

	make(span_of(one), a);
	make(span_of(other), b);
	bool is_alike = false;
	for (int i = 0; i < 2; i++) {
		is_alike |= span_equal(buf_span(&a[i]), buf_span(&b[i]));
		buf_deinit(&a[i]);
		buf_deinit(&b[i]);
	}
	return is_alike;
}

static void names_that_look_like_one_are_one(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"ada", "аda"},                  /* a Cyrillic а */
		{"scope", "ѕсоре"},              /* all Cyrillic */
		{"Ада", "Aдa"},                  /* the other way round */
		{"Modern", "modem"},             /* rn and m */
		{"paypal", "paypaI"},            /* a capital I */
		{"paypal", "PaypaI"},            /* and another case beside it */
		{"paypal", "paypa1"},            /* a digit */
		{"paypal", "paypa|"},            /* a stroke */
		{"root", "r00t"},                /* zeros */
		{"ROOT", "r0ot"},                /* in any case */
		{"Ada", "Ａｄａ"},               /* full width */
		{"ada", "𝒶𝒹𝒶"},                  /* mathematical letters */
		{"maria", "Мaria"},              /* a Cyrillic М, which is only like M */
		{"maria", "МARIA"},              /* and a capital I behind it */
		{"ian", "Іan"},                  /* a Ukrainian І */
		{"José", "Jos\xd0\xb5\xcc\x81"}, /* a Cyrillic е with the accent by itself */
		{"ΝΙΚΟΣ", "NIKOΣ"},              /* Greek and Latin capitals */
		{"a-b", "a‐b"},                  /* a hyphen of its own */
		{"Ada Lovelace", "Ada Lоvelace"},
		{"Straße", "STRASSE"}, /* what folding makes one stays one */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!look_alike(rows[i][0], rows[i][1]))
			fail_msg("%s and %s", rows[i][0], rows[i][1]);
	}
}

static void ordinary_names_are_each_their_own(void **state)
{
	(void)state;
	static const char *const names[] = {
		"Ada",    "Ida",    "Anna",    "Anne",   "Hanna",  "Elia",     "Ella",    "Mila",
		"Milla",  "Lena",   "Lina",    "Jan",    "Jon",    "Bo",       "Jürgen",  "Jurgen",
		"Müller", "Muller", "Mueller", "Ömer",   "Omer",   "Zoë",      "Zoe",     "José",
		"Jose",   "Łukasz", "Lukasz",  "Søren",  "Soren",  "Ðorđe",    "Çelik",   "Celik",
		"Иван",   "Ивана",  "Анна",    "Ольга",  "Мария",  "Марія",    "Дмитрий", "Дмитро",
		"Сергей", "Пётр",   "Петр",    "Νίκος",  "Ελένη",  "Οδυσσέας", "Γιώργος", "محمد",
		"محمود",  "أحمد",   "فاطمة",   "علي",    "دانيال", "דוד",      "שרה",     "王伟",
		"王芳",   "李娜",   "张伟",    "さくら", "サクラ", "はると",   "김민준",  "김서연",
		"हिन्दी",  "สมชาย",  "Ada 1",   "Ada 2",  "team-7", "team-8",   "r",       "n",
		"v",      "w",      "u",       "c",      "❤ Ada",
	};
	enum {
		N = COUNT(names)
	};

	for (size_t i = 0; i < N; i++) {
		for (size_t k = i + 1; k < N; k++) {
			if (look_alike(names[i], names[k]))
				fail_msg("%s and %s", names[i], names[k]);
		}
	}
}

static void what_is_not_seen_does_not_count(void **state)
{
	(void)state;
	assert_true(look_alike("❤ Ada", "❤\xef\xb8\x8f Ada")); /* shown as an emoji */
	assert_true(look_alike("Ada", "A\xe2\x80\x8d\x64\xe2\x80\x8b\x61"));
	assert_false(look_alike("Ada", "A da"));
}

/* Otherwise two names might look like a third and not like each other. */
static void the_skeleton_of_a_skeleton_is_itself(void **state)
{
	(void)state;
	struct buf once[2] = {{0}}, twice[2] = {{0}};
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
			make((struct span){.p = bytes + skip, .len = (size_t)(3 - skip + n)}, once);
			for (int i = 0; i < 2; i++) {
				make(buf_span(&once[i]), twice);
				if (!span_equal(buf_span(&once[i]), buf_span(&twice[0])) ||
				    !span_equal(buf_span(&once[i]), buf_span(&twice[1])))
					fail_msg("U+%04X does not settle", (unsigned)c);
			}
		}
	}
	for (int i = 0; i < 2; i++) {
		buf_deinit(&once[i]);
		buf_deinit(&twice[i]);
	}
}

/* The longest that 40 characters of a name come to: what a database keeps of one stays small. */
static void skeletons_are_bounded(void **state)
{
	(void)state;
	struct buf name = {0}, clean = {0}, key = {0}, out[2] = {{0}};

	for (int i = 0; i < 40; i++)
		buf_append_str(&name, "\xef\xb7\xba"); /* a ligature of 18 letters */
	assert_true(name_clean_user(buf_span(&name), &clean, &key));
	make(buf_span(&clean), out);
	assert_in_range(out[0].len, 1000, 2048);
	assert_false(name_skeleton(SPAN("a\xff"), NAME_CAPITAL_I_IS_L, &key));
	buf_deinit(&name);
	buf_deinit(&clean);
	buf_deinit(&key);
	buf_deinit(&out[0]);
	buf_deinit(&out[1]);
}

static void the_table_is_in_order(void **state)
{
	(void)state;
	for (unsigned i = 1; i < n_confusables; i++)
		assert_true(confusables[i - 1].from < confusables[i].from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_look_like_one_are_one),
		cmocka_unit_test(ordinary_names_are_each_their_own),
		cmocka_unit_test(what_is_not_seen_does_not_count),
		cmocka_unit_test(the_skeleton_of_a_skeleton_is_itself),
		cmocka_unit_test(skeletons_are_bounded),
		cmocka_unit_test(the_table_is_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
