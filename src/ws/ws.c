/*
 * One WebSocket's receiving side: the guard finds frames, a reader takes messages out of them,
 * control frames are answered here, and the closing handshake is kept (RFC 6455, 7).
 *
 * Of an idle connection only struct ws remains: the reader goes back at the end of each message.
 */
#include "hubbub/ws.h"

#include "hubbub/mem.h"
#include "hubbub/utf8.h"
#include "ws/guard.h"
#include "ws/reader.h"
#include <assert.h>
#include <stdlib.h>

enum state {
	STATE_OPEN,
	STATE_CLOSE_SENT, /* ours has gone; the peer's is awaited, all else is passed over */
	STATE_CLOSED,     /* both have passed */
	STATE_BROKEN,     /* closed for a violation: nothing that follows can be trusted */
};

/** So many pings that come together are answered each; of a flood only the latest is. */
#define MAX_PONGS_AT_ONCE 16

struct ws {
	const struct ws_handler *handler;
	void *owner;
	struct reader *reader; /* NULL unless part of a message is in hand */
	struct chunk *pong;    /* for the latest ping of a flood */
	struct guard guard;
	enum state state;
	uint32_t n_extra; /* frames that ended no message, since they were asked for */
	uint8_t n_pongs;  /* sent for what came together */
};

struct ws *ws_new(const struct ws_params *params, size_t max_message,
		  const struct ws_handler *handler, void *owner)
{
	struct ws *ws = mem_zalloc(sizeof(*ws));

	ws->handler = handler;
	ws->owner = owner;
	assert(max_message <= INT32_MAX);
	guard_init(&ws->guard, params->deflate, handler->on_binary != NULL, (uint32_t)max_message);
	return ws;
}

static void drop_reader(struct ws *ws)
{
	reader_release(ws->reader);
	ws->reader = NULL;
}

void ws_free(struct ws *ws)
{
	if (ws == NULL)
		return;
	drop_reader(ws);
	chunk_unref(ws->pong);
	guard_deinit(&ws->guard);
	free(ws);
}

/** An unfragmented control frame, not masked (RFC 6455, 5.1). */
static struct chunk *encode_control(enum guard_opcode opcode, const uint8_t *body, size_t len)
{
	struct chunk *c = chunk_new(2 + len);
	uint8_t *to = chunk_fill(c);

	to[0] = 0x80 | (uint8_t)opcode;
	to[1] = (uint8_t)len;
	if (len > 0)
		memcpy(to + 2, body, len);
	return c;
}

/** RFC 6455, 5.5.3: of several pings only the latest needs an answer. */
static void answer_ping(struct ws *ws)
{
	struct chunk *pong = ws->pong;

	ws->pong = NULL;
	if (pong != NULL)
		ws->handler->send(ws->owner, pong);
}

/** Bytes of @reason that fit a close frame without cutting a character in two. */
static size_t fitting_len(const char *reason)
{
	size_t len = reason != NULL ? strlen(reason) : 0;
	size_t at = 0;

	while (at < len) {
		size_t n = utf8_sequence_len(reason + at, len - at);
		if (n == 0 || at + n > GUARD_MAX_CONTROL - 2)
			break;
		at += n;
	}
	return at;
}

static void send_close(struct ws *ws, uint16_t code, const char *reason)
{
	uint8_t body[GUARD_MAX_CONTROL] = {(uint8_t)(code >> 8), (uint8_t)code};
	size_t n_reason = fitting_len(reason);

	if (n_reason > 0)
		memcpy(body + 2, reason, n_reason);
	ws->handler->send(ws->owner, encode_control(GUARD_CLOSE, body, 2 + n_reason));
}

static void fail(struct ws *ws, uint16_t code, const char *reason)
{
	drop_reader(ws);
	if (ws->state != STATE_OPEN) {
		ws->state = STATE_BROKEN;
		return;
	}
	answer_ping(ws);
	ws->state = STATE_BROKEN;
	send_close(ws, code, reason);
	ws->handler->on_closing(ws->owner, code, false);
}

/** Whether a peer may send @code (RFC 6455, 7.4; 1012 to 1014 are registered since). */
static bool is_lawful_code(unsigned code)
{
	if (code >= 3000)
		return code <= 4999;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

static void on_peer_close(struct ws *ws, const uint8_t *body, size_t len)
{
	uint16_t code = WS_CLOSE_NO_STATUS;

	drop_reader(ws);
	if (ws->state == STATE_CLOSE_SENT) {
		ws->state = STATE_CLOSED;
		return;
	}
	if (len == 1) {
		fail(ws, WS_CLOSE_PROTOCOL_ERROR, "close body of one byte");
		return;
	}
	if (len >= 2) {
		code = (uint16_t)(body[0] << 8 | body[1]);
		if (!is_lawful_code(code)) {
			fail(ws, WS_CLOSE_PROTOCOL_ERROR, "close code");
			return;
		}
		if (!utf8_is_valid(body + 2, len - 2)) {
			fail(ws, WS_CLOSE_BAD_DATA, "close reason");
			return;
		}
	}
	answer_ping(ws);
	ws->state = STATE_CLOSED;
	/* The code is echoed (RFC 6455, 5.5.1), an empty close is answered by an empty one. */
	ws->handler->send(ws->owner, encode_control(GUARD_CLOSE, body, len >= 2 ? 2 : 0));
	ws->handler->on_closing(ws->owner, code, true);
}

static void on_control(struct ws *ws, const struct guard_found *found)
{
	if (found->opcode == GUARD_CLOSE) {
		on_peer_close(ws, found->run, found->n_run);
	} else if (found->opcode == GUARD_PING && ws->state == STATE_OPEN) {
		chunk_unref(ws->pong);
		ws->pong = encode_control(GUARD_PONG, found->run, found->n_run);
		if (ws->n_pongs < MAX_PONGS_AT_ONCE) {
			ws->n_pongs++;
			answer_ping(ws);
		}
	}
}

static const char *name_failure(int code)
{
	switch (code) {
	case WS_CLOSE_TOO_BIG:
		return "message too big";
	case WS_CLOSE_BAD_DATA:
		return "message damaged";
	default:
		return "out of memory";
	}
}

static void deliver(struct ws *ws)
{
	struct reader *r = ws->reader;
	struct span message;
	int code = reader_finish(r, &message);

	if (code != 0) {
		fail(ws, (uint16_t)code, name_failure(code));
		return;
	}
	/* The handler may close the connection, which would drop a reader that is still ours. */
	ws->reader = NULL;
	ws->n_extra -= ws->n_extra > 0; /* that of the frame that ends it */
	if (ws->guard.is_binary)
		ws->handler->on_binary(ws->owner, message);
	else
		ws->handler->on_message(ws->owner, message);
	reader_release(r);
}

static void on_data(struct ws *ws, const struct guard_found *found)
{
	if (ws->reader == NULL)
		ws->reader = reader_acquire(ws->guard.is_compressed, ws->guard.is_binary,
					    ws->guard.max_message);
	int code = ws->reader != NULL ? reader_feed(ws->reader, found->run, found->n_run,
						    found->is_message_end)
				      : WS_CLOSE_INTERNAL;
	if (code != 0)
		fail(ws, (uint16_t)code, name_failure(code));
	else if (found->is_message_end)
		deliver(ws);
}

void ws_receive(struct ws *ws, uint8_t *bytes, size_t len)
{
	struct guard_found found;

	while (ws->state == STATE_OPEN || ws->state == STATE_CLOSE_SENT) {
		size_t n = guard_next(&ws->guard, bytes, len, &found);
		bytes += n;
		len -= n;
		if (found.event == GUARD_HUNGRY)
			break;
		ws->n_extra += found.event == GUARD_CONTROL || found.event == GUARD_HEADER;
		if (found.event == GUARD_VIOLATION)
			fail(ws, found.code, found.reason);
		else if (found.event == GUARD_CONTROL)
			on_control(ws, &found);
		else if (ws->state == STATE_OPEN)
			on_data(ws, &found);
	}
	if (ws->state == STATE_OPEN)
		answer_ping(ws);
	ws->n_pongs = 0;
}

void ws_close(struct ws *ws, uint16_t code, const char *reason)
{
	if (ws->state != STATE_OPEN)
		return;
	drop_reader(ws);
	answer_ping(ws);
	ws->state = STATE_CLOSE_SENT;
	send_close(ws, code, reason);
	ws->handler->on_closing(ws->owner, code, false);
}

unsigned ws_take_extra(struct ws *ws)
{
	/* One of those of a message under way will be the one that ends it. */
	unsigned n_kept = ws->guard.is_in_message && ws->n_extra > 0;
	unsigned n = ws->n_extra - n_kept;

	ws->n_extra = n_kept;
	return n;
}

bool ws_is_mid_message(const struct ws *ws)
{
	return ws->guard.is_in_message || ws->guard.is_in_payload || ws->guard.n_header > 0;
}

bool ws_is_closing(const struct ws *ws)
{
	return ws->state != STATE_OPEN;
}

bool ws_is_closed(const struct ws *ws)
{
	return ws->state == STATE_CLOSED || ws->state == STATE_BROKEN;
}
