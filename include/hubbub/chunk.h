#pragma once
/* Layer: base. */
#include <stddef.h>
#include <stdint.h>

/**
 * An immutable, counted run of bytes: what output queues hold.
 *
 * It is filled between chunk_new() and its first sharing, and never changes after.  Any thread
 * may read it while it holds a reference.
 */
struct chunk;

/** A chunk of @len bytes to be filled through chunk_fill(); the caller owns the one reference. */
struct chunk *chunk_new(size_t len);
struct chunk *chunk_new_copy(const void *bytes, size_t len);
/** A chunk over memory that lives as long as the process (embedded assets); nothing is copied. */
struct chunk *chunk_new_static(const void *bytes, size_t len);
uint8_t *chunk_fill(struct chunk *c); /* only while the caller's is the one reference */
const uint8_t *chunk_bytes(const struct chunk *c);
size_t chunk_len(const struct chunk *c);
struct chunk *chunk_ref(struct chunk *c);
struct chunk *chunk_ref_n(struct chunk *c, unsigned n); /* one atomic addition for n references */
void chunk_unref(struct chunk *c);                      /* NULL is allowed */
void chunk_unref_n(struct chunk *c, unsigned n);
