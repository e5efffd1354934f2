/*
 * Inflating: one zlib stream per thread.  The handshake always agrees client_no_context_takeover,
 * so nothing is remembered between messages and no connection needs an inflater of its own.
 */
#include "ws/inflate.h"

#include "hubbub/mem.h"
#include "hubbub/ws.h"
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define FIRST_OUTPUT 1024

/** zlib's data_type has this bit while the stream stands between two blocks. */
#define BETWEEN_BLOCKS 128

/* The sender takes these bytes of the last, empty block away (RFC 7692, 7.2.1). */
static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

static pthread_key_t inflater_key;
static pthread_once_t inflater_once = PTHREAD_ONCE_INIT;

static void free_inflater(void *thread_value)
{
	z_stream *z = thread_value;

	inflateEnd(z);
	free(z);
}

static void make_key(void)
{
	int err = pthread_key_create(&inflater_key, free_inflater);

	assert(err == 0);
}

/** This thread's inflater, reset; NULL if memory is short. */
static z_stream *thread_inflater(void)
{
	pthread_once(&inflater_once, make_key);
	z_stream *z = pthread_getspecific(inflater_key);
	if (z != NULL) {
		inflateReset(z);
		return z;
	}
	z = mem_zalloc(sizeof(*z));
	if (inflateInit2(z, -MAX_WBITS) != Z_OK) {
		free(z);
		return NULL;
	}
	if (pthread_setspecific(inflater_key, z) != 0) {
		free_inflater(z);
		return NULL;
	}
	return z;
}

/** Inflate one run of input.  *@at_boundary: whether it ended between two blocks. */
static int inflate_run(z_stream *z, const uint8_t *bytes, size_t len, size_t max, struct buf *out,
		       bool *at_boundary)
{
	z->next_in = (Bytef *)bytes;
	z->avail_in = (uInt)len;
	for (;;) {
		/* One byte beyond the bound is enough to see that it is passed. */
		size_t room = out->cap - out->len;
		if (room == 0) {
			size_t more = out->cap < FIRST_OUTPUT ? FIRST_OUTPUT : out->cap;
			buf_reserve(out, more);
			room = out->cap - out->len;
		}
		if (room > max + 1 - out->len)
			room = max + 1 - out->len;
		z->next_out = (Bytef *)out->p + out->len;
		z->avail_out = (uInt)room;

		int rc = inflate(z, Z_SYNC_FLUSH);
		out->len += room - z->avail_out;
		if (out->len > max)
			return WS_CLOSE_TOO_BIG;
		if (rc == Z_STREAM_END) {
			/* A final block is allowed (RFC 7692, 7.2.3.4); another may follow. */
			*at_boundary = true;
			inflateReset(z);
			if (z->avail_in == 0)
				return 0;
			continue;
		}
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return WS_CLOSE_BAD_DATA;
		*at_boundary = (z->data_type & BETWEEN_BLOCKS) != 0;
		if (z->avail_in == 0 && z->avail_out > 0)
			return 0;
	}
}

int inflate_message(struct span message, size_t max, struct buf *out)
{
	z_stream *z = thread_inflater();

	out->len = 0;
	if (z == NULL)
		return WS_CLOSE_INTERNAL;
	if (message.len == 0)
		return 0;
	bool at_boundary = false;
	int code = inflate_run(z, (const uint8_t *)message.p, message.len, max, out, &at_boundary);
	if (code == 0)
		code = inflate_run(z, tail, sizeof(tail), max, out, &at_boundary);
	/* A message cut short leaves the stream inside a block. */
	if (code == 0 && !at_boundary)
		code = WS_CLOSE_BAD_DATA;
	return code;
}
