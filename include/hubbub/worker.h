#pragma once
/* Layer: net. */
#include "hubbub/gather.h"
#include "hubbub/inbox.h"
#include "hubbub/stream.h"
#include "hubbub/tls.h"
#include <stdatomic.h>
#include <stdint.h>

#define WORKER_RECV_SIZE (64 * 1024)

struct acceptor;

/** What the layer above does on a worker's thread. */
struct worker_hooks {
	void (*on_start)(struct worker *w); /* before the loop runs */
	/**
	 * A socket that came in by @door, which the hook owns, with what the acceptor's gate gave
	 * for it.
	 */
	void (*on_socket)(struct worker *w, int fd, unsigned door, void *pass);
	void (*on_tick)(struct worker *w, uint64_t now_ms); /* every WORKER_TICK_MS, monotonic */
	/** All that this turn of the loop brought was handled. */
	void (*on_turn)(struct worker *w);
	/**
	 * Output is about to be written: queue what waits for that.  False: there is more of it
	 * than one turn should take, so the loop comes back when the sockets had their turn.
	 */
	bool (*on_output)(struct worker *w);
	/**
	 * The server stops: end every connection; call worker_stopped() when the last one is gone.
	 * Called once, on the worker's thread.
	 */
	void (*on_stop)(struct worker *w);
};

#define WORKER_TICK_MS 100

/**
 * One thread with one libuv loop, which owns its connections from accept to free.
 *
 * Everything of a worker but its inbox is touched by its own thread alone.
 */
struct worker {
	unsigned index;
	uv_loop_t loop;
	uv_thread_t thread;
	struct inbox inbox;
	const struct worker_hooks *hooks;
	void *ctx;  /* constant: given to worker_start() */
	void *user; /* the layer above keeps its per-worker state here */

	uint8_t *recv_buf;   /* WORKER_RECV_SIZE: one receive buffer for all connections */
	bool stopping;       /* worker_stop() was heard: sockets that still come are closed */
	bool stopped;        /* worker_stopped() was called: the loop is about to end */
	bool is_crowded;     /* more sockets were ready than a turn takes up */
	uint64_t now_ms;     /* monotonic, as of this turn of the loop */
	atomic_uint n_ticks; /* ever; any thread may look whether the loop turns */
	/* Streams with output to be flushed in this turn, and those of the flush under way: what
	 * goes meanwhile leaves NULL. */
	struct stream_list {
		struct stream **at;
		unsigned n, cap;
	} dirty, flushing, closed;  /* closed: the owners are told at the end of the turn */
	struct stream_set *sockets; /* what the loop watches of them */
	struct stream_ring *ring;   /* writes in batches; NULL: one by one */
	unsigned ring_min;          /* for so many and more */
	bool wants_ring;
	struct stream_out *free_outs; /* output queues for the next to use */
	unsigned n_free_outs;
	struct tls_context *tls_context; /* a reference, for streams to be opened; NULL: no TLS */
	struct tls_worker *tls_worker;
	unsigned n_handshakes; /* steps of them in this turn */
	uint64_t n_flushed;    /* streams that were flushed, ever */
	atomic_size_t unsent;  /* bytes that wait for sockets; written by this thread alone */
	atomic_size_t backlog; /* bytes of events that were posted and not told yet; any thread */
	uv_timer_t tick;
	uv_check_t check;
	uv_prepare_t prepare;
	uv_idle_t idle;   /* active while on_output() has more to do */
	uv_timer_t flush; /* ends a wait of gather */
	struct gather gather;
};

/**
 * Start the thread.  @w must stay where it is until worker_join().  Output may wait @gather_ms for
 * more, where that pays, and is written by io_uring if @wants_ring and the kernel has it.  0 or a
 * negative errno.
 */
int worker_start(struct worker *w, unsigned index, const struct worker_hooks *hooks, void *ctx,
		 unsigned gather_ms, bool wants_ring);
/**
 * Add an accepted, non-blocking socket, which @a counts as of @worker (NULL: none does) and whose
 * gate gave @pass, to @list.
 */
void worker_list_socket(struct inbox_list *list, int fd, unsigned door, struct acceptor *a,
			unsigned worker, void *pass);
/**
 * Hand the sockets of @list over; any thread.  Those that come when the worker stops or has stopped
 * are closed, and their acceptor is told.
 */
void worker_give_sockets(struct worker *w, struct inbox_list *list);
/** Open TLS streams with @c from here on; adds a reference.  Any thread. */
void worker_set_tls(struct worker *w, struct tls_context *c);
/** Let the loop not wait before its next turn, in which the sockets come first.  Worker's thread.
 */
void worker_come_back(struct worker *w);
/** Ask the worker to stop; any thread, once. */
void worker_stop(struct worker *w);
/** Tell the loop that the last connection is gone, so that the thread may end.  Worker's thread. */
void worker_stopped(struct worker *w);
/** Wait for the thread's end and free what the worker holds.  The thread that started it. */
void worker_join(struct worker *w);
