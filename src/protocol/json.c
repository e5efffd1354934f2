/*
 * From a frame's text to a tree of JSON values.
 *
 * jansson does the parsing.  It stops at four things for which the contract has a rule of its own,
 * and then a second look at a mended copy finds out what the frame would have said:
 *
 * - a number that no 64-bit integer or double can hold.  That is valid JSON, it must not matter in
 *   a field that nobody reads, and a limit is cut to its maximum however large it is.  So such an
 *   integer is read as 2^53, the first that is too large for us, and any fraction as another;
 * - a NUL in the name of a field: such a name is unknown, and unknown fields are ignored;
 * - an unpaired surrogate and a repeated name: refused, but under the id that the request has.
 *   A browser really sends the first, when a text was cut within an emoji, and its user would wait
 *   for ever for a reply that names no request.
 */
#include "json.h"

#include "hubbub/mem.h"
#include "hubbub/request.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS JSON_ALLOW_NUL

/* An integer of more digits than this may not fit 64 bits, and is above 2^53 in any case. */
#define MAX_DIGITS 18
#define TOO_LARGE "9007199254740992" /* 2^53, shorter than what it stands for */

static const char why_object[] = "A frame is one JSON object.";
static const char why_nesting[] = "The nesting is deeper than 32.";
static const char why_duplicate[] = "A name occurs twice in one object.";
static const char why_surrogate[] = "A string holds an unpaired surrogate.";

/* How deep arrays and objects nest.  Meaningful for what parses; harmless on anything else. */
static size_t nesting(struct span text)
{
	size_t depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		switch (text.p[i]) {
		case '"':
			in_string = !in_string;
			break;
		case '\\':
			i += in_string;
			break;
		case '[':
		case '{':
			if (!in_string && ++depth > deepest)
				deepest = depth;
			break;
		case ']':
		case '}':
			if (!in_string && depth > 0)
				depth--;
			break;
		default:
			break;
		}
	}
	return deepest;
}

static json_t *load(const char *p, size_t len, const char **why)
{
	json_error_t error;
	json_t *root = json_loadb(p, len, FLAGS | JSON_REJECT_DUPLICATES, &error);

	if (root != NULL)
		return root;
	if (json_error_code(&error) != json_error_duplicate_key) {
		*why = why_object;
		return NULL;
	}
	/* It may be broken further on. */
	root = json_loadb(p, len, FLAGS, NULL);
	*why = root != NULL ? why_duplicate : why_object;
	/* With two ids there is no telling which one waits for the reply. */
	if (json_is_object(root) && strstr(error.text, "near '\"id\"'") != NULL)
		json_object_del(root, "id");
	return root;
}

/* The value of the escape \uXXXX at @p, or -1 where there is none. */
static int32_t escaped_unit(const char *p, const char *end)
{
	int32_t unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit;

		if (p[i] >= '0' && p[i] <= '9')
			digit = p[i] - '0';
		else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')
			digit = (p[i] | 0x20) - 'a' + 10;
		else
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static bool is_high(int32_t unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(int32_t unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Mend the string whose opening quote is at @p; returns what follows its closing quote. */
static char *mend_string(char *p, char *end, bool *lone_surrogate)
{
	char *start = p++;
	bool has_nul = false;

	while (p < end && *p != '"') {
		int32_t unit = escaped_unit(p, end);

		if (is_high(unit) && is_low(escaped_unit(p + 6, end))) {
			p += 12;
		} else if (is_high(unit) || is_low(unit)) {
			memcpy(p + 2, "fffd", 4);
			*lone_surrogate = true;
			p += 6;
		} else if (unit >= 0) {
			has_nul |= unit == 0;
			p += 6;
		} else {
			p += *p == '\\' && end - p > 1 ? 2 : 1;
		}
	}
	if (p == end)
		return end;
	p++;

	/* Only names are followed by a colon; in values jansson allows the NUL. */
	size_t gap = 0;
	while (p + gap < end && strchr(" \t\r\n", p[gap]) != NULL && p[gap] != '\0')
		gap++;
	if (!has_nul || p + gap == end || p[gap] != ':')
		return p;
	for (char *q = start + 1; q < p;) {
		int32_t unit = escaped_unit(q, p);

		if (unit == 0)
			memcpy(q + 2, "fffd", 4);
		q += unit >= 0 ? 6 : *q == '\\' ? 2 : 1;
	}
	return p;
}

static size_t count_digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/* Where the number at @p is too large for jansson, write another; returns what follows it. */
static char *mend_number(char *p, char *end)
{
	p += *p == '-';

	char *start = p;
	size_t n = count_digits(p, end);
	if (n == 0 || (n > 1 && *p == '0'))
		return p + n; /* no number: left for jansson to refuse */
	p += n;

	bool is_integer = true;
	if (end - p > 1 && *p == '.' && count_digits(p + 1, end) > 0) {
		is_integer = false;
		p += 1 + count_digits(p + 1, end);
	}
	if (p < end && (*p | 0x20) == 'e') {
		char *exponent = p + 1;

		exponent += exponent < end && (*exponent == '+' || *exponent == '-');
		if (count_digits(exponent, end) == 0)
			return exponent;
		is_integer = false;
		p = exponent + count_digits(exponent, end);
	}

	if (is_integer && n > MAX_DIGITS) {
		memset(start, ' ', n);
		memcpy(start, TOO_LARGE, sizeof(TOO_LARGE) - 1);
	} else if (!is_integer) {
		memset(start, ' ', (size_t)(p - start));
		memcpy(start, "0.5", 3); /* at least "1e1" or "1.0" was there */
	}
	return p;
}

static void mend(char *p, size_t len, bool *lone_surrogate)
{
	char *end = p + len;

	while (p < end) {
		if (*p == '"')
			p = mend_string(p, end, lone_surrogate);
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
			p = mend_number(p, end);
		else
			p++;
	}
}

json_t *json_read_object(struct span text, const char **why)
{
	*why = NULL;
	json_t *root = load(text.p, text.len, why);

	if (root == NULL && *why == why_object) {
		char *copy = mem_dup(text.p, text.len);
		bool lone_surrogate = false;

		*why = NULL;
		mend(copy, text.len, &lone_surrogate);
		root = load(copy, text.len, why);
		free(copy);
		if (root != NULL && lone_surrogate)
			*why = why_surrogate;
	}
	if (root != NULL && !json_is_object(root)) {
		json_decref(root);
		root = NULL;
		*why = why_object;
	}
	if (root != NULL && *why == NULL && nesting(text) > REQUEST_MAX_DEPTH)
		*why = why_nesting;
	return root;
}
