#pragma once
/* Layer: base. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/**
 * A run of bytes that somebody else owns.  It may hold NULs and need not end in one.
 * An absent optional field has p == NULL; an empty string has p != NULL and len == 0.
 */
struct span {
	const char *p;
	size_t len;
};

#define SPAN(literal) ((struct span){.p = (literal), .len = sizeof(literal) - 1})

static inline struct span span_of(const char *s)
{
	return (struct span){.p = s, .len = s != NULL ? strlen(s) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
