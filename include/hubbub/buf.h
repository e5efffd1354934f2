#pragma once
/* Layer: base. */
#include "hubbub/span.h"
#include <stdint.h>

/** A growing byte buffer.  All zero is an empty one.  Used by one thread at a time. */
struct buf {
	char *p;
	size_t len;
	size_t cap;
};

void buf_deinit(struct buf *b);               /* frees, leaves it empty */
void buf_reserve(struct buf *b, size_t more); /* room for @more bytes beyond len */
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_append_span(struct buf *b, struct span s);
void buf_append_str(struct buf *b, const char *s);
void buf_append_char(struct buf *b, char c);
void buf_append_u64(struct buf *b, uint64_t n); /* decimal */
void buf_append_i64(struct buf *b, int64_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** @s as a JSON string with its quotes (RFC 8259, 7).  @s is valid UTF-8; NUL becomes \u0000. */
void buf_append_json(struct buf *b, struct span s);
/** Take the bytes out (NUL-terminated, len in *@len unless NULL); the buffer is empty after it. */
char *buf_take(struct buf *b, size_t *len);
static inline struct span buf_span(const struct buf *b)
{
	return (struct span){.p = b->p != NULL ? b->p : "", .len = b->len};
}
