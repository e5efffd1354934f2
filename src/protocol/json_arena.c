/*
 * Memory for the tree of one request, which is gone when the request is decoded.
 *
 * A message of five fields is some twenty-five allocations of jansson's.  They are of one thread
 * and one moment, so here they are cut from a block that the thread keeps, and to free one is to do
 * nothing.  A request that wants more than the block gets the rest from malloc().
 *
 * Under AddressSanitizer all of it comes from malloc(), so that it sees each by itself.
 */
#include "json_arena.h"

#include <jansson.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif
#ifndef HAS_ASAN
#define HAS_ASAN 0
#endif

#define ARENA_BYTES (16 * 1024)

struct arena {
	bool is_open;
	size_t used;
	alignas(max_align_t) char bytes[ARENA_BYTES];
};

static _Thread_local struct arena arena;

static void *arena_alloc(size_t size)
{
	size_t whole =
		(size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);

	if (!arena.is_open || size > ARENA_BYTES || whole > ARENA_BYTES - arena.used)
		return malloc(size);
	void *p = arena.bytes + arena.used;

	arena.used += whole;
	return p;
}

static void arena_free(void *p)
{
	const char *at = p;

	if (at < arena.bytes || at >= arena.bytes + ARENA_BYTES)
		free(p);
}

/* Before there are threads: some that never decode a request read JSON, too. */
__attribute__((constructor)) static void install(void)
{
	json_set_alloc_funcs(arena_alloc, arena_free);
}

void json_arena_begin(void)
{
	arena.is_open = !HAS_ASAN;
}

void json_arena_end(void)
{
	arena.is_open = false;
	arena.used = 0;
}
