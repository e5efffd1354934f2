/*
 * A worker: one thread, one loop, and the connections that live there from accept to free.
 *
 * A turn of the loop is: timers, prepare (flush what timers queued), wait, sockets and inbox, check
 * (flush what they queued), close callbacks.  So all that one turn queues for a connection leaves
 * in one gathered write, and under load that of several turns (gather.c).
 *
 * The end comes in three steps: worker_stop() posts a message; on_stop() ends the connections; and
 * worker_stopped() has the inbox emptied and closed and the handles closed, so that the loop ends.
 */
#include "hubbub/crash.h"
#include "hubbub/mem.h"
#include "net/internal.h"
#include "net/tls.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Fewer writes than this are not worth the ring. */
#define RING_MIN 4

struct socket_msg {
	struct inbox_msg msg;
	int fd;
	unsigned door;
	struct acceptor *acceptor; /* told when the socket is dropped; NULL: nobody is */
	unsigned worker;
	void *pass;
};

static void on_tick(uv_timer_t *tick)
{
	struct worker *w = tick->data;

	w->now_ms = uv_now(&w->loop);
	atomic_fetch_add_explicit(&w->n_ticks, 1, memory_order_relaxed);
	if (w->hooks->on_tick != NULL)
		w->hooks->on_tick(w, w->now_ms);
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* that it is active is what keeps the loop from waiting */
}

static void on_flush_due(uv_timer_t *flush)
{
	(void)flush; /* it has woken the loop, and the turn's end does the rest */
}

/* Whether what waits to be written may wait on; a timer sees to its end. */
static bool gathers(struct worker *w, uint64_t now_ns)
{
	uint64_t ns = gather_wait(&w->gather, now_ns, uv_metrics_idle_time(&w->loop));

	if (ns == 0)
		return false;
	if (!uv_is_active((uv_handle_t *)&w->flush)) {
		uv_update_time(&w->loop);
		uv_timer_start(&w->flush, on_flush_due, (ns + 999999) / 1000000, 0);
	}
	return true;
}

static void write_output(struct worker *w, uint64_t now_ns)
{
	uint64_t n_before = w->n_flushed;
	bool done = true;

	uv_timer_stop(&w->flush);
	if (w->hooks->on_output != NULL)
		done = w->hooks->on_output(w);
	stream_flush_all(w);
	gather_flushed(&w->gather, w->n_flushed - n_before, uv_hrtime() - now_ns);
	if (done)
		uv_idle_stop(&w->idle);
	else
		uv_idle_start(&w->idle, on_idle);
}

static void turn(struct worker *w)
{
	uint64_t now_ns;

	w->now_ms = uv_now(&w->loop);
	if (w->hooks->on_turn != NULL)
		w->hooks->on_turn(w);
	/* What a fan-out left over does not wait again. */
	if (w->gather.n_writes == 0 && w->dirty.n == 0 && !uv_is_active((uv_handle_t *)&w->idle))
		return;
	now_ns = uv_hrtime();
	if (!uv_is_active((uv_handle_t *)&w->idle) && gathers(w, now_ns))
		return;
	write_output(w, now_ns);
	/* What was written may have let requests go on. */
	if (w->hooks->on_turn != NULL)
		w->hooks->on_turn(w);
}

static void end_turn(struct worker *w)
{
	turn(w);
	stream_reap_closed(w);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct worker *w = prepare->data;

	/* What was left for the next turn waits for the sockets to have theirs. */
	if (!uv_is_active((uv_handle_t *)&w->idle))
		end_turn(w);
}

static void on_check(uv_check_t *check)
{
	end_turn(check->data);
}

static void run(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "worker-%u", w->index);
	pthread_setname_np(pthread_self(), name);
	crash_watch_thread();
	if (w->wants_ring)
		w->ring = stream_ring_new(); /* the kernel wants one thread to make and to use it */
	w->ring_min = RING_MIN;
	uv_update_time(&w->loop);
	w->now_ms = uv_now(&w->loop);
	if (w->hooks->on_start != NULL)
		w->hooks->on_start(w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	stream_ring_free(w->ring);
	w->ring = NULL;
}

static void close_handles(struct worker *w)
{
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_close((uv_handle_t *)&w->check, NULL);
	uv_close((uv_handle_t *)&w->prepare, NULL);
	uv_close((uv_handle_t *)&w->idle, NULL);
	uv_close((uv_handle_t *)&w->flush, NULL);
	stream_stop_worker(w);
	uv_close((uv_handle_t *)&w->inbox.wakeup, NULL);
}

static void release(struct worker *w)
{
	int err = uv_loop_close(&w->loop);

	assert(err == 0); /* every handle was closed before the loop ended */
	(void)err;
	mutex_deinit(&w->inbox.lock);
	stream_forget_worker(w);
	tls_forget_worker(w);
	free(w->recv_buf);
	w->recv_buf = NULL;
}

int worker_start(struct worker *w, unsigned index, const struct worker_hooks *hooks, void *ctx,
		 unsigned gather_ms, bool wants_ring)
{
	int err;

	*w = (struct worker){.index = index, .hooks = hooks, .ctx = ctx};
	err = uv_loop_init(&w->loop);
	if (err != 0)
		return err;
	err = stream_start_worker(w);
	if (err != 0) {
		uv_loop_close(&w->loop);
		return err;
	}
	err = inbox_init(&w->inbox, &w->loop, w);
	if (err != 0) {
		stream_stop_worker(w);
		uv_run(&w->loop, UV_RUN_DEFAULT);
		stream_forget_worker(w);
		uv_loop_close(&w->loop);
		return err;
	}
	/* On a fresh loop none of these can fail. */
	uv_timer_init(&w->loop, &w->tick);
	uv_check_init(&w->loop, &w->check);
	uv_prepare_init(&w->loop, &w->prepare);
	uv_idle_init(&w->loop, &w->idle);
	uv_timer_init(&w->loop, &w->flush);
	uv_loop_configure(&w->loop, UV_METRICS_IDLE_TIME);
	w->wants_ring = wants_ring;
	gather_init(&w->gather, (uint64_t)gather_ms * 1000000);
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

static void drop_socket(struct inbox_msg *msg)
{
	struct socket_msg *sm = (struct socket_msg *)msg;

	close(sm->fd);
	if (sm->acceptor != NULL)
		acceptor_dropped(sm->acceptor, sm->worker, sm->pass);
	free(sm);
}

static void deliver_socket(struct inbox_msg *msg, struct worker *w)
{
	struct socket_msg *sm = (struct socket_msg *)msg;

	w->now_ms = uv_now(&w->loop);
	if (w->stopping) {
		drop_socket(msg);
		return;
	}
	w->hooks->on_socket(w, sm->fd, sm->door, sm->pass);
	free(sm);
}

void worker_list_socket(struct inbox_list *list, int fd, unsigned door, struct acceptor *a,
			unsigned worker, void *pass)
{
	struct socket_msg *sm = mem_alloc(sizeof(*sm));

	*sm = (struct socket_msg){.msg.deliver = deliver_socket,
				  .fd = fd,
				  .door = door,
				  .acceptor = a,
				  .worker = worker,
				  .pass = pass};
	inbox_list_add(list, &sm->msg);
}

void worker_give_sockets(struct worker *w, struct inbox_list *list)
{
	inbox_post_list(&w->inbox, list, drop_socket);
}

struct tls_msg {
	struct inbox_msg msg;
	struct tls_context *context; /* a reference */
};

static void deliver_tls(struct inbox_msg *msg, struct worker *w)
{
	struct tls_msg *m = (struct tls_msg *)msg;

	tls_context_unref(w->tls_context);
	w->tls_context = m->context;
	free(m);
}

void worker_set_tls(struct worker *w, struct tls_context *c)
{
	struct tls_msg *m = mem_alloc(sizeof(*m));

	*m = (struct tls_msg){.msg.deliver = deliver_tls, .context = tls_context_ref(c)};
	if (!inbox_post(&w->inbox, &m->msg)) {
		tls_context_unref(c);
		free(m);
	}
}

void worker_come_back(struct worker *w)
{
	uv_async_send(&w->inbox.wakeup);
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
