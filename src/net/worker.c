/*
 * A worker: one thread, one loop, and the connections that live there from accept to free.
 *
 * A turn of the loop is: timers, prepare (flush what timers queued), wait, sockets and inbox, check
 * (flush what they queued), close callbacks.  So all that one turn queues for a connection leaves
 * in one gathered write.
 *
 * The end comes in three steps: worker_stop() posts a message; on_stop() ends the connections; and
 * worker_stopped() has the inbox emptied and closed and the handles closed, so that the loop ends.
 */
#include "hubbub/mem.h"
#include "net/internal.h"
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct socket_msg {
	struct inbox_msg msg;
	int fd;
	struct acceptor *acceptor; /* told when the socket is dropped; NULL: nobody is */
};

static void on_tick(uv_timer_t *tick)
{
	struct worker *w = tick->data;

	w->now_ms = uv_now(&w->loop);
	if (w->hooks->on_tick != NULL)
		w->hooks->on_tick(w, w->now_ms);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct worker *w = prepare->data;

	w->now_ms = uv_now(&w->loop);
	stream_flush_all(w);
}

static void on_check(uv_check_t *check)
{
	struct worker *w = check->data;

	w->now_ms = uv_now(&w->loop);
	stream_flush_all(w);
}

static void run(void *arg)
{
	struct worker *w = arg;

	uv_update_time(&w->loop);
	w->now_ms = uv_now(&w->loop);
	if (w->hooks->on_start != NULL)
		w->hooks->on_start(w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
}

static void close_handles(struct worker *w)
{
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_close((uv_handle_t *)&w->check, NULL);
	uv_close((uv_handle_t *)&w->prepare, NULL);
	uv_close((uv_handle_t *)&w->inbox.wakeup, NULL);
}

static void release(struct worker *w)
{
	int err = uv_loop_close(&w->loop);

	assert(err == 0); /* every handle was closed before the loop ended */
	(void)err;
	mutex_deinit(&w->inbox.lock);
	free(w->recv_buf);
	w->recv_buf = NULL;
}

int worker_start(struct worker *w, unsigned index, const struct worker_hooks *hooks, void *ctx)
{
	int err;

	*w = (struct worker){.index = index, .hooks = hooks, .ctx = ctx};
	err = uv_loop_init(&w->loop);
	if (err != 0)
		return err;
	err = inbox_init(&w->inbox, &w->loop, w);
	if (err != 0) {
		uv_loop_close(&w->loop);
		return err;
	}
	/* On a fresh loop none of these can fail. */
	uv_timer_init(&w->loop, &w->tick);
	uv_check_init(&w->loop, &w->check);
	uv_prepare_init(&w->loop, &w->prepare);
	w->tick.data = w;
	w->check.data = w;
	w->prepare.data = w;
	uv_timer_start(&w->tick, on_tick, WORKER_TICK_MS, WORKER_TICK_MS);
	uv_check_start(&w->check, on_check);
	uv_prepare_start(&w->prepare, on_prepare);
	w->recv_buf = mem_alloc(WORKER_RECV_SIZE);

	err = uv_thread_create(&w->thread, run, w);
	if (err != 0) {
		close_handles(w);
		uv_run(&w->loop, UV_RUN_DEFAULT);
		release(w);
	}
	return err;
}

static void deliver_socket(struct inbox_msg *msg, struct worker *w)
{
	struct socket_msg *sm = (struct socket_msg *)msg;

	w->now_ms = uv_now(&w->loop);
	if (!w->stopping) {
		w->hooks->on_socket(w, sm->fd);
	} else {
		close(sm->fd);
		if (sm->acceptor != NULL)
			acceptor_released(sm->acceptor);
	}
	free(sm);
}

bool worker_post_socket(struct worker *w, int fd, struct acceptor *a)
{
	struct socket_msg *sm = mem_alloc(sizeof(*sm));

	*sm = (struct socket_msg){.msg.deliver = deliver_socket, .fd = fd, .acceptor = a};
	if (inbox_post(&w->inbox, &sm->msg))
		return true;
	free(sm);
	return false;
}

bool worker_give_socket(struct worker *w, int fd)
{
	return worker_post_socket(w, fd, NULL);
}

static void deliver_stop(struct inbox_msg *msg, struct worker *w)
{
	free(msg);
	w->stopping = true;
	w->hooks->on_stop(w);
}

void worker_stop(struct worker *w)
{
	struct inbox_msg *msg = mem_alloc(sizeof(*msg));

	*msg = (struct inbox_msg){.deliver = deliver_stop};
	if (!inbox_post(&w->inbox, msg))
		free(msg);
}

void worker_stopped(struct worker *w)
{
	assert(w->stopping);
	if (w->stopped)
		return;
	/*
	 * The rest waits for a wakeup: this may be called from a message's delivery, and the ones
	 * behind it come first.
	 */
	w->stopped = true;
	uv_async_send(&w->inbox.wakeup);
}

void worker_end_if_stopped(struct worker *w)
{
	if (!w->stopped)
		return;
	while (!inbox_close_if_empty(&w->inbox))
		inbox_deliver_all(&w->inbox);
	close_handles(w);
}

void worker_join(struct worker *w)
{
	uv_thread_join(&w->thread);
	release(w);
}
