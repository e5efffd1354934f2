/*
 * Readers: wslay's event context used for what comes in, one data message at a time.
 *
 * wslay runs without its own buffering: it would allocate a fragment's announced length before
 * any byte of it came, and a cell for each fragment.  Here memory grows with the bytes that did
 * come, and empty fragments cost nothing.
 */
#include "ws/reader.h"

#include "hubbub/buf.h"
#include "hubbub/mem.h"
#include "hubbub/utf8.h"
#include "hubbub/ws.h"
#include "ws/inflate.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <wslay/wslay.h>

/** Readers that a thread keeps for the next messages. */
#define MAX_POOLED 16
/** A pooled reader gives buffers larger than this back. */
#define MAX_KEPT_BUFFER (64u * 1024)

struct reader {
	struct reader *next; /* in the pool */
	wslay_event_context_ptr wslay;
	const uint8_t *bytes; /* what is being fed */
	size_t n_bytes;
	bool is_compressed;
	bool is_binary;
	bool is_spoiled; /* wslay's context stands inside a message: it cannot be used again */
	size_t max_message;
	struct buf payload;        /* of a compressed message: what is not inflated yet */
	struct inflater *inflater; /* of a compressed message that comes in pieces */
	struct buf inflated;
	size_t n_checked; /* bytes of it that are whole characters */
};

struct pool {
	struct reader *free_list;
	unsigned n_free;
};

static pthread_key_t pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

static void reader_free(struct reader *r)
{
	wslay_event_context_free(r->wslay);
	inflater_release(r->inflater);
	buf_deinit(&r->payload);
	buf_deinit(&r->inflated);
	free(r);
}

static void free_pool(void *thread_value)
{
	struct pool *pool = thread_value;

	while (pool->free_list != NULL) {
		struct reader *r = pool->free_list;
		pool->free_list = r->next;
		reader_free(r);
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

static ssize_t on_wslay_recv(wslay_event_context_ptr wslay, uint8_t *into, size_t len, int flags,
			     void *user_data)
{
	struct reader *r = user_data;

	(void)flags;
	if (r->n_bytes == 0) {
		wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t n = len < r->n_bytes ? len : r->n_bytes;
	memcpy(into, r->bytes, n);
	r->bytes += n;
	r->n_bytes -= n;
	return (ssize_t)n;
}

static void on_wslay_chunk(wslay_event_context_ptr wslay,
			   const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user_data)
{
	struct reader *r = user_data;

	(void)wslay;
	buf_append(&r->payload, arg->data, arg->data_length);
}

static struct reader *reader_new(void)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_wslay_recv,
		.on_frame_recv_chunk_callback = on_wslay_chunk,
	};
	struct reader *r = mem_zalloc(sizeof(*r));

	if (wslay_event_context_server_init(&r->wslay, &callbacks, r) != 0) {
		free(r);
		return NULL;
	}
	wslay_event_config_set_no_buffering(r->wslay, 1);
	wslay_event_config_set_allowed_rsv_bits(r->wslay, WSLAY_RSV1_BIT);
	return r;
}

struct reader *reader_acquire(bool is_compressed, bool is_binary, size_t max_message)
{
	struct pool *pool = thread_pool();
	struct reader *r;

	if (pool != NULL && pool->free_list != NULL) {
		r = pool->free_list;
		pool->free_list = r->next;
		pool->n_free--;
	} else {
		r = reader_new();
		if (r == NULL)
			return NULL;
	}
	r->next = NULL;
	r->is_compressed = is_compressed;
	r->is_binary = is_binary;
	r->is_spoiled = true;
	r->max_message = max_message;
	r->n_checked = 0;
	return r;
}

void reader_release(struct reader *r)
{
	if (r == NULL)
		return;
	struct pool *pool = thread_pool();
	inflater_release(r->inflater);
	r->inflater = NULL;
	if (r->is_spoiled || pool == NULL || pool->n_free >= MAX_POOLED) {
		reader_free(r);
		return;
	}
	r->payload.len = 0;
	r->inflated.len = 0;
	if (r->payload.cap > MAX_KEPT_BUFFER)
		buf_deinit(&r->payload);
	if (r->inflated.cap > MAX_KEPT_BUFFER)
		buf_deinit(&r->inflated);
	r->next = pool->free_list;
	pool->free_list = r;
	pool->n_free++;
}

/**
 * Inflating has given @code: check the text that it yielded, since wslay leaves the UTF-8 of a
 * message with RSV1 to us.  A text that is bad and too long is bad first, so that what comes of it
 * does not depend on how it was cut.
 */
static int check_inflated(struct reader *r, int code, bool is_end)
{
	bool may_go_on = true;

	if (r->is_binary || (code != 0 && code != WS_CLOSE_TOO_BIG))
		return code;
	if (r->n_checked < r->inflated.len) /* nothing at all may have come so far */
		r->n_checked += utf8_whole_len(r->inflated.p + r->n_checked,
					       r->inflated.len - r->n_checked, &may_go_on);
	if (is_end && code == 0)
		may_go_on = r->n_checked == r->inflated.len;
	return may_go_on ? code : WS_CLOSE_BAD_DATA;
}

/**
 * Inflate what came of a message of which more is to come.  Where too many others are under way on
 * this thread it waits compressed: then it is judged later, and rightly all the same.
 */
static int inflate_early(struct reader *r)
{
	if (r->inflater == NULL)
		r->inflater = inflater_acquire();
	if (r->inflater == NULL)
		return 0;
	int code = inflater_feed(r->inflater, buf_span(&r->payload), r->max_message, &r->inflated);
	r->payload.len = 0;
	return check_inflated(r, code, false);
}

int reader_feed(struct reader *r, const uint8_t *bytes, size_t len, bool is_end)
{
	r->bytes = bytes;
	r->n_bytes = len;
	if (wslay_event_recv(r->wslay) != 0)
		return WS_CLOSE_INTERNAL;
	/* The guard has judged all but the text: a refusal of wslay's is about its UTF-8. */
	if (!wslay_event_get_read_enabled(r->wslay))
		return WS_CLOSE_BAD_DATA;
	assert(r->n_bytes == 0);
	if (r->is_compressed && !is_end && r->payload.len > 0)
		return inflate_early(r);
	return 0;
}

int reader_finish(struct reader *r, struct span *message)
{
	r->is_spoiled = false;
	*message = buf_span(&r->payload);
	if (!r->is_compressed)
		return 0;
	int code = r->inflater != NULL
			   ? inflater_finish(r->inflater, *message, r->max_message, &r->inflated)
			   : inflate_message(*message, r->max_message, &r->inflated);
	*message = buf_span(&r->inflated);
	return check_inflated(r, code, true);
}
