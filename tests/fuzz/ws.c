/*
 * Frames from a peer, with and without compression.  What is delivered, answered and closed with
 * must not depend on how the bytes are cut into pieces.
 *
 * Input: a byte of flags (1: permessage-deflate was agreed, 2: a small limit, 4: we close behind
 * the last byte, 8: binary messages are taken), the cuts, then frames.
 */
#include "fuzz.h"

#include "hubbub/buf.h"
#include "hubbub/utf8.h"
#include "hubbub/ws.h"
#include <string.h>

#define LARGE_MESSAGE 65536
#define SMALL_MESSAGE 200

struct seen {
	struct buf log; /* all that happened, in order */
	size_t max_message;
	bool closing;
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

static struct seen run(const uint8_t *data, size_t size, unsigned flags, struct cuts cuts)
{
	struct ws_params params = {.deflate = (flags & 1) != 0};
	struct seen s = {.max_message = (flags & 2) != 0 ? SMALL_MESSAGE : LARGE_MESSAGE};
	struct ws *ws = ws_new(&params, s.max_message, &handlers[(flags & 8) != 0], &s);
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
	if ((flags & 4) != 0) {
		bool was_closing = s.closing;

		ws_close(ws, WS_CLOSE_GOING_AWAY, "bye");
		MUST(s.closing && ws_is_closing(ws));
		ws_close(ws, WS_CLOSE_NORMAL, ""); /* later ones do nothing */
		/* Behind our own close frame the peer's is the last. */
		uint8_t close[] = {0x88, 0x80, 0, 0, 0, 0};
		bool mid = ws_is_mid_message(ws);
		ws_receive(ws, close, sizeof(close));
		MUST(was_closing || mid || ws_is_closed(ws));
	}
	buf_printf(&s.log, " closed %d", ws_is_closed(ws));
	ws_free(ws);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	unsigned flags = *data++;
	size--;
	struct cuts cuts = cuts_take(&data, &size);
	struct seen whole = run(data, size, flags, (struct cuts){0});
	struct seen cut = run(data, size, flags, cuts);

	MUST(whole.log.len == cut.log.len);
	MUST(memcmp(whole.log.p, cut.log.p, cut.log.len) == 0);
	buf_deinit(&whole.log);
	buf_deinit(&cut.log);
	return 0;
}
