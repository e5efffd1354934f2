#pragma once
/* The far end of a WebSocket: it says frames, cut anywhere, and logs what comes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/buf.h"
#include "hubbub/ws.h"
#include <stdio.h>
#include <stdlib.h>

#define MAX_MESSAGE 1000
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* What came of it, as one line of text: "text(hi) pong(x) close(1002) ours(1002)". */
struct peer {
	struct ws *ws;
	struct buf log;
	const char *close_on; /* a text at which the owner closes */
};

static inline void log_bytes(struct buf *b, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	if (len > 40) {
		buf_printf(b, "%zu bytes", len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		buf_append_char(b, p[i] < ' ' ? '?' : (char)p[i]);
}

static inline void on_message(void *owner, struct span text)
{
	struct peer *peer = owner;

	buf_append_str(&peer->log, "text(");
	log_bytes(&peer->log, text.p, text.len);
	buf_append_str(&peer->log, ") ");
	if (peer->close_on != NULL && span_equal(text, span_of(peer->close_on)))
		ws_close(peer->ws, WS_CLOSE_BREAKS_PROTOCOL, "enough");
}

static inline void on_send(void *owner, struct chunk *c)
{
	struct peer *peer = owner;
	const uint8_t *bytes = chunk_bytes(c);
	size_t len = chunk_len(c);

	assert_true(len >= 2 && len <= 127);
	assert_int_equal(bytes[1], len - 2);
	if (bytes[0] == 0x8a) {
		buf_append_str(&peer->log, "pong(");
		log_bytes(&peer->log, bytes + 2, len - 2);
		buf_append_str(&peer->log, ") ");
	} else {
		assert_int_equal(bytes[0], 0x88);
		assert_int_not_equal(len, 3);
		if (len == 2)
			buf_append_str(&peer->log, "close() ");
		else
			buf_printf(&peer->log, "close(%d) ", bytes[2] << 8 | bytes[3]);
	}
	chunk_unref(c);
}

static inline void on_closing(void *owner, uint16_t code, bool by_peer)
{
	struct peer *peer = owner;

	assert_true(ws_is_closing(peer->ws));
	buf_printf(&peer->log, "%s(%d) ", by_peer ? "theirs" : "ours", code);
}

static const struct ws_handler handler = {
	.on_message = on_message,
	.send = on_send,
	.on_closing = on_closing,
};

static inline void peer_init(struct peer *peer, bool deflate)
{
	struct ws_params params = {.deflate = deflate};

	*peer = (struct peer){0};
	peer->ws = ws_new(&params, MAX_MESSAGE, &handler, peer);
}

static inline void peer_deinit(struct peer *peer)
{
	ws_free(peer->ws);
	buf_deinit(&peer->log);
}

/* Feed @bytes in runs of @step, as the network would: the receiver may scribble on them. */
static inline void feed(struct peer *peer, struct span bytes, size_t step)
{
	for (size_t at = 0; at < bytes.len; at += step) {
		size_t n = bytes.len - at < step ? bytes.len - at : step;
		uint8_t *copy = malloc(n);
		memcpy(copy, bytes.p + at, n);
		ws_receive(peer->ws, copy, n);
		free(copy);
	}
}

static inline void expect_log(struct peer *peer, const char *expected)
{
	while (peer->log.len > 0 && peer->log.p[peer->log.len - 1] == ' ')
		peer->log.len--;
	buf_append_char(&peer->log, '\0');
	assert_string_equal(peer->log.p, expected);
	peer->log.len = 0;
}

/* A masked frame, its length in the shortest form. */
static inline void frame(struct buf *b, uint8_t first, const void *payload, size_t len)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	const uint8_t *p = payload;

	buf_append_char(b, (char)first);
	if (len < 126) {
		buf_append_char(b, (char)(0x80 | len));
	} else if (len < 65536) {
		buf_append_char(b, (char)0xfe);
		buf_append_char(b, (char)(len >> 8));
		buf_append_char(b, (char)len);
	} else {
		buf_append_char(b, (char)0xff);
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_append_char(b, (char)((uint64_t)len >> shift));
	}
	buf_append(b, mask, 4);
	for (size_t i = 0; i < len; i++)
		buf_append_char(b, (char)(p[i] ^ mask[i % 4]));
}

#define FRAME(b, first, literal) frame(b, first, literal, sizeof(literal) - 1)

/* Each whole input, at once and split at every size, gives the same outcome. */
static inline void expect_outcome(struct buf *input, bool deflate, const char *expected)
{
	size_t steps[] = {SIZE_MAX / 2, 1, 2, 3, 5, 7};

	for (size_t i = 0; i < N(steps); i++) {
		struct peer peer;
		peer_init(&peer, deflate);
		feed(&peer, buf_span(input), steps[i] > input->len ? input->len : steps[i]);
		expect_log(&peer, expected);
		peer_deinit(&peer);
	}
	for (size_t split = 1; split < input->len && split < 300; split++) {
		struct peer peer;
		peer_init(&peer, deflate);
		feed(&peer, (struct span){.p = input->p, .len = split}, split);
		feed(&peer, (struct span){.p = input->p + split, .len = input->len - split},
		     input->len - split);
		expect_log(&peer, expected);
		peer_deinit(&peer);
	}
	buf_deinit(input);
}
