#include "conn.h"

#include "base.h"
#include "swarm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The server has to unmask whatever the mask is, so one that is not zero is enough. */
static const uint8_t MASK[4] = {0x5a, 0xc3, 0x1f, 0x96};

uint8_t *conn_reserve(struct conn *c, uint32_t more)
{
	if (c->out_len + more > c->out_cap) {
		c->out_cap = (c->out_len + more) * 2;
		c->out = xrealloc(c->out, c->out_cap);
	}
	return c->out + c->out_len;
}

uint8_t *conn_begin_frame(struct conn *c, uint8_t opcode, uint32_t len)
{
	uint8_t *start = conn_reserve(c, len + 14);
	uint8_t *p = start;

	*p++ = 0x80 | opcode;
	if (len < 126) {
		*p++ = (uint8_t)(0x80 | len);
	} else if (len <= UINT16_MAX) {
		*p++ = 0x80 | 126;
		*p++ = (uint8_t)(len >> 8);
		*p++ = (uint8_t)len;
	} else {
		fail("a frame of %u bytes is more than the generator sends", len);
	}
	memcpy(p, MASK, sizeof(MASK));
	p += sizeof(MASK);
	c->out_len += (uint32_t)(p - start) + len;
	return p;
}

void conn_end_frame(struct conn *c, uint32_t len)
{
	uint8_t *p = c->out + c->out_len - len;

	for (uint32_t i = 0; i < len; i++)
		p[i] ^= MASK[i & 3];
}

void conn_put_frame(struct conn *c, uint8_t opcode, const void *payload, uint32_t len)
{
	uint8_t *p = conn_begin_frame(c, opcode, len);

	if (len > 0)
		memcpy(p, payload, len);
	conn_end_frame(c, len);
}

void conn_put_textf(struct conn *c, const char *format, ...)
{
	char text[16384];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);

	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		fail("a request is too long");
	conn_put_frame(c, WS_TEXT, text, (uint32_t)len);
}

void conn_flush(struct conn *c)
{
	if (c->out_len == 0 || c->state == CONN_CLOSED)
		return;
	ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		swarm_lost(c, strerror(errno));
		return;
	}
	if (n > 0) {
		c->out_len -= (uint32_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
	if ((c->out_len > 0) != c->waits_for_out)
		swarm_watch(c, c->out_len > 0);
}

void conn_close(struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	close(c->fd);
	c->fd = -1;
	c->state = CONN_CLOSED;
	c->waits_for_out = false;
	c->rest_len = c->out_len = c->nats_len = 0;
	c->n_own = 0;
}

void conn_keep(uint8_t **buf, uint32_t *buf_len, uint32_t *buf_cap, const uint8_t *bytes,
	       size_t len)
{
	if (len > *buf_cap) {
		/* Only a frame that began elsewhere is longer than the buffer. */
		*buf_cap = (uint32_t)len;
		*buf = xrealloc(*buf, len);
	}
	if (len > 0)
		memmove(*buf, bytes, len);
	*buf_len = (uint32_t)len;
}
