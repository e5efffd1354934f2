/*
 * What a worker watches of its sockets: an epoll set of their own, whose descriptor is the one
 * thing of them that the loop knows.
 *
 * A handle of libuv for each would be 160 bytes of an idle connection, and four calls of
 * epoll_ctl() in the life of one instead of one.  And the loop would handle thousands of ready
 * sockets before it comes to anything else; here a turn takes MAX_READY of them, then what they
 * brought is written and the inbox has its turn.
 *
 * A socket is watched for what is wanted: bytes unless reading is paused or over, room to write
 * only after the socket was full.  When nothing is wanted it is not in the set, so that a paused
 * stream whose peer goes on sending costs nothing.
 */
#include "hubbub/mem.h"
#include "net/internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_READY 256

struct stream_set {
	int fd;
	uv_poll_t poll;
	/* Of the turn under way: */
	int n_ready, at;
	struct epoll_event ready[MAX_READY];
};

int stream_set_update(struct stream *s)
{
	struct epoll_event event = {.data.ptr = s};

	if (s->reading && !s->ended && !s->failed)
		event.events |= EPOLLIN;
	if (s->writing && !s->failed)
		event.events |= EPOLLOUT;
	if (event.events == s->watched)
		return 0;
	int op = s->watched == 0     ? EPOLL_CTL_ADD
		 : event.events == 0 ? EPOLL_CTL_DEL
				     : EPOLL_CTL_MOD;

	if (epoll_ctl(s->worker->sockets->fd, op, s->fd, &event) != 0)
		return -errno;
	s->watched = (uint8_t)event.events;
	return 0;
}

void stream_set_leave(struct stream *s)
{
	struct stream_set *set = s->worker->sockets;

	/* The kernel takes a descriptor out when it is closed.  What was seen of it is passed over.
	 */
	for (int i = set->at; i < set->n_ready; i++) {
		if (set->ready[i].data.ptr == s)
			set->ready[i].data.ptr = NULL;
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct worker *w = poll->data;
	struct stream_set *set = w->sockets;

	(void)status;
	(void)events;
	w->now_ms = uv_now(&w->loop);
	w->n_handshakes = 0;
	set->n_ready = epoll_wait(set->fd, set->ready, MAX_READY, 0);
	w->is_crowded = set->n_ready == MAX_READY;
	for (set->at = 0; set->at < set->n_ready;) {
		const struct epoll_event *e = &set->ready[set->at++];
		struct stream *s = e->data.ptr;

		if (s == NULL)
			continue; /* closed meanwhile */
		/* Where the peer is gone for good, whatever is wanted shows it. */
		bool gone = (e->events & EPOLLHUP) != 0;

		stream_ready(s, gone || (e->events & EPOLLIN) != 0,
			     gone || (e->events & EPOLLOUT) != 0, (e->events & EPOLLERR) != 0);
	}
	set->n_ready = set->at = 0;
}

int stream_start_worker(struct worker *w)
{
	struct stream_set *set = mem_zalloc(sizeof(*set));
	int err;

	set->fd = epoll_create1(EPOLL_CLOEXEC);
	err = set->fd < 0 ? -errno : uv_poll_init(&w->loop, &set->poll, set->fd);
	if (err != 0) {
		if (set->fd >= 0)
			close(set->fd);
		free(set);
		return err;
	}
	set->poll.data = w;
	w->sockets = set;
	uv_poll_start(&set->poll, UV_READABLE, on_ready);
	return 0;
}

void stream_stop_worker(struct worker *w)
{
	uv_close((uv_handle_t *)&w->sockets->poll, NULL);
}

void stream_set_free(struct worker *w)
{
	close(w->sockets->fd);
	free(w->sockets);
	w->sockets = NULL;
}
