/*
 * Dense objects of one size.
 *
 * A page is aligned to its size, so an object's page is found by clearing the low bits of its
 * address.  A page keeps its own list of free objects, threaded through them; objects that were
 * never used are not on it but behind `fresh`, so a new page is not touched before it is needed.
 */
#include "hubbub/pool.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#endif

#ifdef POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
#endif

#define PAGE_ALIGN ((size_t)64 * 1024)
/* malloc's own header of the next page then ends where that page begins: no gap between them. */
#define PAGE_BYTES (PAGE_ALIGN - 2 * sizeof(size_t))

struct free_object {
	struct free_object *next;
};

struct pool_page {
	struct pool_page *prev, *next; /* in pool->open */
	struct free_object *free;
	unsigned n_used, n_fresh; /* fresh: never used, the last ones of the page */
	_Alignas(64) char objects[];
};

void pool_init(struct pool *p, size_t size)
{
	*p = (struct pool){0};
	/* sizeof is a multiple of the alignment, so objects one after the other are aligned. */
	p->size = (size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
	p->per_page = (unsigned)((PAGE_BYTES - sizeof(struct pool_page)) / p->size);
	assert(size > 0 && p->per_page > 0);
}

static void free_page(struct pool *p, struct pool_page *page)
{
	if (page == NULL)
		return;
	ASAN_UNPOISON_MEMORY_REGION(page->objects, p->per_page * p->size);
	free(page);
}

void pool_deinit(struct pool *p)
{
	assert(p->n == 0 && p->open == NULL);
	free_page(p, p->spare);
	*p = (struct pool){0};
}

static struct pool_page *new_page(struct pool *p)
{
	struct pool_page *page = mem_alloc_aligned(PAGE_ALIGN, PAGE_BYTES);

	*page = (struct pool_page){.n_fresh = p->per_page};
	ASAN_POISON_MEMORY_REGION(page->objects, p->per_page * p->size);
	return page;
}

static void open_page(struct pool *p)
{
	struct pool_page *page = p->spare != NULL ? p->spare : new_page(p);

	p->spare = NULL;
	DL_PREPEND(p->open, page);
}

void *pool_zalloc(struct pool *p)
{
	if (p->open == NULL)
		open_page(p);
	struct pool_page *page = p->open;
	void *object = page->free;

	if (object == NULL)
		object = page->objects + (p->per_page - page->n_fresh--) * p->size;
	ASAN_UNPOISON_MEMORY_REGION(object, p->size);
	if (object == page->free)
		page->free = page->free->next;
	if (++page->n_used == p->per_page)
		DL_DELETE(p->open, page);
	p->n++;
	return memset(object, 0, p->size);
}

void pool_free(struct pool *p, void *object)
{
	if (object == NULL)
		return;
	struct pool_page *page = (struct pool_page *)((uintptr_t)object & ~(PAGE_ALIGN - 1));
	struct free_object *f = object;

	assert(((size_t)((char *)object - page->objects)) % p->size == 0 && page->n_used > 0);
	f->next = page->free;
	page->free = f;
	ASAN_POISON_MEMORY_REGION(object, p->size);
	if (page->n_used-- == p->per_page)
		DL_PREPEND(p->open, page);
	p->n--;
	if (page->n_used > 0)
		return;
	/* One is kept, so that one object coming and going does not cost a page each time. */
	DL_DELETE(p->open, page);
	free_page(p, p->spare);
	p->spare = page;
}
