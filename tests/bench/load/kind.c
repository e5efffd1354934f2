#include "kind.h"

#include "../send_key.h"
#include "base.h"
#include "nats.h"
#include "payload.h"
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of hubbub's greeting; the ids of the requests too. */
enum hubbub_step {
	HUBBUB_HELLO = 1,
	HUBBUB_JOIN = KIND_JOIN_ID,
};

void kind_target(const struct conn *c, char *to, size_t size)
{
	switch (c->swarm->opts->kind) {
	case KIND_HUBBUB:
		snprintf(to, size, "/ws");
		break;
	case KIND_PLAIN:
		snprintf(to, size, "/room%u", c->room);
		break;
	case KIND_NCHAN:
		snprintf(to, size, "/ws/room%u", c->room);
		break;
	case KIND_NATS:
		snprintf(to, size, "/");
		break;
	}
}

static void become_ready(struct conn *c)
{
	struct swarm *sw = c->swarm;

	c->state = CONN_READY;
	sw->n_ready++;
	if (sw->on_ready != NULL)
		sw->on_ready(c);
}

static bool is_known(const struct conn *c)
{
	return c->swarm->tokens != NULL && c->swarm->tokens[c->index] != NULL;
}

static void put_join(struct conn *c)
{
	if (c->swarm->put_join != NULL)
		c->swarm->put_join(c);
	else
		kind_put_join(c);
}

/* Who was here before knows their room, and asks for it in the same breath: it waits in the server
 * until the hello is answered. */
static bool joins_at_once(const struct conn *c)
{
	return is_known(c) && !c->swarm->stays_outside;
}

static void put_hello(struct conn *c)
{
	struct swarm *sw = c->swarm;

	if (is_known(c))
		conn_put_textf(c, "{\"id\":1,\"op\":\"hello\",\"token\":\"%s\"}",
			       sw->tokens[c->index]);
	else
		conn_put_textf(c, "{\"id\":1,\"op\":\"hello\",\"name\":\"b%s-%u\"}", sw->run_id,
			       c->index);
	c->greeting_step = HUBBUB_HELLO;
	if (joins_at_once(c))
		put_join(c);
}

void kind_greet(struct conn *c)
{
	switch (c->swarm->opts->kind) {
	case KIND_HUBBUB:
		put_hello(c);
		break;
	case KIND_PLAIN:
	case KIND_NCHAN:
		become_ready(c);
		break;
	case KIND_NATS:
		nats_greet(c);
		break;
	}
	conn_flush(c);
}

/** Whether @text, a reply, says {"re":<number>,"ok":true. */
static bool is_ok(const uint8_t *text, size_t len)
{
	const uint8_t *comma = memchr(text, ',', len);

	return comma != NULL && (size_t)(text + len - comma) >= 10 &&
	       memcmp(comma, ",\"ok\":true", 10) == 0;
}

/** Keep the token that a reply to hello gives. */
static void keep_token(struct conn *c, const uint8_t *text, size_t len)
{
	static const char NAME[] = "\"token\":\"";
	const char *from = memmem(text, len, NAME, sizeof(NAME) - 1);
	char **token = &c->swarm->tokens[c->index];

	if (from == NULL)
		fail("a hello's reply without a token: %.*s", (int)len, (const char *)text);
	from += sizeof(NAME) - 1;
	const char *to = memchr(from, '"', (size_t)((const char *)text + len - from));

	if (to == NULL)
		fail("a hello's reply with a broken token");
	free(*token);
	*token = strndup(from, (size_t)(to - from));
}

void kind_put_join(struct conn *c)
{
	conn_put_textf(c, "{\"id\":%d,\"op\":\"join\",\"room\":\"room%u\",\"limit\":1}",
		       KIND_JOIN_ID, c->room);
}

/** An ok reply in the greeting: the next request, or the end. */
static void hubbub_go_on(struct conn *c, const uint8_t *text, size_t len)
{
	struct swarm *sw = c->swarm;

	if (c->greeting_step == HUBBUB_HELLO) {
		c->greeting_step = HUBBUB_JOIN;
		if (joins_at_once(c))
			return;
		if (sw->tokens != NULL && !is_known(c))
			keep_token(c, text, len);
		if (!sw->stays_outside) {
			put_join(c);
			conn_flush(c);
			return;
		}
	} else if (sw->on_joined != NULL) {
		sw->on_joined(c, (const char *)text, len);
	}
	become_ready(c);
}

static void hubbub_on_reply(struct conn *c, const uint8_t *text, size_t len)
{
	struct swarm *sw = c->swarm;

	if (!is_ok(text, len))
		fail("connection %u: refused: %.*s", c->index, (int)len, (const char *)text);
	if (c->state == CONN_GREETING)
		hubbub_go_on(c, text, len);
	else if (sw->on_reply != NULL)
		sw->on_reply(c, (const char *)text, len);
}

/** The third and eighth bytes tell {"re": from {"ev":"message", {"ev":"ping" and the others. */
static void hubbub_on_text(struct conn *c, const uint8_t *text, size_t len)
{
	struct swarm *sw = c->swarm;

	if (len < 10)
		fail("connection %u: what is %.*s?", c->index, (int)len, (const char *)text);
	if (text[2] == 'r') {
		hubbub_on_reply(c, text, len);
	} else if (text[7] == 'm' && text[8] == 'e' && text[9] == 's') {
		if (sw->on_event != NULL)
			sw->on_event(c, (const char *)text, len);
		else if (len >= sw->opts->size + 2)
			sw->on_message(c, text + len - 2 - sw->opts->size);
	} else if (text[7] == 'p' && text[8] == 'i') {
		conn_put_textf(c, "{\"op\":\"pong\"}");
		conn_flush(c);
	}
}

void kind_on_frame(struct conn *c, uint8_t first_byte, uint8_t *payload, size_t len)
{
	struct swarm *sw = c->swarm;

	(void)first_byte;
	switch (sw->opts->kind) {
	case KIND_HUBBUB:
		hubbub_on_text(c, payload, len);
		break;
	case KIND_PLAIN:
	case KIND_NCHAN:
		if (len != sw->opts->size)
			fail("connection %u: a message of %zu bytes", c->index, len);
		sw->on_message(c, payload);
		break;
	case KIND_NATS:
		nats_on_frame(c, payload, len, become_ready);
		break;
	}
}

void kind_put_message(struct conn *c, uint32_t pub, uint32_t seq, uint64_t t)
{
	uint32_t size = c->swarm->opts->size;
	char head[160];
	uint32_t head_len = 0;
	const char *tail = "";
	uint8_t opcode = WS_TEXT;

	switch (c->swarm->opts->kind) {
	case KIND_HUBBUB:
		head_len =
			(uint32_t)snprintf(head, sizeof(head),
					   "{\"id\":%u,\"op\":\"send\",\"room\":\"room%u\","
					   "\"key\":\"" SEND_KEY_FORMAT "\",\"text\":\"",
					   seq + HUBBUB_JOIN, c->room, c->swarm->run_id, pub, seq);
		tail = "\"}";
		break;
	case KIND_NATS:
		head_len =
			(uint32_t)snprintf(head, sizeof(head), "PUB room.%u %u\r\n", c->room, size);
		tail = "\r\n";
		opcode = WS_BINARY;
		break;
	case KIND_PLAIN:
	case KIND_NCHAN:
		break;
	}
	uint32_t tail_len = (uint32_t)strlen(tail);
	uint32_t len = head_len + size + tail_len;
	uint8_t *p = conn_begin_frame(c, opcode, len);

	memcpy(p, head, head_len);
	payload_write(p + head_len, size, pub, seq, t);
	memcpy(p + head_len + size, tail, tail_len);
	conn_end_frame(c, len);
}
