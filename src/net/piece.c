/* A chunk's stretch with a count of its own, for the streams of one worker. */
#include "hubbub/mem.h"
#include "net/internal.h"
#include <assert.h>
#include <stdlib.h>

struct piece *piece_new(struct chunk *c, size_t offset, size_t len)
{
	struct piece *p = mem_alloc(sizeof(*p));

	assert(offset <= chunk_len(c) && len <= chunk_len(c) - offset);
	*p = (struct piece){
		.bytes = chunk_bytes(c) + offset,
		.len = len,
		.n_refs = 1,
		.chunk = c,
	};
	return p;
}

void piece_unref(struct piece *p)
{
	if (p == NULL || --p->n_refs > 0)
		return;
	chunk_unref(p->chunk);
	free(p);
}

size_t piece_len(const struct piece *p)
{
	return p->len;
}
