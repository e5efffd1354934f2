/*
 * Memory that is there or the process ends.
 *
 * The line goes out by write(2) alone: whatever else could print it may want memory first.
 */
#include "hubbub/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(void)
{
	static const char line[] = "hubbub: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)ignored;
	abort();
}

/* malloc(0) may return NULL without having failed. */
static size_t at_least_one(size_t size)
{
	return size != 0 ? size : 1;
}

void *mem_alloc(size_t size)
{
	void *p = malloc(at_least_one(size));

	if (p == NULL)
		die();
	return p;
}

void *mem_zalloc(size_t size)
{
	void *p = calloc(1, at_least_one(size));

	if (p == NULL)
		die();
	return p;
}

void *mem_realloc(void *old, size_t size)
{
	void *p = realloc(old, at_least_one(size));

	if (p == NULL)
		die();
	return p;
}

void *mem_alloc_aligned(size_t align, size_t size)
{
	void *p;

	if (posix_memalign(&p, align, at_least_one(size)) != 0)
		die();
	return p;
}

char *mem_dup(const void *bytes, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len != 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s));
}
