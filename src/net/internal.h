#pragma once
/* What the files of net/ share among themselves. */
#include "hubbub/acceptor.h"
#include "hubbub/inbox.h"
#include "hubbub/stream.h"
#include "hubbub/worker.h"
#include <sys/uio.h>

/** A socket that was listed was closed unseen: its place and its pass are given back.  Any thread.
 */
void acceptor_dropped(struct acceptor *a, unsigned worker, void *pass);

/** The sockets that listen, on the acceptor's thread. */
struct doors {
	struct door {
		int fd;
		char *address;
		uv_poll_t poll;
	} at[ACCEPTOR_MAX_DOORS];
	unsigned n;
};

/** One more, which is taken over, also when this fails; @data is its handle's. */
int doors_add(struct doors *d, uv_loop_t *loop, int fd, void *data);
/** Call @on_connection when somebody waits at any of them; again does nothing more. */
void doors_watch(struct doors *d, uv_poll_cb on_connection);
void doors_unwatch(struct doors *d);
/** The sockets stay. */
void doors_close_handles(struct doors *d, uv_close_cb on_closed);
void doors_deinit(struct doors *d);

/** Sockets that were refused, on the acceptor's thread. */
struct refusals;

struct refusals *refusals_new(uv_loop_t *loop);
/** Close all of them; freed when the loop has run its callbacks. */
void refusals_close(struct refusals *r);
/** Send @answer, without waiting, and close @fd a moment later; an empty @answer: reset it. */
void refusals_add(struct refusals *r, int fd, struct span answer);
#define REFUSALS_MAX 32

/** Deliver all that waits, in order.  Owner's thread, not from inside a deliver(). */
void inbox_deliver_all(struct inbox *ib);
/** Close the inbox if nothing waits; false if something does.  After true no post succeeds. */
bool inbox_close_if_empty(struct inbox *ib);

/** All that waits was delivered: end the loop if worker_stopped() asked for it. */
void worker_end_if_stopped(struct worker *w);
struct piece {
	const uint8_t *bytes;
	size_t len;
	unsigned n_refs;
	struct chunk *chunk; /* a reference */
};

/* stream.c, for stream_set.c */
/** The socket can be read, can be written, or has an error. */
void stream_ready(struct stream *s, bool readable, bool writable, bool broken);
/** The socket failed: nothing will come and nothing can go any more. */
void stream_fail(struct stream *s, int err);

/* stream.c, for stream_ring.c */
/** Write what @s has queued, and tell its owner. */
void stream_flush(struct stream *s);
/**
 * Point at most STREAM_OUT_MAX_IOVECS of @iov at what is to be written of @s; returns how many.
 */
unsigned stream_gather(struct stream *s, struct iovec *iov, size_t *total);
/**
 * A write of @wanted bytes was made with this result (bytes, or a negative errno): they go from the
 * queue.  Calls nothing back.  0, -EAGAIN when the socket is full, or an error.
 */
int stream_took(struct stream *s, int result, size_t wanted);
/** Tell the owner what came of a write, as stream_took() returned it. */
void stream_flushed(struct stream *s, int err);

/* stream_ring.c */
/** A ring for this thread's writes; NULL where the kernel has none to give. */
struct stream_ring *stream_ring_new(void);
void stream_ring_free(struct stream_ring *r); /* NULL is allowed */
/**
 * Write a batch of the streams of w->flushing from @from on; returns where the next begins.  A ring
 * that fails is freed, and w->ring is NULL then.
 */
unsigned stream_ring_flush(struct worker *w, unsigned from);

/* stream_set.c */
/** Watch for what @s wants now.  0 or a negative errno. */
int stream_set_update(struct stream *s);
/** @s is about to be closed. */
void stream_set_leave(struct stream *s);
void stream_set_free(struct worker *w);

struct stream_out;

/** Append @p to the queue at *@out (NULL when empty), taking over the reference. */
void stream_out_push(struct worker *w, struct stream_out **out, struct piece *p);
/**
 * Write as much as @fd takes, releasing what was written; gives the queue back when it is empty.
 * The bytes written are added to *@written.  0, -EAGAIN when the socket is full, or an error.
 */
int stream_out_write(struct worker *w, struct stream_out **out, int fd, size_t *written);
#define STREAM_OUT_MAX_IOVECS 64
/** Point at most STREAM_OUT_MAX_IOVECS of @iov at what is queued; returns how many, 0 for NULL. */
unsigned stream_out_gather(const struct stream_out *out, struct iovec *iov, size_t *total);
/** Release what the first @n bytes cover. */
void stream_out_consume(struct stream_out *out, size_t n);
/**
 * The first bytes that are queued, at most @max: *@bytes points at them, or at @copy where they had
 * to be gathered.  Returns how many.
 */
size_t stream_out_peek(const struct stream_out *out, uint8_t *copy, size_t max,
		       const uint8_t **bytes);
bool stream_out_is_empty(const struct stream_out *out); /* true for NULL */
/** Release all but the rest of a piece that is partly written; returns the bytes released. */
size_t stream_out_trim(struct stream_out *out);
/** Release all that is queued. */
void stream_out_drop(struct worker *w, struct stream_out **out);
/** Free the queues that @w keeps for the next to use. */
void stream_out_forget_free(struct worker *w);

/* listen.c */
/** A TCP socket that listens on @host:@port, or a negative errno (-EINVAL: no such address). */
int listen_open(const char *host, uint16_t port);
/** Make a socket that listens already like one of listen_open(); see acceptor_adopt(). */
int listen_adopt(int fd);
/** `ADDR:PORT` as @fd is bound, with brackets around an IPv6 address; NULL with errno set. */
char *listen_address(int fd);
