#include "nats.h"

#include "base.h"
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nats_greet(struct conn *c)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,"
			   "\"name\":\"bench\",\"lang\":\"c\",\"version\":\"1\",\"protocol\":0}\r\n"
			   "SUB room.%u 1\r\nPING\r\n",
			   c->room);

	conn_put_frame(c, WS_BINARY, text, (uint32_t)len);
}

/** The number at the end of a line, which ends before @end. */
static size_t last_number(const uint8_t *line, const uint8_t *end)
{
	const uint8_t *p = end;
	size_t value = 0;

	while (p > line && p[-1] >= '0' && p[-1] <= '9')
		p--;
	for (; p < end; p++)
		value = value * 10 + (size_t)(*p - '0');
	return value;
}

/** Handle one protocol message; returns the first byte after it, or NULL if it is unfinished. */
static uint8_t *take_one(struct conn *c, uint8_t *p, const uint8_t *end,
			 void (*become_ready)(struct conn *c))
{
	struct swarm *sw = c->swarm;
	uint8_t *newline = memchr(p, '\n', (size_t)(end - p));

	if (newline == NULL)
		return NULL;
	if (p[0] == 'M') {
		size_t size = last_number(p, newline - 1);

		if ((size_t)(end - newline) < size + 3)
			return NULL;
		if (size != sw->opts->size)
			fail("connection %u: a message of %zu bytes", c->index, size);
		sw->on_message(c, newline + 1);
		return newline + 1 + size + 2;
	}
	if (memcmp(p, "PING", 4) == 0) {
		conn_put_frame(c, WS_BINARY, "PONG\r\n", 6);
		conn_flush(c);
	} else if (memcmp(p, "PONG", 4) == 0) {
		if (c->state == CONN_GREETING)
			become_ready(c);
	} else if (p[0] == '-') {
		fail("connection %u: %.*s", c->index, (int)(newline - p), (char *)p);
	}
	return newline + 1; /* INFO, +OK */
}

static uint8_t *take_all(struct conn *c, uint8_t *p, const uint8_t *end,
			 void (*become_ready)(struct conn *c))
{
	while (end - p >= 5) {
		uint8_t *next = take_one(c, p, end, become_ready);

		if (next == NULL)
			break;
		p = next;
	}
	return p;
}

void nats_on_frame(struct conn *c, uint8_t *bytes, size_t len, void (*become_ready)(struct conn *c))
{
	if (c->nats_len == 0) {
		uint8_t *p = take_all(c, bytes, bytes + len, become_ready);

		conn_keep(&c->nats, &c->nats_len, &c->nats_cap, p, (size_t)(bytes + len - p));
		return;
	}
	if (c->nats_len + len > c->nats_cap) {
		c->nats_cap = (uint32_t)(c->nats_len + len);
		c->nats = xrealloc(c->nats, c->nats_cap);
	}
	memcpy(c->nats + c->nats_len, bytes, len);
	uint8_t *end = c->nats + c->nats_len + len;
	uint8_t *p = take_all(c, c->nats, end, become_ready);

	conn_keep(&c->nats, &c->nats_len, &c->nats_cap, p, (size_t)(end - p));
}
