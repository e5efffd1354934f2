/*
 * Names after Unicode's rules.
 *
 * Two names are one when their folded forms are: normalisation form KC and full case folding
 * (Unicode 15, 3.13), again until nothing changes, since folding may leave what normalises once
 * more and the other way round.
 */
#include "hubbub/names.h"

#include "hubbub/request.h"
#include <errno.h>
#include <stdlib.h>
#include <utf8proc.h>

#define MAX_ROOM_CHARACTERS 80
#define MAX_USER_CHARACTERS 40
#define MAX_LOGIN_BYTES 254

/*
 * Longer ones are not even normalised: work on a name stays small whatever a peer sends.  No name
 * that is allowed is cut off by it: 80 Hangul syllables spelt in 3 letters of 3 bytes take 720.
 */
#define MAX_BYTES 1024

/* Two rounds settle all of Unicode; the bound is there for the proof's sake. */
#define MAX_ROUNDS 8

#define OPTIONS_NFC (UTF8PROC_STABLE | UTF8PROC_COMPOSE)
#define OPTIONS_FOLD (OPTIONS_NFC | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD)

static bool map(struct span s, utf8proc_option_t options, struct buf *out)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.len,
					    &mapped, options);

	out->len = 0;
	if (len >= 0)
		buf_append(out, mapped, (size_t)len);
	free(mapped);
	return len >= 0;
}

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	}
	return true;
}

/* In ASCII nothing normalises, and folding is lower case: most names, on the path of every send. */
static void fold_ascii(struct span s, struct buf *out)
{
	out->len = 0;
	buf_append_span(out, s);
	for (size_t i = 0; i < out->len; i++) {
		if (out->p[i] >= 'A' && out->p[i] <= 'Z')
			out->p[i] += 'a' - 'A';
	}
}

bool name_fold(struct span s, struct buf *out)
{
	if (is_ascii(s)) {
		fold_ascii(s, out);
		return true;
	}

	struct buf next = {0};
	bool settled = false;

	if (!map(s, OPTIONS_FOLD, out))
		return false;
	for (int i = 0; i < MAX_ROUNDS && !settled; i++) {
		if (!map(buf_span(out), OPTIONS_FOLD, &next))
			break;
		settled = span_equal(buf_span(out), buf_span(&next));

		struct buf swap = *out;
		*out = next;
		next = swap;
	}
	buf_deinit(&next);
	return settled;
}

/* The character at the head of @s, which is cut off it; -1 at the end or on bad UTF-8. */
static utf8proc_int32_t next_character(struct span *s)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n;

	if (s->len == 0)
		return -1;
	n = utf8proc_iterate((const utf8proc_uint8_t *)s->p, (utf8proc_ssize_t)s->len, &c);
	if (n <= 0)
		return -1;
	s->p += n;
	s->len -= (size_t)n;
	return c;
}

#define VARIATION_SELECTOR_16 0xFE0F /* shows the symbol before it as an emoji */
#define MAX_MARKS 4                  /* on one letter: more only pile up */

/* Unicode's Default_Ignorable_Code_Point: nothing is seen of it. */
static bool is_ignorable(utf8proc_int32_t c)
{
	return utf8proc_get_property(c)->ignorable;
}

static bool is_mark(utf8proc_int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);

	return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
	       category == UTF8PROC_CATEGORY_ME;
}

static bool is_word_character(utf8proc_int32_t c)
{
	if (is_ignorable(c))
		return false;
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ND:
		return true;
	default:
		return false;
	}
}

static bool is_allowed_in_user_name(utf8proc_int32_t c)
{
	if (is_ignorable(c))
		return c == VARIATION_SELECTOR_16;
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return false;
	default:
		return true;
	}
}

/* Unicode's property White_Space, which has characters of four categories in it. */
static bool is_white_space(utf8proc_int32_t c)
{
	return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
	       c == 0x205F || c == 0x3000;
}

/* Cut white space off both ends.  false: this is no UTF-8. */
static bool trim(struct span *s)
{
	struct span rest = *s, kept = {.p = s->p, .len = 0};

	while (rest.len > 0) {
		const char *at = rest.p;
		utf8proc_int32_t c = next_character(&rest);

		if (c < 0)
			return false;
		if (is_white_space(c))
			continue;
		if (kept.len == 0)
			kept.p = at;
		kept.len = (size_t)(rest.p - kept.p);
	}
	*s = kept;
	return true;
}

bool name_fold_room(struct span name, struct buf *out)
{
	if (name.len == 0 || name.len > MAX_BYTES || !name_fold(name, out))
		return false;

	struct span rest = buf_span(out);
	unsigned n = 0;
	bool is_word = false;
	while (rest.len > 0) {
		utf8proc_int32_t c = next_character(&rest);

		is_word = is_word_character(c);
		if (!is_word && (n == 0 || (c != '-' && c != '_' && c != '.')))
			return false;
		if (++n > MAX_ROOM_CHARACTERS)
			return false;
	}
	return is_word; /* the last one */
}

static bool is_symbol(utf8proc_int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);

	return category == UTF8PROC_CATEGORY_SO || category == UTF8PROC_CATEGORY_SM;
}

/* Append @s with each run of white space as one space.  false: it holds what it may not. */
static bool append_clean(struct span s, unsigned max, struct buf *out)
{
	utf8proc_int32_t before = -1;
	unsigned n = 0, n_marks = 0;
	bool is_seen = false;

	while (s.len > 0) {
		const char *at = s.p;
		utf8proc_int32_t c = next_character(&s);
		bool is_space = is_white_space(c) && is_allowed_in_user_name(c);

		if (!is_allowed_in_user_name(c) ||
		    (c == VARIATION_SELECTOR_16 && !is_symbol(before)))
			return false;
		n_marks = is_mark(c) && c != VARIATION_SELECTOR_16 ? n_marks + 1 : 0;
		if (n_marks > MAX_MARKS)
			return false;
		if (is_space && before == ' ')
			continue;
		if (is_space)
			buf_append_char(out, ' ');
		else
			buf_append(out, at, (size_t)(s.p - at));
		is_seen |= !is_space && !is_mark(c);
		before = is_space ? ' ' : c;
		if (++n > max)
			return false;
	}
	return is_seen;
}

/* Trimmed NFC of 1..@max characters that a line may hold, of which something is seen. */
static bool clean_line(struct span s, unsigned max, struct buf *out)
{
	struct buf composed = {0};

	out->len = 0;
	bool is_good = trim(&s) && s.len > 0 && s.len <= MAX_BYTES &&
		       map(s, OPTIONS_NFC, &composed) &&
		       append_clean(buf_span(&composed), max, out);
	buf_deinit(&composed);
	return is_good;
}

bool name_clean_user(struct span name, struct buf *out, struct buf *out_key)
{
	struct buf seen = {0};
	bool is_good = clean_line(name, MAX_USER_CHARACTERS, out) &&
		       map(buf_span(out), OPTIONS_NFC | UTF8PROC_IGNORE, &seen) &&
		       name_fold(buf_span(&seen), out_key) && out_key->len > 0;

	buf_deinit(&seen);
	return is_good;
}

bool name_clean_title(struct span title, struct buf *out)
{
	return clean_line(title, MAX_ROOM_CHARACTERS, out);
}

bool name_clean_login(struct span login, struct buf *out, struct buf *out_key)
{
	/* RFC 5321, 4.5.3.1.3, as RFC 3696's erratum 1690 reads it: 254 for an address. */
	if (!trim(&login) || login.len == 0 || login.len > MAX_BYTES ||
	    !map(login, OPTIONS_NFC, out) || out->len > MAX_LOGIN_BYTES)
		return false;

	struct span rest = buf_span(out);
	while (rest.len > 0) {
		utf8proc_int32_t c = next_character(&rest);

		if (!is_allowed_in_user_name(c) || is_white_space(c))
			return false;
	}
	return out->len > 0 && name_fold(buf_span(out), out_key) && out_key->len > 0;
}

bool name_is_line(struct span s, size_t max)
{
	if (s.len == 0 || s.len > max)
		return false;
	while (s.len > 0) {
		utf8proc_int32_t c = next_character(&s);

		if (c < 0 || !is_allowed_in_user_name(c))
			return false;
	}
	return true;
}

bool name_fold_query(struct span query, struct buf *out)
{
	return query.len <= MAX_BYTES && name_fold(query, out);
}

int64_t user_id_parse(struct span s)
{
	int64_t id = 0;

	/* As user_encode() writes it: no sign, no leading zero. */
	if (s.len < 2 || s.p[0] != 'u' || s.p[1] == '0')
		return 0;
	for (size_t i = 1; i < s.len; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(id, 10, &id) ||
		    __builtin_add_overflow(id, digit, &id))
			return 0;
	}
	return id;
}
