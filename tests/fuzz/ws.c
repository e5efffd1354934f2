/*
 * Frames from a peer, with and without compression.  What is delivered, answered and closed with
 * must not depend on how the bytes are cut into pieces.
 *
 * Input: a byte of flags, the cuts, then frames.
 */
#include "fuzz.h"

#include "hubbub/buf.h"
#include "hubbub/utf8.h"
#include "hubbub/ws.h"
#include <pthread.h>
#include <string.h>

#define LARGE_MESSAGE 65536
#define SMALL_MESSAGE 200

/** More than may be inflated as they come, on one thread. */
#define N_CROWD 130

enum {
	FLAG_DEFLATE = 1, /* permessage-deflate was agreed */
	FLAG_SMALL = 2,   /* a small limit */
	FLAG_CLOSE = 4,   /* we close behind the last byte */
	FLAG_BINARY = 8,  /* binary messages are taken */
	FLAG_RUDE = 64,   /* our reason to close is too long, and what follows it is no frame */
	/* The highest four bits together; few inputs ask for these, which are slow. */
	HOW = 0xf0,
	ON_THREAD = 0x10, /* once more on a thread that ends with it */
	IN_CROWD = 0xa0,  /* once more beside many in the midst of a compressed message */
};

struct seen {
	struct buf log; /* all that happened, in order */
	size_t max_message;
	bool closing;
	bool was_closing; /* before we did */
};

/* What one thread is to do. */
struct job {
	const uint8_t *data;
	size_t size;
	unsigned flags;
	struct cuts cuts;
	struct seen seen;
};

static void on_message(void *owner, struct span text)
{
	struct seen *s = owner;

	MUST(!s->closing);
	MUST(text.len <= s->max_message);
	MUST(utf8_is_valid(text.p, text.len));
	buf_printf(&s->log, "message %zu ", text.len);
	buf_append_span(&s->log, text);
}

static void on_binary(void *owner, struct span bytes)
{
	struct seen *s = owner;

	MUST(!s->closing);
	MUST(bytes.len <= s->max_message);
	buf_printf(&s->log, "binary %zu ", bytes.len);
	buf_append_span(&s->log, bytes);
}

static void on_send(void *owner, struct chunk *c)
{
	struct seen *s = owner;
	const uint8_t *bytes = chunk_bytes(c);

	/* Control frames, whole and not masked (RFC 6455, 5.1 and 5.5). */
	MUST(chunk_len(c) >= 2 && chunk_len(c) == 2 + (size_t)bytes[1]);
	MUST(bytes[0] == 0x88 || bytes[0] == 0x8a);
	/* Which of several pings is answered depends on what came together. */
	if (bytes[0] == 0x88)
		buf_append(&s->log, bytes, chunk_len(c));
	chunk_unref(c);
}

static void on_closing(void *owner, uint16_t code, bool by_peer)
{
	struct seen *s = owner;

	MUST(!s->closing);
	s->closing = true;
	buf_printf(&s->log, "closing %u %d", code, by_peer);
}

static const struct ws_handler handlers[2] = {
	{.on_message = on_message, .send = on_send, .on_closing = on_closing},
	{.on_message = on_message,
	 .on_binary = on_binary,
	 .send = on_send,
	 .on_closing = on_closing},
};

/* We close, and the peer answers. */
static void close_ours(struct ws *ws, struct seen *s, unsigned flags)
{
	char too_long[2 * 65 + 1] = "";
	bool is_rude = (flags & FLAG_RUDE) != 0;
	uint8_t answer[] = {is_rude ? 0xff : 0x88, 0x80, 0, 0, 0, 0};

	for (size_t i = 0; i + 2 < sizeof(too_long); i += 2)
		memcpy(too_long + i, "\xc3\xa9", 3);
	ws_close(ws, WS_CLOSE_GOING_AWAY, is_rude ? too_long : "bye");
	MUST(s->closing && ws_is_closing(ws));
	ws_close(ws, WS_CLOSE_NORMAL, ""); /* later ones do nothing */
	/* Behind our own close frame the peer's is the last. */
	bool mid = ws_is_mid_message(ws);
	ws_receive(ws, answer, sizeof(answer));
	MUST(s->was_closing || mid || is_rude || ws_is_closed(ws));
}

static struct seen run(const uint8_t *data, size_t size, unsigned flags, struct cuts cuts)
{
	struct ws_params params = {.deflate = (flags & FLAG_DEFLATE) != 0};
	struct seen s = {.max_message = (flags & FLAG_SMALL) != 0 ? SMALL_MESSAGE : LARGE_MESSAGE};
	struct ws *ws = ws_new(&params, s.max_message, &handlers[(flags & FLAG_BINARY) != 0], &s);
	unsigned n_extra = 0;

	while (size > 0) {
		size_t n = cuts_next(&cuts, size);
		uint8_t *piece = malloc(n); /* unmasked in place, and not one byte longer */

		MUST(piece != NULL);
		memcpy(piece, data, n);
		ws_receive(ws, piece, n);
		n_extra += ws_take_extra(ws);
		free(piece);
		data += n;
		size -= n;
	}
	MUST(ws_is_closing(ws) == s.closing);
	if (!s.closing)
		buf_printf(&s.log, " extra %u mid %d", n_extra, ws_is_mid_message(ws));
	s.was_closing = s.closing;
	if ((flags & FLAG_CLOSE) != 0)
		close_ours(ws, &s, flags);
	buf_printf(&s.log, " closed %d", ws_is_closed(ws));
	ws_free(ws);
	return s;
}

static void *run_alone(void *arg)
{
	struct job *job = arg;

	job->seen = run(job->data, job->size, job->flags, job->cuts);
	return NULL;
}

/* Each of the others has had a piece of a message that is compressed, and not the rest. */
static void *run_in_crowd(void *arg)
{
	static const uint8_t piece[] = {0x41, 0x82, 0, 0, 0, 0, 0xca, 0x48};
	const struct ws_params params = {.deflate = true};
	struct ws *crowd[N_CROWD];
	struct seen others = {.max_message = LARGE_MESSAGE};
	struct job *job = arg;

	for (size_t i = 0; i < N_CROWD; i++) {
		uint8_t copy[sizeof(piece)];

		memcpy(copy, piece, sizeof(piece));
		crowd[i] = ws_new(&params, LARGE_MESSAGE, &handlers[0], &others);
		ws_receive(crowd[i], copy, sizeof(copy));
	}
	run_alone(job);
	MUST(!others.closing && others.log.len == 0);
	for (size_t i = 0; i < N_CROWD; i++)
		ws_free(crowd[i]);
	return NULL;
}

static struct seen run_on_thread(void *(*how)(void *), struct job job)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, how, &job) == 0);
	MUST(pthread_join(thread, NULL) == 0);
	return job.seen;
}

static void must_equal(struct seen *expected, struct seen *other)
{
	MUST(span_equal(buf_span(&expected->log), buf_span(&other->log)));
	buf_deinit(&other->log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	unsigned flags = *data++;
	size--;
	struct cuts cuts = cuts_take(&data, &size);
	struct seen whole = run(data, size, flags, (struct cuts){0});
	struct job job = {.data = data, .size = size, .flags = flags, .cuts = cuts};
	struct seen cut = run(data, size, flags, cuts);

	must_equal(&whole, &cut);
	if ((flags & HOW) == ON_THREAD) {
		cut = run_on_thread(run_alone, job);
		must_equal(&whole, &cut);
	}
	if ((flags & HOW) == IN_CROWD) {
		cut = run_on_thread(run_in_crowd, job);
		job.cuts.n = 0;
		struct seen crowded = run_on_thread(run_in_crowd, job);
		/* What is wrong is found out later, at the end of its message. */
		if (!whole.was_closing)
			MUST(span_equal(buf_span(&whole.log), buf_span(&crowded.log)));
		must_equal(&crowded, &cut);
		buf_deinit(&crowded.log);
	}
	buf_deinit(&whole.log);
	return 0;
}
