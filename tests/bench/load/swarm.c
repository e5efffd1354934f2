#include "swarm.h"

#include "base.h"
#include "inbound.h"
#include "kind.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_EVENTS 1024
#define PER_SOURCE 5000
#define PATIENCE_NS (20 * NS_PER_S)

static void raise_descriptor_limit(uint32_t wanted)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < (rlim_t)wanted + 16)
		fail("%u connections: this process may have %llu descriptors", wanted,
		     (unsigned long long)limit.rlim_cur);
}

static void ignore(struct conn *c, const uint8_t *payload)
{
	(void)c;
	(void)payload;
}

void swarm_init(struct swarm *sw, const struct opts *o, uint32_t n, uint32_t per_room)
{
	uint32_t random;

	*sw = (struct swarm){.opts = o, .n_conns = n, .on_message = ignore};
	raise_descriptor_limit(n);
	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
	sw->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sw->epoll < 0)
		fail("epoll: %s", strerror(errno));
	sw->buf = xcalloc(1, INBOUND_BUF_SIZE);
	sw->conns = xcalloc(n, sizeof(struct conn));
	for (uint32_t i = 0; i < n; i++)
		sw->conns[i] =
			(struct conn){.swarm = sw, .fd = -1, .index = i, .room = i / per_room};
	/* Names and keys are for ever: a run must not meet those of the last. */
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		fail("getrandom: %s", strerror(errno));
	snprintf(sw->run_id, sizeof(sw->run_id), "%08x", random);
}

void swarm_deinit(struct swarm *sw)
{
	swarm_close(sw, 0, sw->n_conns);
	for (uint32_t i = 0; i < sw->n_conns; i++) {
		free(sw->conns[i].rest);
		free(sw->conns[i].out);
		free(sw->conns[i].nats);
		if (sw->tokens != NULL)
			free(sw->tokens[i]);
	}
	free(sw->tokens);
	free(sw->conns);
	free(sw->buf);
	close(sw->epoll);
}

void swarm_close(struct swarm *sw, uint32_t from, uint32_t to)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	for (uint32_t i = from; i < to; i++) {
		struct conn *c = &sw->conns[i];

		if (c->state == CONN_CLOSED)
			continue;
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (c->state == CONN_READY)
			sw->n_ready--;
		conn_close(c);
	}
}

void swarm_watch(struct conn *c, bool for_out)
{
	struct epoll_event ev = {.events = EPOLLIN | (for_out ? EPOLLOUT : 0u), .data.ptr = c};

	c->waits_for_out = for_out;
	if (epoll_ctl(c->swarm->epoll, EPOLL_CTL_MOD, c->fd, &ev) != 0)
		fail("epoll_ctl: %s", strerror(errno));
}

void swarm_lost(struct conn *c, const char *why)
{
	struct swarm *sw = c->swarm;
	bool was_ready = c->state == CONN_READY;

	if (sw->on_lost == NULL)
		fail("connection %u: %s", c->index, why);
	conn_close(c);
	if (was_ready)
		sw->n_ready--;
	sw->on_lost(c);
}

/** A port range serves one source address only so far: take another after some thousands. */
static void bind_source(struct conn *c)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	int yes = 1;

	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + c->index / PER_SOURCE);
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	if (bind(c->fd, (const struct sockaddr *)&source, sizeof(source)) != 0)
		fail("bind: %s", strerror(errno));
}

void swarm_connect(struct conn *c)
{
	const struct opts *o = c->swarm->opts;
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
	int yes = 1;

	c->opened_at = now_ns();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (c->swarm->n_conns > PER_SOURCE && ntohl(o->server.sin_addr.s_addr) >> 24 == 127)
		bind_source(c);
	c->state = CONN_CONNECTING;
	if (connect(c->fd, (const struct sockaddr *)&o->server, sizeof(o->server)) != 0 &&
	    errno != EINPROGRESS) {
		swarm_lost(c, strerror(errno));
		return;
	}
	c->waits_for_out = true;
	if (epoll_ctl(c->swarm->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		fail("epoll_ctl: %s", strerror(errno));
}

static void on_connected(struct conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);
	char target[64];
	char request[512];

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err != 0) {
		swarm_lost(c, strerror(err));
		return;
	}
	kind_target(c, target, sizeof(target));
	int n = snprintf(request, sizeof(request),
			 "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			 "Sec-WebSocket-Version: 13\r\n\r\n",
			 target, c->swarm->opts->host);

	c->state = CONN_UPGRADING;
	memcpy(conn_reserve(c, (uint32_t)n), request, (size_t)n);
	c->out_len += (uint32_t)n;
	conn_flush(c);
}

int swarm_poll(struct swarm *sw, uint64_t timeout_ns)
{
	struct epoll_event events[N_EVENTS];
	struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S),
				   .tv_nsec = (long)(timeout_ns % NS_PER_S)};
	int n = epoll_pwait2(sw->epoll, events, N_EVENTS, &timeout, NULL);

	if (n < 0 && errno != EINTR)
		fail("epoll_pwait2: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct conn *c = events[i].data.ptr;

		if (c->state == CONN_CONNECTING)
			on_connected(c);
		else if (events[i].events & EPOLLOUT)
			conn_flush(c);
		if (c->state > CONN_CONNECTING &&
		    events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			inbound_read(c);
	}
	return n;
}

void swarm_run_for(struct swarm *sw, uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	for (uint64_t now = now_ns(); now < end; now = now_ns())
		swarm_poll(sw, end - now);
}

void swarm_open(struct swarm *sw, uint32_t from, uint32_t to)
{
	uint32_t next = from;
	uint32_t ready_before = sw->n_ready;
	uint32_t n_last = 0;
	uint64_t moved_at = now_ns();

	for (;;) {
		uint32_t n_done = sw->n_ready - ready_before;

		if (n_done == to - from)
			return;
		while (next < to && next - from - n_done < sw->opts->at_once)
			swarm_connect(&sw->conns[next++]);
		swarm_poll(sw, NS_PER_S);
		if (n_done != n_last) {
			n_last = n_done;
			moved_at = now_ns();
		} else if (now_ns() - moved_at > PATIENCE_NS) {
			fail("%u of %u connections are in their rooms, and no more get there",
			     n_done, to - from);
		}
	}
}
