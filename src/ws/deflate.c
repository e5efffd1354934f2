/*
 * Deflating: one zlib stream and one output buffer per thread, reset for each message.  Frames
 * are shared by connections that began at different times, so none may refer to an earlier one.
 */
#include "ws/deflate.h"

#include "hubbub/buf.h"
#include "hubbub/mem.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#define LEVEL 6
/** A hash table of 32 kB, cleared for each message, finds as much in a chat message as 64 kB do. */
#define MEM_LEVEL 6
/** The empty stored block that a sync flush ends in: 00 00 ff ff. */
#define TAIL_LEN 4
/** An output buffer larger than this is given back. */
#define MAX_KEPT_BUFFER (64u * 1024)

struct deflater {
	z_stream z;
	struct buf out;
};

static pthread_key_t deflater_key;
static pthread_once_t deflater_once = PTHREAD_ONCE_INIT;

static void free_deflater(void *thread_value)
{
	struct deflater *d = thread_value;

	deflateEnd(&d->z);
	buf_deinit(&d->out);
	free(d);
}

static void make_key(void)
{
	int err = pthread_key_create(&deflater_key, free_deflater);

	assert(err == 0);
}

/** This thread's deflater, reset; NULL if memory is short. */
static struct deflater *thread_deflater(void)
{
	pthread_once(&deflater_once, make_key);
	struct deflater *d = pthread_getspecific(deflater_key);
	if (d != NULL) {
		deflateReset(&d->z);
		return d;
	}
	d = mem_zalloc(sizeof(*d));
	if (deflateInit2(&d->z, LEVEL, Z_DEFLATED, -MAX_WBITS, MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
	    Z_OK) {
		free(d);
		return NULL;
	}
	if (pthread_setspecific(deflater_key, d) != 0) {
		free_deflater(d);
		return NULL;
	}
	return d;
}

const uint8_t *deflate_message(struct span message, size_t max, size_t *len)
{
	struct deflater *d = thread_deflater();

	if (d == NULL)
		return NULL;
	if (d->out.cap > MAX_KEPT_BUFFER)
		buf_deinit(&d->out);
	d->out.len = 0;
	buf_reserve(&d->out, max + TAIL_LEN);
	d->z.next_in = (Bytef *)message.p;
	d->z.avail_in = (uInt)message.len;
	d->z.next_out = (Bytef *)d->out.p;
	d->z.avail_out = (uInt)(max + TAIL_LEN);
	/* A flush that filled the output to the brim may not be complete. */
	if (deflate(&d->z, Z_SYNC_FLUSH) != Z_OK || d->z.avail_in > 0 || d->z.avail_out == 0)
		return NULL;
	*len = max + TAIL_LEN - d->z.avail_out - TAIL_LEN;
	return (const uint8_t *)d->out.p;
}
