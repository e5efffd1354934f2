#pragma once
/* Layer: base. */
#include <stddef.h>

/**
 * Memory that is there or the process ends: a chat server that cannot get a few bytes cannot say
 * so to anyone either.  What a peer's input makes large is bounded before it is asked for here.
 * Any thread.  Free with free().
 */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *old, size_t size);
/** @align: a power of two, at least a pointer's size.  Any @size; the content is not zeroed. */
void *mem_alloc_aligned(size_t align, size_t size);
/** Copy @len bytes and add a NUL behind them. */
char *mem_dup(const void *bytes, size_t len);
char *mem_strdup(const char *s);
