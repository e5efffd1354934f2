/* The growing byte buffer: doubles, so that appending n bytes costs n on the whole. */
#include "hubbub/buf.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MIN_CAP 64

void buf_deinit(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

void buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more;
	size_t cap = b->cap < MIN_CAP ? MIN_CAP : b->cap;

	assert(need >= more && need <= SIZE_MAX / 2);
	if (need <= b->cap)
		return;
	while (cap < need)
		cap *= 2;
	b->p = mem_realloc(b->p, cap);
	b->cap = cap;
}

void buf_append(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(b, len);
	memcpy(b->p + b->len, bytes, len);
	b->len += len;
}

void buf_append_span(struct buf *b, struct span s)
{
	buf_append(b, s.p, s.len);
}

void buf_append_str(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_append_char(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->p[b->len++] = c;
}

void buf_append_u64(struct buf *b, uint64_t n)
{
	char digits[20]; /* 2^64 - 1 has twenty */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	buf_append(b, digits + at, sizeof(digits) - at);
}

void buf_append_i64(struct buf *b, int64_t n)
{
	if (n < 0)
		buf_append_char(b, '-');
	/* Negated as unsigned: INT64_MIN has no positive counterpart. */
	buf_append_u64(b, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(len >= 0);

	/* vsnprintf() wants room for a NUL, which is not counted in. */
	buf_reserve(b, (size_t)len + 1);
	va_start(args, fmt);
	vsnprintf(b->p + b->len, (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
}

char *buf_take(struct buf *b, size_t *len)
{
	char *p;

	buf_append_char(b, '\0');
	p = b->p;
	if (len != NULL)
		*len = b->len - 1;
	*b = (struct buf){0};
	return p;
}
