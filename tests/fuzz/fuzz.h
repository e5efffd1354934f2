#pragma once
/*
 * What the fuzz targets share.  Each target is one file with LLVMFuzzerTestOneInput(): libFuzzer
 * calls it with inputs of its own making, replay.c with those of the corpus.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What must hold for every input; not assert(), so that it holds in every build. */
#define MUST(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/** How an input is cut into the pieces in which it comes: its first bytes say. */
struct cuts {
	const uint8_t *sizes;
	size_t n, at;
};

/** Take the cuts off the front of the input. */
static inline struct cuts cuts_take(const uint8_t **data, size_t *size)
{
	struct cuts c = {0};

	if (*size == 0)
		return c;
	c.n = **data % 16;
	if (c.n > *size - 1)
		c.n = *size - 1;
	c.sizes = *data + 1;
	*data += 1 + c.n;
	*size -= 1 + c.n;
	return c;
}

/** How many of @left bytes come next, at least one; without cuts all. */
static inline size_t cuts_next(struct cuts *c, size_t left)
{
	size_t n = c->n == 0 ? left : (size_t)c->sizes[c->at++ % c->n] + 1;

	return n < left ? n : left;
}
