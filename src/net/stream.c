/*
 * A socket's byte stream: reads into the worker's one buffer, writes gathered.
 *
 * Any callback may close any stream.  A closed stream's memory stays until the end of the turn, so
 * code below looks at s->closing after each callback and at nothing else.
 */
#include "hubbub/mem.h"
#include "net/internal.h"
#include "net/tls.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Passes over streams that callbacks of the flush itself made dirty, before others get a turn. */
#define MAX_FLUSH_PASSES 4

static void watch(struct stream *s)
{
	int err = stream_set_update(s);

	if (err != 0 && !s->failed)
		stream_fail(s, err);
}

static void list_add(struct stream_list *list, struct stream *s)
{
	if (list->n == list->cap) {
		list->cap = list->cap == 0 ? 256 : list->cap * 2;
		list->at = mem_realloc(list->at, list->cap * sizeof(list->at[0]));
	}
	list->at[list->n++] = s;
}

static void link_dirty(struct stream *s)
{
	struct worker *w = s->worker;

	if (s->is_dirty) {
		w->gather.n_merged++;
		return;
	}
	w->gather.n_writes++;
	s->is_dirty = true;
	s->dirty_index = w->dirty.n;
	list_add(&w->dirty, s);
}

static void unlink_dirty(struct stream *s)
{
	struct worker *w = s->worker;
	uint32_t i = s->dirty_index;

	if (!s->is_dirty)
		return;
	s->is_dirty = false;
	if (i < w->dirty.n && w->dirty.at[i] == s)
		w->dirty.at[i] = NULL;
	else
		w->flushing.at[i] = NULL;
}

/* One writer: no read-modify-write is needed. */
static void count_unsent(struct stream *s, size_t more, size_t less)
{
	atomic_size_t *sum = &s->worker->unsent;

	s->unsent += more - less;
	atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + more - less,
			      memory_order_relaxed);
}

static void drop_output(struct stream *s)
{
	unlink_dirty(s);
	stream_out_drop(s->worker, &s->out);
	if (s->is_tls)
		tls_drop_output(s);
	count_unsent(s, 0, s->unsent);
}

/* The socket failed: nothing will come and nothing can go any more. */
void stream_fail(struct stream *s, int err)
{
	s->failed = true;
	s->writing = false;
	drop_output(s);
	watch(s);
	s->events->on_end(s, err);
}

unsigned stream_gather(struct stream *s, struct iovec *iov, size_t *total)
{
	return s->is_tls ? tls_gather(s, iov, total) : stream_out_gather(s->out, iov, total);
}

int stream_took(struct stream *s, int result, size_t wanted)
{
	if (result < 0)
		return result;
	size_t sent = s->is_tls ? tls_took(s, (size_t)result) : (size_t)result;

	count_unsent(s, 0, sent);
	s->written += sent;
	if (s->is_tls) {
		if (tls_error(s) != 0)
			return tls_error(s);
	} else {
		if (sent > 0)
			stream_out_consume(s->out, sent);
		if (stream_out_is_empty(s->out))
			stream_out_drop(s->worker, &s->out);
	}
	return (size_t)result < wanted ? -EAGAIN : 0;
}

static bool has_output(const struct stream *s)
{
	return s->is_tls ? tls_has_output(s) : !stream_out_is_empty(s->out);
}

void stream_flushed(struct stream *s, int err)
{
	if (err == 0 && has_output(s)) {
		link_dirty(s); /* more than one write takes, or queued since */
		return;
	}
	if (err == -EAGAIN) {
		if (!s->writing) {
			s->writing = true;
			watch(s);
		}
		return;
	}
	if (err != 0) {
		stream_fail(s, err);
		return;
	}
	if (s->writing) {
		s->writing = false;
		watch(s);
	}
	if (s->unsent > 0)
		return; /* it waits for the handshake */
	if (s->shut_when_drained)
		shutdown(s->fd, SHUT_WR);
	if (s->events->on_drained != NULL)
		s->events->on_drained(s);
}

static int write_records(struct stream *s)
{
	struct iovec iov;
	size_t total;
	int err = 0;

	while (err == 0 && tls_gather(s, &iov, &total) > 0) {
		ssize_t n = send(s->fd, iov.iov_base, iov.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		err = stream_took(s, n < 0 ? -errno : (int)n, total);
	}
	return err == 0 ? tls_error(s) : err;
}

static int write_queued(struct stream *s)
{
	if (s->is_tls)
		return write_records(s);
	size_t written = 0;
	int err = stream_out_write(s->worker, &s->out, s->fd, &written);

	count_unsent(s, 0, written);
	s->written += written;
	return err;
}

void stream_flush(struct stream *s)
{
	stream_flushed(s, write_queued(s));
}

void stream_write_now(struct stream *s)
{
	if (!s->closing && !s->failed)
		(void)write_queued(s);
}

/* What comes out of it is told as if it had come from the socket. */
static void receive_records(struct stream *s, const uint8_t *bytes, size_t n)
{
	uint8_t *text;
	size_t len;
	int err = tls_receive(s, bytes, n, &text, &len);

	if (tls_has_output(s) && !s->writing)
		link_dirty(s);
	if (len > 0)
		s->events->on_data(s, text, len);
	if (s->closing || s->failed || err == 0)
		return;
	if (err == TLS_E_ENDED) {
		s->ended = true;
		watch(s);
		s->events->on_end(s, 0);
	} else {
		tls_say_last(s);
		stream_fail(s, err);
	}
}

/* A handshake is dear: when many come at once, those who are here already must not wait for all. */
static bool may_receive(struct stream *s)
{
	return !s->is_tls || tls_is_established(s) ||
	       s->worker->n_handshakes++ < TLS_HANDSHAKES_PER_TURN;
}

/* One recv: a peer that sends without end gets its turn like the others. */
static void receive(struct stream *s)
{
	uint8_t *bytes = s->worker->recv_buf;
	ssize_t n;

	do {
		n = recv(s->fd, bytes, WORKER_RECV_SIZE, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);

	if (n > 0 && s->is_tls) {
		receive_records(s, bytes, (size_t)n);
	} else if (n > 0) {
		s->events->on_data(s, bytes, (size_t)n);
	} else if (n == 0) {
		s->ended = true;
		watch(s);
		s->events->on_end(s, 0);
	} else if (errno != EAGAIN && errno != EWOULDBLOCK) {
		stream_fail(s, -errno);
	}
}

static int socket_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		return -errno;
	return err != 0 ? -err : -ECONNRESET;
}

void stream_ready(struct stream *s, bool readable, bool writable, bool broken)
{
	if (broken) {
		stream_fail(s, socket_error(s->fd));
		return;
	}
	if (writable && s->writing)
		stream_flush(s);
	if (readable && s->reading && !s->ended && !s->failed && !s->closing && may_receive(s))
		receive(s);
}

int stream_open(struct stream *s, struct worker *w, int fd, const struct stream_events *events)
{
	*s = (struct stream){.worker = w, .events = events, .fd = fd, .reading = true};
	int err = stream_set_update(s);

	if (err != 0) {
		close(fd);
		s->fd = -1;
		s->failed = true;
	}
	return err;
}

int stream_open_tls(struct stream *s, struct worker *w, int fd, const struct stream_events *events)
{
	int err = stream_open(s, w, fd, events);

	if (err == 0)
		err = tls_open(s);
	if (err != 0 && s->fd >= 0)
		s->failed = true;
	return err;
}

bool stream_is_tls(const struct stream *s)
{
	return s->is_tls;
}

static void push(struct stream *s, struct piece *p)
{
	count_unsent(s, p->len, 0);
	stream_out_push(s->worker, &s->out, p);
	/* While the socket is full, its becoming writable flushes. */
	if (!s->writing)
		link_dirty(s);
}

void stream_send(struct stream *s, struct chunk *c)
{
	if (s->closing || s->failed || s->shut_when_drained || chunk_len(c) == 0) {
		chunk_unref(c);
		return;
	}
	size_t len = chunk_len(c);

	push(s, piece_new(c, 0, len));
}

void stream_send_piece(struct stream *s, struct piece *p)
{
	if (s->closing || s->failed || s->shut_when_drained)
		return;
	p->n_refs++;
	push(s, p);
}

void stream_drop_queued(struct stream *s)
{
	count_unsent(s, 0, stream_out_trim(s->out));
}

size_t stream_unsent(const struct stream *s)
{
	return s->unsent;
}

static void set_reading(struct stream *s, bool reading)
{
	if (s->reading == reading || s->closing || s->failed)
		return;
	s->reading = reading;
	watch(s);
}

void stream_pause(struct stream *s)
{
	set_reading(s, false);
}

void stream_resume(struct stream *s)
{
	set_reading(s, true);
}

uint64_t stream_silent_ms(const struct stream *s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (s->fd < 0 || getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return UINT64_MAX;
	return info.tcpi_last_data_recv;
}

void stream_shutdown(struct stream *s)
{
	if (s->closing || s->failed || s->shut_when_drained)
		return;
	s->shut_when_drained = true;
	if (s->is_tls && tls_has_output(s)) {
		if (!s->writing)
			link_dirty(s);
	} else if (s->unsent == 0) {
		shutdown(s->fd, SHUT_WR);
	}
}

/*
 * The peer would take the end of what the kernel holds for the end of all that was said; and a peer
 * that reads nothing would keep that in the kernel.
 */
static void reset_on_close(int fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	/* On a socket that is gone already it fails, and nothing is to be reset. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void stream_close(struct stream *s)
{
	if (s->closing)
		return;
	s->closing = true;
	if (s->fd < 0) { /* it never opened: the loop knows nothing of it */
		s->events->on_closed(s);
		return;
	}
	if (s->unsent > 0)
		reset_on_close(s->fd);
	else if (s->is_tls && !s->failed)
		tls_say_last(s);
	drop_output(s);
	if (s->is_tls)
		tls_close(s);
	stream_set_leave(s);
	close(s->fd);
	s->fd = -1;
	list_add(&s->worker->closed, s);
}

static void flush_pass(struct worker *w)
{
	struct stream_list *list = &w->flushing;
	struct stream_list batch = w->dirty;

	/* Streams that callbacks make dirty go to the worker's own list, not to this pass. */
	w->dirty = *list;
	*list = batch;
	for (unsigned i = 0; i < list->n;) {
		if (w->ring != NULL && list->n - i >= w->ring_min) {
			i = stream_ring_flush(w, i);
			continue;
		}
		struct stream *s = list->at[i++];

		if (s == NULL)
			continue; /* closed meanwhile */
		s->is_dirty = false;
		w->n_flushed++;
		stream_flush(s);
	}
	list->n = 0;
}

void stream_flush_all(struct worker *w)
{
	for (unsigned i = 0; i < MAX_FLUSH_PASSES && w->dirty.n > 0; i++)
		flush_pass(w);
	/* What is dirty still must not wait for the next socket or tick. */
	if (w->dirty.n > 0)
		uv_async_send(&w->inbox.wakeup);
}

void stream_reap_closed(struct worker *w)
{
	for (unsigned i = 0; i < w->closed.n; i++) {
		struct stream *s = w->closed.at[i];

		s->events->on_closed(s); /* the last use of *s */
	}
	w->closed.n = 0;
}

void stream_forget_worker(struct worker *w)
{
	free(w->dirty.at);
	free(w->flushing.at);
	free(w->closed.at);
	w->dirty = w->flushing = w->closed = (struct stream_list){0};
	stream_set_free(w);
	stream_out_forget_free(w);
}
