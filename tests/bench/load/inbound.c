/*
 * What comes in: the answer to the upgrade, then frames, from one buffer that all connections
 * share.  Only an unfinished frame is kept for its connection.
 */
#include "inbound.h"

#include "base.h"
#include "kind.h"
#include "swarm.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define RECV_MAX (256 * 1024)

/** Look for the end of the answer to the upgrade; returns the first byte after it, or NULL. */
static uint8_t *take_upgrade(struct conn *c, uint8_t *p, const uint8_t *end)
{
	uint8_t *blank = memmem(p, (size_t)(end - p), "\r\n\r\n", 4);

	if (blank == NULL)
		return NULL;
	const uint8_t *line_end = memchr(p, '\r', (size_t)(end - p));

	if (memcmp(p, "HTTP/1.1 101", 12) != 0)
		fail("connection %u: not upgraded: %.*s", c->index,
		     (int)((line_end != NULL ? line_end : blank) - p), (char *)p);
	c->state = CONN_GREETING;
	kind_greet(c);
	return blank + 4;
}

static void take_control(struct conn *c, uint8_t first, const uint8_t *payload, size_t len)
{
	switch (first) {
	case 0x88:
		fail("connection %u: closed with %d %.*s", c->index,
		     len >= 2 ? payload[0] << 8 | payload[1] : 1005, len > 2 ? (int)len - 2 : 0,
		     (const char *)payload + 2);
	case 0x89:
		conn_put_frame(c, 10, payload, (uint32_t)len);
		conn_flush(c);
		break;
	case 0x8a:
		break;
	default:
		fail("connection %u: a frame that begins with 0x%02x", c->index, first);
	}
}

/** Handle the whole frames from @p on; returns where the first unfinished one begins. */
static uint8_t *take_frames(struct conn *c, uint8_t *p, const uint8_t *end)
{
	while (end - p >= 2) {
		size_t len = p[1];
		size_t head = 2;

		if (len == 126) {
			if (end - p < 4)
				break;
			len = (size_t)p[2] << 8 | p[3];
			head = 4;
		} else if (len == 127) {
			if (end - p < 10)
				break;
			len = (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9];
			head = 10;
		} else if (len > 127) {
			fail("connection %u: a masked frame", c->index);
		}
		if ((size_t)(end - p) < head + len)
			break;
		if (p[0] == (0x80 | WS_TEXT) || p[0] == (0x80 | WS_BINARY))
			kind_on_frame(c, p[0], p + head, len);
		else
			take_control(c, p[0], p + head, len);
		p += head + len;
	}
	return p;
}

void inbound_read(struct conn *c)
{
	struct swarm *sw = c->swarm;
	uint8_t *p = sw->buf;

	if (c->rest_len > INBOUND_BUF_SIZE - RECV_MAX)
		fail("connection %u: a frame that is too long", c->index);
	if (c->rest_len > 0)
		memcpy(p, c->rest, c->rest_len);
	ssize_t n = recv(c->fd, p + c->rest_len, RECV_MAX, 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			swarm_lost(c, n == 0 ? "the server closed it" : strerror(errno));
		return;
	}
	uint8_t *end = p + c->rest_len + n;

	sw->now = now_ns();
	if (c->state == CONN_UPGRADING) {
		uint8_t *frames = take_upgrade(c, p, end);

		if (frames != NULL)
			p = frames;
	}
	if (c->state >= CONN_GREETING)
		p = take_frames(c, p, end);
	if (c->state == CONN_CLOSED)
		return; /* a write in a handler broke it */
	if (p != end || c->rest_len > 0)
		conn_keep(&c->rest, &c->rest_len, &c->rest_cap, p, (size_t)(end - p));
	if (sw->on_read_end != NULL)
		sw->on_read_end(c);
}
