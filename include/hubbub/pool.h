#pragma once
/* Layer: base. */
#include <stddef.h>

struct pool_page;

/**
 * Objects of one size, side by side in pages of 64 KiB: no header per object, and neighbours in
 * time are neighbours in memory.  A page goes back to the allocator when its last object does,
 * except one that is kept.
 *
 * Used by one thread at a time.  Under AddressSanitizer what is free is poisoned.
 */
struct pool {
	size_t size; /* of one object, rounded up */
	unsigned per_page;
	struct pool_page *open; /* pages with free objects, the one to take from first */
	struct pool_page *spare;
	size_t n; /* objects in use */
};

/** @size: of one object; at least a hundred should fit into a page. */
void pool_init(struct pool *p, size_t size);
/** All objects have been freed. */
void pool_deinit(struct pool *p);
/** An object, all zero.  Free with pool_free(). */
void *pool_zalloc(struct pool *p);
void pool_free(struct pool *p, void *object); /* NULL is allowed */
