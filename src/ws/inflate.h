#pragma once
/* Inflating messages (RFC 7692, 7.2.2) that were made without context takeover. */
#include "hubbub/buf.h"
#include "hubbub/span.h"
#include <stddef.h>

/**
 * Inflate @message into @out (emptied first), at most @max bytes of it.
 * Returns 0 or the close code: WS_CLOSE_BAD_DATA when it is broken, WS_CLOSE_TOO_BIG when it would
 * yield more than @max, WS_CLOSE_INTERNAL when memory is short.
 */
int inflate_message(struct span message, size_t max, struct buf *out);

/** One message that is inflated as it comes; used and given back on one thread. */
struct inflater;

/**
 * An inflater for a new message.  It takes 40 kB, so a thread has a bounded number of them at a
 * time: NULL beyond it, or if memory is short.
 */
struct inflater *inflater_acquire(void);
void inflater_release(struct inflater *in); /* NULL is allowed */
/** Append what @bytes yield to @out, which holds all of this message.  0 or the close code. */
int inflater_feed(struct inflater *in, struct span bytes, size_t max, struct buf *out);
/** The same for the message's last bytes, of which there may be none. */
int inflater_finish(struct inflater *in, struct span bytes, size_t max, struct buf *out);
