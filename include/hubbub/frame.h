#pragma once
/* Layer: ws. */
#include "hubbub/buf.h"
#include "hubbub/chunk.h"
#include "hubbub/span.h"
#include <stdbool.h>
#include <stdint.h>

/**
 * Server messages encoded as WebSocket text frames, one after another, shared by every socket that
 * they are sent to: one message, or the run of messages that a batch brought to a room.
 *
 * A server's frame is not masked (RFC 6455, 5.1), so all members of a room are sent the same
 * bytes: they are encoded once and never change after.  A compressed variant (RFC 7692, no context
 * takeover) may be made once as well.  Any thread may use it while it holds a reference; the
 * count is atomic.
 */
struct frame;

/** Encode @payload, valid UTF-8, as one unfragmented text frame; copied.  One reference returned.
 */
struct frame *frame_new_text(struct span payload);
/** The same, with the compressed variant made if that gains. */
struct frame *frame_new_text_compressed(struct span payload);
/** The bytes that frame_new_text() would send, for one socket alone. */
struct chunk *frame_encode_text(struct span payload);
struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f); /* NULL is allowed */
unsigned frame_n_messages(const struct frame *f);
/** The JSON text of message @i, without the frame's header. */
struct span frame_payload(const struct frame *f, unsigned i);

/** A stretch of a chunk. */
struct frame_wire {
	struct chunk *chunk; /* borrowed from the frame */
	size_t offset, len;
};
/** The bytes for the wire from message @from on: the compressed ones where wanted and there. */
struct frame_wire frame_wire(const struct frame *f, bool deflate, unsigned from);

/** A run under way: append messages, then make the frame.  All zero is an empty one. */
struct frame_maker {
	struct buf bytes;
	struct frame_part *parts;
	unsigned n, cap;
};
/** Begin a message: append its payload to the buffer returned, then call frame_maker_end(). */
struct buf *frame_maker_begin(struct frame_maker *m);
void frame_maker_end(struct frame_maker *m);
/**
 * The run as a frame, one reference; @m is empty after it and may be used again.  @compress asks
 * for the compressed variant: messages of at least 256 bytes of which a tenth is saved, the others
 * plain.
 */
struct frame *frame_maker_finish(struct frame_maker *m, bool compress);
void frame_maker_deinit(struct frame_maker *m);
