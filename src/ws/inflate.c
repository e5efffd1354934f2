/*
 * Inflating.  The handshake always agrees client_no_context_takeover, so nothing is remembered
 * between messages: a connection needs an inflater only while part of a message is in hand.  Each
 * thread keeps a few for the next messages.
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

/** Messages of a thread that may be inflated as they come; 5 MB at most. */
#define MAX_IN_USE 128
/** Inflaters that a thread keeps. */
#define MAX_POOLED 2

/** zlib's data_type has this bit while the stream stands between two blocks. */
#define BETWEEN_BLOCKS 128

/* The sender takes these bytes of the last, empty block away (RFC 7692, 7.2.1). */
static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

struct inflater {
	z_stream z;
	bool has_input;   /* some bytes of the message came */
	bool at_boundary; /* they ended between two blocks */
	struct inflater *next;
};

struct pool {
	struct inflater *free_list;
	unsigned n_free;
	unsigned n_in_use;
};

static pthread_key_t pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

static void inflater_free(struct inflater *in)
{
	inflateEnd(&in->z);
	free(in);
}

static void free_pool(void *thread_value)
{
	struct pool *pool = thread_value;

	while (pool->free_list != NULL) {
		struct inflater *in = pool->free_list;
		pool->free_list = in->next;
		inflater_free(in);
	}
	free(pool);
}

static void make_key(void)
{
	int err = pthread_key_create(&pool_key, free_pool);

	assert(err == 0);
}

/** This thread's pool; NULL if it cannot be kept. */
static struct pool *thread_pool(void)
{
	pthread_once(&pool_once, make_key);
	struct pool *pool = pthread_getspecific(pool_key);
	if (pool != NULL)
		return pool;
	pool = mem_zalloc(sizeof(*pool));
	if (pthread_setspecific(pool_key, pool) != 0) {
		free(pool);
		return NULL;
	}
	return pool;
}

static struct inflater *take(struct pool *pool)
{
	struct inflater *in = pool->free_list;

	if (in != NULL) {
		pool->free_list = in->next;
		pool->n_free--;
		inflateReset(&in->z);
	} else {
		in = mem_zalloc(sizeof(*in));
		if (inflateInit2(&in->z, -MAX_WBITS) != Z_OK) {
			free(in);
			return NULL;
		}
	}
	pool->n_in_use++;
	in->has_input = in->at_boundary = false;
	return in;
}

struct inflater *inflater_acquire(void)
{
	struct pool *pool = thread_pool();

	return pool != NULL && pool->n_in_use < MAX_IN_USE ? take(pool) : NULL;
}

void inflater_release(struct inflater *in)
{
	if (in == NULL)
		return;
	struct pool *pool = thread_pool();
	if (pool == NULL) {
		inflater_free(in);
		return;
	}
	pool->n_in_use--;
	if (pool->n_free >= MAX_POOLED) {
		inflater_free(in);
		return;
	}
	in->next = pool->free_list;
	pool->free_list = in;
	pool->n_free++;
}

/** Inflate one run of input. */
static int inflate_run(struct inflater *in, const uint8_t *bytes, size_t len, size_t max,
		       struct buf *out)
{
	z_stream *z = &in->z;

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
			in->at_boundary = true;
			inflateReset(z);
			if (z->avail_in == 0)
				return 0;
			continue;
		}
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return WS_CLOSE_BAD_DATA;
		in->at_boundary = (z->data_type & BETWEEN_BLOCKS) != 0;
		if (z->avail_in == 0 && z->avail_out > 0)
			return 0;
	}
}

int inflater_feed(struct inflater *in, struct span bytes, size_t max, struct buf *out)
{
	if (bytes.len == 0)
		return 0;
	in->has_input = true;
	return inflate_run(in, (const uint8_t *)bytes.p, bytes.len, max, out);
}

int inflater_finish(struct inflater *in, struct span bytes, size_t max, struct buf *out)
{
	int code = inflater_feed(in, bytes, max, out);

	if (code != 0 || !in->has_input)
		return code;
	code = inflate_run(in, tail, sizeof(tail), max, out);
	/* A message cut short leaves the stream inside a block. */
	return code == 0 && !in->at_boundary ? WS_CLOSE_BAD_DATA : code;
}

int inflate_message(struct span message, size_t max, struct buf *out)
{
	struct pool *pool = thread_pool();
	struct inflater *in = pool != NULL ? take(pool) : NULL;

	out->len = 0;
	if (in == NULL)
		return WS_CLOSE_INTERNAL;
	int code = inflater_finish(in, message, max, out);
	inflater_release(in);
	return code;
}
