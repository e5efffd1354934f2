/* Frames of the server: runs of text messages encoded once, and perhaps once more compressed. */
#include "hubbub/frame.h"

#include "hubbub/mem.h"
#include "ws/deflate.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MAX_HEADER 10
/** What a payload of 126 to 65,535 bytes has: room for it is left before its length is known. */
#define USUAL_HEADER 4
#define FIN_TEXT 0x81
#define RSV1 0x40

/** Shorter payloads gain nothing that is worth a peer's inflating. */
#define MIN_COMPRESSED 256

/** One message of a run: where it ends in each variant, its payload in the plain one. */
struct frame_part {
	size_t payload; /* where it begins */
	size_t end;
	size_t compressed_end;
};

struct frame {
	atomic_uint n_refs;
	unsigned n;
	struct chunk *plain;
	struct chunk *compressed; /* NULL unless some message gains */
	struct frame_part parts[];
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

struct buf *frame_maker_begin(struct frame_maker *m)
{
	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 8 : m->cap * 2;
		m->parts = mem_realloc(m->parts, m->cap * sizeof(m->parts[0]));
	}
	m->parts[m->n].payload = m->bytes.len + USUAL_HEADER;
	buf_reserve(&m->bytes, USUAL_HEADER);
	m->bytes.len += USUAL_HEADER;
	return &m->bytes;
}

void frame_maker_end(struct frame_maker *m)
{
	struct frame_part *part = &m->parts[m->n++];
	uint8_t header[MAX_HEADER];
	size_t start = part->payload - USUAL_HEADER;
	size_t len = m->bytes.len - part->payload;
	size_t n = write_header(header, FIN_TEXT, len);

	if (n != USUAL_HEADER) {
		buf_reserve(&m->bytes, MAX_HEADER);
		memmove(m->bytes.p + start + n, m->bytes.p + part->payload, len);
		m->bytes.len = start + n + len;
		part->payload = start + n;
	}
	memcpy(m->bytes.p + start, header, n);
	part->end = m->bytes.len;
}

/** Append message @i compressed, or plain where that gains nothing; whether it gained. */
static bool append_compressed(const struct frame *f, unsigned i, struct buf *out)
{
	struct span payload = frame_payload(f, i);
	struct frame_wire plain = frame_wire(f, false, i);
	uint8_t header[MAX_HEADER];
	const uint8_t *bytes = NULL;
	size_t len;

	/* The bound is what makes it gain: deflate stops as soon as it is passed. */
	if (payload.len >= MIN_COMPRESSED)
		bytes = deflate_message(payload, payload.len - payload.len / 10, &len);
	if (bytes == NULL) {
		buf_append(out, chunk_bytes(plain.chunk) + plain.offset,
			   f->parts[i].end - plain.offset);
		return false;
	}
	buf_append(out, header, write_header(header, FIN_TEXT | RSV1, len));
	buf_append(out, bytes, len);
	return true;
}

static void compress(struct frame *f)
{
	struct buf out = {0};
	bool gains = false;

	for (unsigned i = 0; i < f->n; i++) {
		gains |= append_compressed(f, i, &out);
		f->parts[i].compressed_end = out.len;
	}
	if (gains)
		f->compressed = chunk_new_copy(out.p, out.len);
	buf_deinit(&out);
}

struct frame *frame_maker_finish(struct frame_maker *m, bool want_compressed)
{
	struct frame *f = mem_alloc(sizeof(*f) + m->n * sizeof(f->parts[0]));

	assert(m->n > 0);
	atomic_init(&f->n_refs, 1);
	f->n = m->n;
	f->plain = chunk_new_copy(m->bytes.p, m->bytes.len);
	f->compressed = NULL;
	memcpy(f->parts, m->parts, m->n * sizeof(f->parts[0]));
	m->n = 0;
	m->bytes.len = 0;
	if (want_compressed)
		compress(f);
	return f;
}

void frame_maker_deinit(struct frame_maker *m)
{
	buf_deinit(&m->bytes);
	free(m->parts);
	*m = (struct frame_maker){0};
}

struct chunk *frame_encode_text(struct span payload)
{
	uint8_t header[MAX_HEADER];
	size_t n = write_header(header, FIN_TEXT, payload.len);
	struct chunk *c = chunk_new(n + payload.len);

	memcpy(chunk_fill(c), header, n);
	if (payload.len > 0)
		memcpy(chunk_fill(c) + n, payload.p, payload.len);
	return c;
}

static struct frame *new_single(struct span payload, bool want_compressed)
{
	struct frame *f = mem_alloc(sizeof(*f) + sizeof(f->parts[0]));

	atomic_init(&f->n_refs, 1);
	f->n = 1;
	f->plain = frame_encode_text(payload);
	f->compressed = NULL;
	f->parts[0] = (struct frame_part){
		.payload = chunk_len(f->plain) - payload.len,
		.end = chunk_len(f->plain),
	};
	if (want_compressed)
		compress(f);
	return f;
}

struct frame *frame_new_text(struct span payload)
{
	return new_single(payload, false);
}

struct frame *frame_new_text_compressed(struct span payload)
{
	return new_single(payload, true);
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

unsigned frame_n_messages(const struct frame *f)
{
	return f->n;
}

struct span frame_payload(const struct frame *f, unsigned i)
{
	const struct frame_part *part = &f->parts[i];

	assert(i < f->n);
	return (struct span){
		.p = (const char *)chunk_bytes(f->plain) + part->payload,
		.len = part->end - part->payload,
	};
}

struct frame_wire frame_wire(const struct frame *f, bool deflate, unsigned from)
{
	bool compressed = deflate && f->compressed != NULL;
	struct chunk *c = compressed ? f->compressed : f->plain;
	size_t offset = 0;

	assert(from < f->n);
	if (from > 0)
		offset = compressed ? f->parts[from - 1].compressed_end : f->parts[from - 1].end;
	return (struct frame_wire){.chunk = c, .offset = offset, .len = chunk_len(c) - offset};
}
