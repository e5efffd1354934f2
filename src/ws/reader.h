#pragma once
/*
 * A reader takes one data message out of its frames: wslay takes the masks off, joins the
 * fragments and checks the UTF-8; what is compressed is inflated as it comes, so that a message
 * that is too long, damaged or no UTF-8 is known as soon as it can be.
 *
 * wslay's context takes 8.8 kB and only a connection with part of a message in hand needs one, so
 * readers come from a small pool of each thread and go back at the end of every message.
 */
#include "hubbub/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

/**
 * A reader for one message, a text unless @is_binary, of at most @max_message bytes, inflated; used
 * and given back on this thread.  Returns NULL if memory is short.
 */
struct reader *reader_acquire(bool is_compressed, bool is_binary, size_t max_message);
/** Give it back; what it held is gone.  NULL is allowed. */
void reader_release(struct reader *r);

/**
 * Feed a run of frames that the guard has passed; @is_end: the message's last.  Returns 0 or the
 * close code (WS_CLOSE_BAD_DATA, WS_CLOSE_TOO_BIG).
 */
int reader_feed(struct reader *r, const uint8_t *bytes, size_t len, bool is_end);

/**
 * The message is whole: inflate what is left of it.  @message is valid until the reader is
 * released.  Returns 0 or the close code (WS_CLOSE_BAD_DATA, WS_CLOSE_TOO_BIG).
 */
int reader_finish(struct reader *r, struct span *message);
