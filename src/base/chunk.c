/*
 * Counted bytes: one allocation of count, length and content, so that a message sent to a thousand
 * connections is a thousand pointers to one chunk.
 */
#include "hubbub/chunk.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
	atomic_uint refs;
	size_t len;
	const uint8_t *bytes; /* own, or memory that lives as long as the process */
	uint8_t own[];
};

struct chunk *chunk_new(size_t len)
{
	struct chunk *c = mem_alloc(sizeof(*c) + len);

	atomic_init(&c->refs, 1);
	c->len = len;
	c->bytes = c->own;
	return c;
}

struct chunk *chunk_new_copy(const void *bytes, size_t len)
{
	struct chunk *c = chunk_new(len);

	if (len != 0)
		memcpy(c->own, bytes, len);
	return c;
}

struct chunk *chunk_new_static(const void *bytes, size_t len)
{
	struct chunk *c = chunk_new(0);

	c->bytes = bytes;
	c->len = len;
	return c;
}

uint8_t *chunk_fill(struct chunk *c)
{
	assert(c->bytes == c->own);
	assert(atomic_load_explicit(&c->refs, memory_order_relaxed) == 1);
	return c->own;
}

const uint8_t *chunk_bytes(const struct chunk *c)
{
	return c->bytes;
}

size_t chunk_len(const struct chunk *c)
{
	return c->len;
}

struct chunk *chunk_ref(struct chunk *c)
{
	return chunk_ref_n(c, 1);
}

struct chunk *chunk_ref_n(struct chunk *c, unsigned n)
{
	/* Whoever adds a reference holds one, so nothing needs to be ordered here. */
	unsigned before = atomic_fetch_add_explicit(&c->refs, n, memory_order_relaxed);

	assert(before != 0 && before + n >= before);
	(void)before;
	return c;
}

void chunk_unref(struct chunk *c)
{
	chunk_unref_n(c, 1);
}

void chunk_unref_n(struct chunk *c, unsigned n)
{
	unsigned before;

	if (c == NULL || n == 0)
		return;
	/* What any thread did with the bytes happens before the last one frees them. */
	before = atomic_fetch_sub_explicit(&c->refs, n, memory_order_acq_rel);
	assert(before >= n);
	if (before == n)
		free(c);
}
