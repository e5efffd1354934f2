#pragma once
/*
 * Streams over socket pairs, on a loop that the test itself turns: what the peer does and what the
 * stream does happen in a known order.
 */
#include "hubbub/stream.h"

#include "hubbub/buf.h"
#include "hubbub/mem.h"
#include "hubbub/worker.h"
#include "net/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A stream with its peer, and what the stream was told. */
struct side {
	struct stream s;
	int peer;
	struct buf got;
	unsigned n_data, n_ends, n_drained, n_closed;
	int ends[2];
	/* What the callbacks do besides counting: */
	bool close_on_data, close_on_end, close_on_drained, pause_on_data;
	unsigned send_on_drained; /* so many more times */
	struct side *close_other;
};

static struct worker worker;
static bool gave_up;
static unsigned n_ticks;

static inline void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
	stream_flush_all(&worker);
	stream_reap_closed(&worker);
}

static inline void on_check(uv_check_t *check)
{
	(void)check;
	stream_flush_all(&worker);
	stream_reap_closed(&worker);
}

/* What a flush before the wait has told is looked at after the wait, so that must not be long. */
static inline void on_tick(uv_timer_t *timer)
{
	(void)timer;
	if (++n_ticks == 4000)
		gave_up = true;
}

static inline int set_up(void **state)
{
	(void)state;
	worker = (struct worker){.recv_buf = mem_alloc(WORKER_RECV_SIZE)};
	uv_loop_init(&worker.loop);
	inbox_init(&worker.inbox, &worker.loop, &worker);
	assert_int_equal(stream_start_worker(&worker), 0);
	uv_prepare_init(&worker.loop, &worker.prepare);
	uv_prepare_start(&worker.prepare, on_prepare);
	uv_check_init(&worker.loop, &worker.check);
	uv_check_start(&worker.check, on_check);
	uv_timer_init(&worker.loop, &worker.tick);
	uv_timer_start(&worker.tick, on_tick, 5, 5);
	n_ticks = 0;
	gave_up = false;
	return 0;
}

static inline int set_up_with_ring(void **state)
{
	int err = set_up(state);

	worker.ring = stream_ring_new();
	worker.ring_min = 1;
	return err;
}

static inline int tear_down(void **state)
{
	(void)state;
	stream_ring_free(worker.ring);
	uv_close((uv_handle_t *)&worker.prepare, NULL);
	uv_close((uv_handle_t *)&worker.check, NULL);
	uv_close((uv_handle_t *)&worker.tick, NULL);
	uv_close((uv_handle_t *)&worker.inbox.wakeup, NULL);
	stream_stop_worker(&worker);
	uv_run(&worker.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&worker.loop), 0);
	mutex_deinit(&worker.inbox.lock);
	stream_forget_worker(&worker);
	free(worker.recv_buf);
	return 0;
}

#define turn_until(condition)                              \
	do {                                               \
		while (!(condition) && !gave_up)           \
			uv_run(&worker.loop, UV_RUN_ONCE); \
		assert_true(condition);                    \
	} while (0)

static inline void turn(void)
{
	uv_run(&worker.loop, UV_RUN_NOWAIT);
}

static inline void on_closed(struct stream *s)
{
	((struct side *)s)->n_closed++;
}

static inline void on_data(struct stream *s, uint8_t *bytes, size_t len)
{
	struct side *side = (struct side *)s;

	side->n_data++;
	buf_append(&side->got, bytes, len);
	if (side->pause_on_data)
		stream_pause(s);
	if (side->close_other != NULL)
		stream_close(&side->close_other->s);
	if (side->close_on_data)
		stream_close(s);
}

static inline void on_end(struct stream *s, int err)
{
	struct side *side = (struct side *)s;

	assert_true(side->n_ends < 2);
	side->ends[side->n_ends++] = err;
	if (side->close_other != NULL)
		stream_close(&side->close_other->s);
	if (side->close_on_end)
		stream_close(s);
}

static inline void on_drained(struct stream *s)
{
	struct side *side = (struct side *)s;

	side->n_drained++;
	if (side->close_other != NULL)
		stream_close(&side->close_other->s);
	if (side->send_on_drained > 0) {
		side->send_on_drained--;
		stream_send(s, chunk_new_copy("m", 1));
	}
	if (side->close_on_drained)
		stream_close(s);
}

static const struct stream_events events = {
	.on_data = on_data,
	.on_end = on_end,
	.on_drained = on_drained,
	.on_closed = on_closed,
};

static inline void open_pair(struct side *side)
{
	int fds[2];

	*side = (struct side){0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	side->peer = fds[1];
	assert_int_equal(stream_open(&side->s, &worker, fds[0], &events), 0);
}

/* The same over TCP, where a reset can be sent. */
static inline void open_tcp(struct side *side)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd;

	*side = (struct side){0};
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	side->peer = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(side->peer, (struct sockaddr *)&addr, len), 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	close(listener);
	fcntl(side->peer, F_SETFL, O_NONBLOCK);
	assert_int_equal(stream_open(&side->s, &worker, fd, &events), 0);
}

static inline void reset_peer(struct side *side)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(side->peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(side->peer);
	side->peer = -1;
}

static inline void close_side(struct side *side)
{
	stream_close(&side->s);
	turn_until(side->n_closed == 1);
	if (side->peer >= 0)
		close(side->peer);
	buf_deinit(&side->got);
}

static inline void send_text(struct side *side, const char *text)
{
	stream_send(&side->s, chunk_new_copy(text, strlen(text)));
}

/* What the peer can read now. */
static inline size_t peer_read(struct side *side, char *bytes, size_t size)
{
	ssize_t n = recv(side->peer, bytes, size, 0);

	return n > 0 ? (size_t)n : 0;
}

/* With each write by itself, and with all by a ring, where the kernel has one. */
#define CLAIM(name)                                                           \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down),             \
	{                                                                     \
#name "_with_a_ring", name, set_up_with_ring, tear_down, NULL \
	}
