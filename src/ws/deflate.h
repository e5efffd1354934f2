#pragma once
/* Deflating whole messages (RFC 7692, 7.2.1) without context takeover. */
#include "hubbub/span.h"
#include <stddef.h>
#include <stdint.h>

/**
 * Deflate @message to at most @max bytes, the tail of the last, empty block taken off.
 * Returns this thread's buffer, valid until its next call, and its length in *@len; NULL when it
 * would take more, or memory is short.
 */
const uint8_t *deflate_message(struct span message, size_t max, size_t *len);
