/*
 * What a name looks like, whatever letters it is written in.
 *
 * As UTS #39, 4, has it: decompose, and replace each character by what it is taken for.  Unicode's
 * skeleton minds case, names do not: so it is folded, and what that leaves is replaced again, until
 * nothing changes.  Else "Modern" would look like "Modem" and not like "modem", where m is rn and M
 * is not.
 *
 * Capitals are replaced before case is folded: a capital I is taken for a small l, and a folded one
 * is not.  Neither answer is enough: by the first "paypaI" is found beside "paypal", by the second
 * "МARIA" with a Cyrillic М beside "maria".  So a name has a skeleton by either reading.  To take i
 * and l for one would do in one step, and make one name of Elia and Ella.
 */
#include "hubbub/names.h"

#include "protocol/confusables.h"
#include <stdlib.h>
#include <utf8proc.h>

#define MAX_ROUNDS 8 /* every character settles in fewer */

static int compare(const void *key, const void *element)
{
	uint32_t c = *(const uint32_t *)key, from = ((const struct confusable *)element)->from;

	return (c > from) - (c < from);
}

static struct span prototype_of(utf8proc_int32_t c, struct span as_it_is)
{
	uint32_t key = (uint32_t)c;
	const struct confusable *to =
		bsearch(&key, confusables, n_confusables, sizeof(confusables[0]), compare);

	if (to == NULL)
		return as_it_is;
	return (struct span){.p = (const char *)confusables_text + to->at, .len = to->len};
}

/* @name with what each of its characters is taken for, folded. */
static bool replace(struct span name, enum name_reading reading, struct buf *out)
{
	utf8proc_uint8_t *decomposed = NULL;
	utf8proc_ssize_t len =
		utf8proc_map((const utf8proc_uint8_t *)name.p, (utf8proc_ssize_t)name.len,
			     &decomposed, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_IGNORE);
	struct buf replaced = {0};

	for (utf8proc_ssize_t at = 0; at < len;) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(decomposed + at, len - at, &c);

		if (n <= 0)
			break;
		struct span prototype = prototype_of(
			c, (struct span){.p = (const char *)decomposed + at, .len = (size_t)n});
		if (reading == NAME_CAPITAL_I_IS_I && span_equal(prototype, SPAN("l")) &&
		    utf8proc_category(c) == UTF8PROC_CATEGORY_LU)
			prototype = SPAN("i");
		buf_append_span(&replaced, prototype);
		at += n;
	}
	bool is_good = len >= 0 && name_fold(buf_span(&replaced), out);

	free(decomposed);
	buf_deinit(&replaced);
	return is_good;
}

bool name_skeleton(struct span name, enum name_reading reading, struct buf *out)
{
	struct buf next = {0};
	bool settled = false;

	if (!replace(name, reading, out))
		return false;
	for (int i = 0; i < MAX_ROUNDS && !settled; i++) {
		if (!replace(buf_span(out), reading, &next))
			break;
		settled = span_equal(buf_span(out), buf_span(&next));

		struct buf swap = *out;
		*out = next;
		next = swap;
	}
	buf_deinit(&next);
	return settled;
}
