/*
 * What a name looks like, whatever letters it is written in.
 *
 * As UTS #39, 4, has it: decompose, and replace each character by what it is taken for.  Capitals
 * are replaced before case is folded, since a capital I is taken for a small l, and a folded one is
 * not.
 */
#include "hubbub/names.h"

#include "protocol/confusables.h"
#include <stdlib.h>
#include <utf8proc.h>

static int compare(const void *key, const void *element)
{
	uint32_t c = *(const uint32_t *)key, from = ((const struct confusable *)element)->from;

	return (c > from) - (c < from);
}

static void append_prototype(struct buf *out, utf8proc_int32_t c, struct span as_it_is)
{
	uint32_t key = (uint32_t)c;
	const struct confusable *to =
		bsearch(&key, confusables, n_confusables, sizeof(confusables[0]), compare);

	if (to != NULL)
		buf_append(out, confusables_text + to->at, to->len);
	else
		buf_append_span(out, as_it_is);
}

bool name_skeleton(struct span name, struct buf *out)
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
		append_prototype(
			&replaced, c,
			(struct span){.p = (const char *)decomposed + at, .len = (size_t)n});
		at += n;
	}
	bool is_good = len >= 0 && name_fold(buf_span(&replaced), out);

	free(decomposed);
	buf_deinit(&replaced);
	return is_good;
}
