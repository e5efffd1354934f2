/* Frames of the server: one text message encoded once, and perhaps once more compressed. */
#include "hubbub/frame.h"

#include "hubbub/mem.h"
#include "ws/deflate.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define MAX_HEADER 10
#define FIN_TEXT 0x81
#define RSV1 0x40

/** Shorter payloads gain nothing that is worth a peer's inflating. */
#define MIN_COMPRESSED 256

struct frame {
	atomic_uint n_refs;
	uint8_t n_header;         /* of plain */
	struct chunk *plain;      /* constant after frame_new_text() */
	struct chunk *compressed; /* NULL unless it gains; constant after frame_compress() */
};

/** Write the header of an unmasked text frame (RFC 6455, 5.2); returns its length. */
static size_t write_header(uint8_t *to, uint8_t first, size_t len)
{
	size_t n_extended = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

	to[0] = first;
	to[1] = n_extended == 0 ? (uint8_t)len : n_extended == 2 ? 126 : 127;
	for (size_t i = 0; i < n_extended; i++)
		to[2 + i] = (uint8_t)((uint64_t)len >> 8 * (n_extended - 1 - i));
	return 2 + n_extended;
}

static struct chunk *encode(uint8_t first, const void *payload, size_t len, size_t *n_header)
{
	uint8_t header[MAX_HEADER];
	size_t n = write_header(header, first, len);
	struct chunk *c = chunk_new(n + len);
	uint8_t *to = chunk_fill(c);

	memcpy(to, header, n);
	if (len > 0)
		memcpy(to + n, payload, len);
	*n_header = n;
	return c;
}

struct frame *frame_new_text(struct span payload)
{
	struct frame *f = mem_zalloc(sizeof(*f));
	size_t n_header;

	atomic_init(&f->n_refs, 1);
	f->plain = encode(FIN_TEXT, payload.p, payload.len, &n_header);
	f->n_header = (uint8_t)n_header;
	return f;
}

struct frame *frame_ref(struct frame *f)
{
	/* The caller holds a reference, so the order against other memory does not matter. */
	atomic_fetch_add_explicit(&f->n_refs, 1, memory_order_relaxed);
	return f;
}

void frame_unref(struct frame *f)
{
	/* What other threads did before their last use must be done before the freeing. */
	if (f == NULL || atomic_fetch_sub_explicit(&f->n_refs, 1, memory_order_acq_rel) > 1)
		return;
	chunk_unref(f->plain);
	chunk_unref(f->compressed);
	free(f);
}

struct span frame_payload(const struct frame *f)
{
	return (struct span){
		.p = (const char *)chunk_bytes(f->plain) + f->n_header,
		.len = chunk_len(f->plain) - f->n_header,
	};
}

void frame_compress(struct frame *f)
{
	struct span payload = frame_payload(f);
	size_t n_header;
	size_t len;

	assert(atomic_load_explicit(&f->n_refs, memory_order_relaxed) == 1);
	if (payload.len < MIN_COMPRESSED || f->compressed != NULL)
		return;
	/* The bound is what makes it gain: deflate stops as soon as it is passed. */
	const uint8_t *bytes = deflate_message(payload, payload.len - payload.len / 10, &len);
	if (bytes != NULL)
		f->compressed = encode(FIN_TEXT | RSV1, bytes, len, &n_header);
}

struct chunk *frame_wire(const struct frame *f, bool deflate)
{
	return chunk_ref(deflate && f->compressed != NULL ? f->compressed : f->plain);
}
