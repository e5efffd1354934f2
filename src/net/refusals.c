/*
 * Sockets that were refused.
 *
 * Closing one at once would have the kernel reset it when the peer's request comes, and the answer
 * might be lost on the way.  So each is kept for a second, in a ring: whoever is refused as the
 * ring is full ends the oldest.  Nothing is read from them, and no worker hears of them.
 */
#include "hubbub/mem.h"
#include "net/internal.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_MS 1000

struct refusals {
	uv_timer_t timer;
	struct {
		int fd;
		uint64_t until_ms; /* on the loop's clock */
	} ring[REFUSALS_MAX];
	unsigned first, n;
};

static void close_first(struct refusals *r)
{
	close(r->ring[r->first].fd);
	r->first = (r->first + 1) % REFUSALS_MAX;
	r->n--;
}

static void on_timer(uv_timer_t *timer)
{
	struct refusals *r = timer->data;
	uint64_t now = uv_now(timer->loop);

	while (r->n > 0 && r->ring[r->first].until_ms <= now)
		close_first(r);
	if (r->n > 0)
		uv_timer_start(timer, on_timer, r->ring[r->first].until_ms - now, 0);
}

static void on_closed(uv_handle_t *timer)
{
	free(timer->data);
}

struct refusals *refusals_new(uv_loop_t *loop)
{
	struct refusals *r = mem_zalloc(sizeof(*r));

	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	return r;
}

void refusals_close(struct refusals *r)
{
	while (r->n > 0)
		close_first(r);
	uv_close((uv_handle_t *)&r->timer, on_closed);
}

void refusals_add(struct refusals *r, int fd, struct span answer)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	/* A new socket has room for a line of text: what does not go now is not worth the wait. */
	if (answer.len == 0 || send(fd, answer.p, answer.len, MSG_NOSIGNAL) < 0) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		return;
	}
	shutdown(fd, SHUT_WR);
	if (r->n == REFUSALS_MAX)
		close_first(r);
	r->ring[(r->first + r->n) % REFUSALS_MAX].fd = fd;
	r->ring[(r->first + r->n) % REFUSALS_MAX].until_ms = uv_now(r->timer.loop) + KEPT_MS;
	if (r->n++ == 0)
		uv_timer_start(&r->timer, on_timer, KEPT_MS, 0);
}
