#pragma once
/* Inflating whole messages (RFC 7692, 7.2.2) that were made without context takeover. */
#include "hubbub/buf.h"
#include "hubbub/span.h"
#include <stddef.h>

/**
 * Inflate @message into @out (emptied first), at most @max bytes of it.  Uses this thread's one
 * inflater, whose state is forgotten after each message.
 * Returns 0 or the close code: WS_CLOSE_BAD_DATA when it is broken, WS_CLOSE_TOO_BIG when it would
 * yield more than @max.
 */
int inflate_message(struct span message, size_t max, struct buf *out);
