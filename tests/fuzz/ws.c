/*
 * Frames from a peer, with and without compression.  What is delivered, answered and closed with
 * must not depend on how the bytes are cut into pieces.
 *
 * Input: a byte of flags (1: permessage-deflate was agreed, 2: a small limit), the cuts, then
 * frames.
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

static const struct ws_handler handler = {
	.on_message = on_message,
	.send = on_send,
	.on_closing = on_closing,
};

static struct seen run(const uint8_t *data, size_t size, unsigned flags, struct cuts cuts)
{
	struct ws_params params = {.deflate = (flags & 1) != 0};
	struct seen s = {.max_message = (flags & 2) != 0 ? SMALL_MESSAGE : LARGE_MESSAGE};
	struct ws *ws = ws_new(&params, s.max_message, &handler, &s);

	while (size > 0) {
		size_t n = cuts_next(&cuts, size);
		uint8_t *piece = malloc(n); /* unmasked in place, and not one byte longer */

		MUST(piece != NULL);
		memcpy(piece, data, n);
		ws_receive(ws, piece, n);
		free(piece);
		data += n;
		size -= n;
	}
	MUST(ws_is_closing(ws) == s.closing);
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
