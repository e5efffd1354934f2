#pragma once
/* Layer: ws. */
#include "hubbub/chunk.h"
#include "hubbub/span.h"
#include <stdbool.h>

/**
 * One server message encoded as a WebSocket text frame, shared by every socket it is sent to.
 *
 * A server's frame is not masked (RFC 6455, 5.1), so all members of a room are sent the same
 * bytes: it is encoded once and never changes after.  A compressed variant (RFC 7692, no context
 * takeover) may be made once as well.  Any thread may use it while it holds a reference; the
 * count is atomic.
 */
struct frame;

/** Encode @payload, valid UTF-8, as one unfragmented text frame; copied.  One reference returned.
 */
struct frame *frame_new_text(struct span payload);
struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f); /* NULL is allowed */
/** The JSON text inside, without the frame's header. */
struct span frame_payload(const struct frame *f);
/**
 * Make the compressed variant if that gains (payload of at least 256 bytes and a tenth saved).
 * Called by the maker before sharing, never after.
 */
void frame_compress(struct frame *f);
/** The bytes for the wire, a new reference: the compressed ones where wanted and there. */
struct chunk *frame_wire(const struct frame *f, bool deflate);
