#pragma once
/* Layer: net. */
#include "hubbub/chunk.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct worker;
struct stream;

struct stream_events {
	/** Bytes came.  They are the worker's receive buffer: writable, valid only during the call.
	 */
	void (*on_data)(struct stream *s, uint8_t *bytes, size_t len);
	/**
	 * The peer will send no more (err 0), or the socket failed (negative errno).  Each is told
	 * once: output may still be written after the first, and may then still fail.
	 */
	void (*on_end)(struct stream *s, int err);
	/** All output was written to the socket (after some could not be at once, or at a flush).
	 */
	void (*on_drained)(struct stream *s);
	/**
	 * The stream was closed and the loop has let go of it: the last use of *s, the owner may
	 * free it here.
	 */
	void (*on_closed)(struct stream *s);
};

/**
 * A stretch of a chunk as the streams of one worker share it: counted without atomics, so that what
 * goes out to a thousand connections costs each of them a pointer.  One worker's thread.
 */
struct piece;

/** @len bytes of @c from @offset on; takes the caller's reference to @c over.  One reference. */
struct piece *piece_new(struct chunk *c, size_t offset, size_t len);
void piece_unref(struct piece *p); /* NULL is allowed */
size_t piece_len(const struct piece *p);

/**
 * A socket's byte stream, embedded in its owner, used by one worker's thread alone.
 *
 * Output is a queue of pieces, written with one gathered write per turn of the loop.  The queue
 * exists only while something is unsent.
 */
struct stream {
	/* What a delivery touches comes first: it is a cache line less of each member. */
	int fd;
	bool reading : 1, writing : 1, is_dirty : 1, closing : 1, ended : 1, failed : 1;
	bool shut_when_drained : 1, is_tls : 1;
	uint8_t watched;        /* EPOLLIN and EPOLLOUT, as the worker's epoll set has it */
	uint32_t dirty_index;   /* where is_dirty stands in the worker's list */
	struct stream_out *out; /* unsent pieces; NULL when there are none */
	size_t unsent;          /* bytes in out */
	uint64_t written;       /* bytes of output that the socket has taken, ever */
	struct worker *worker;
	const struct stream_events *events;
	struct tls *tls; /* NULL: the bytes go as they are */
};

/** Start reading @fd (non-blocking), which the stream owns from here on also when this fails. */
int stream_open(struct stream *s, struct worker *w, int fd, const struct stream_events *events);
/**
 * The same with TLS on it, by the worker's context, which there must be (worker_set_tls()).  The
 * owner sees what is said inside and nothing of the handshake, whose time is the owner's to bound;
 * what is queued meanwhile waits for it.  A peer that breaks TLS is told of as a failed socket.
 */
int stream_open_tls(struct stream *s, struct worker *w, int fd, const struct stream_events *events);
/**
 * Queue @c, taking over the caller's reference.  Written at the end of this turn of the loop.
 * Dropped after the socket failed, and after stream_shutdown() or stream_close().
 */
void stream_send(struct stream *s, struct chunk *c);
/** The same for a piece that other streams of this worker are sent too; the caller keeps its
 * reference. */
void stream_send_piece(struct stream *s, struct piece *p);
/**
 * Write what the socket takes at once, before the turn's end; calls nothing back.  What it does not
 * take stays queued, and so does what a failed socket cannot take: the turn's end sees to both.
 */
void stream_write_now(struct stream *s);
/** Drop what is queued but for the rest of a chunk that is partly written. */
void stream_drop_queued(struct stream *s);
size_t stream_unsent(const struct stream *s); /* bytes */
bool stream_is_tls(const struct stream *s);
void stream_pause(struct stream *s); /* read no more until stream_resume(); idempotent */
void stream_resume(struct stream *s);
/**
 * Milliseconds since bytes last reached the socket, read from it or not; UINT64_MAX where the
 * kernel does not tell (TCP_INFO).
 */
uint64_t stream_silent_ms(const struct stream *s);
/** Half-close after all that is queued was written (shutdown SHUT_WR). */
void stream_shutdown(struct stream *s);
/**
 * Close at once, dropping what is unsent, of which a reset tells the peer; nothing but on_closed
 * follows.  Allowed inside callbacks.  Closing what is closing already does nothing.  A stream that
 * stream_open() failed to open may be closed like any other: on_closed is called at once then.
 */
void stream_close(struct stream *s);
/** Make @w ready to have streams; its loop is there.  0 or a negative errno. */
int stream_start_worker(struct worker *w);
/** Write what this turn queued on every dirty stream of @w; net/ calls it in prepare and check. */
void stream_flush_all(struct worker *w);
/** Let go of the streams that were closed; net/ calls it when no callback of a stream is running.
 */
void stream_reap_closed(struct worker *w);
/** Let the loop end: no stream of @w is left. */
void stream_stop_worker(struct worker *w);
/** Free what @w keeps for its streams, all of which are gone. */
void stream_forget_worker(struct worker *w);
