#pragma once
/* Layer: net. */
#include "hubbub/span.h"
#include "hubbub/worker.h"

#define ACCEPTOR_MAX_DOORS 2

/**
 * The listening sockets, its doors, on the main thread's loop.  It accepts with accept4
 * (non-blocking, close-on-exec, with TCP_NODELAY) and gives each socket to the worker that has the
 * fewest.  On EMFILE or ENFILE it pauses for a moment, says so once, and goes on by itself when
 * descriptors are free.
 */
struct acceptor;

/**
 * Listen on @host:@port (0: a free one), which is door 0; @host is a numeric address or
 * `localhost`. At most @max_connections are open at once (0: as many as descriptors allow, less 64
 * kept back for storage); each counts from its acceptance to its acceptor_released(). 0 or a
 * negative errno (-EINVAL: no such address); SO_REUSEADDR is set.
 */
int acceptor_open(struct acceptor **out, uv_loop_t *loop, const char *host, uint16_t port,
		  struct worker *workers, unsigned n_workers, unsigned max_connections);
/**
 * The same with @fd, a TCP socket that listens already and is taken over, also when this fails:
 * -ENOTSOCK, -EPROTOTYPE (no TCP over IP) or -EINVAL (it does not listen).
 */
int acceptor_adopt(struct acceptor **out, uv_loop_t *loop, int fd, struct worker *workers,
		   unsigned n_workers, unsigned max_connections);
/**
 * One more door, whose connections count with the others.  Before the loop runs.  0 or a negative
 * errno.
 */
int acceptor_add(struct acceptor *a, const char *host, uint16_t port);
/** The same with @fd, as acceptor_adopt() takes it. */
int acceptor_add_adopted(struct acceptor *a, int fd);
/** Another bound from now on; 0: as many as descriptors allow.  Main thread. */
void acceptor_set_max(struct acceptor *a, unsigned max_connections);
struct sockaddr;

/** Who may come in. */
struct acceptor_gate {
	/**
	 * Whether @peer may, by @door; the acceptor's thread.  If so *@pass goes to
	 * worker_hooks.on_socket() with the socket.  If not, @answer is sent and the socket closed;
	 * where that is empty it is reset.  What @answer is a span of stays as it is until the next
	 * call.
	 */
	bool (*enter)(void *ctx, unsigned door, const struct sockaddr *peer, void **pass,
		      struct span *answer);
	/** The socket that *@pass belongs to was closed before any worker had it.  Any thread. */
	void (*drop)(void *ctx, void *pass);
	void *ctx;
};

/** Ask @gate (copied) from here on; before the loop runs. */
void acceptor_set_gate(struct acceptor *a, const struct acceptor_gate *gate);
/** How many connections fit at once. */
unsigned acceptor_capacity(const struct acceptor *a);
/** `ADDR:PORT` as @door is bound; the acceptor owns the string. */
const char *acceptor_address(const struct acceptor *a, unsigned door);
/**
 * Accept no more, close the sockets.  The acceptor is freed once the loop has run its callbacks and
 * every connection was released, whichever is later.
 */
void acceptor_close(struct acceptor *a);
/**
 * The same, but the sockets stay and are the caller's, in the order of the doors; returns how many.
 * Whoever connects meanwhile waits in the kernel for who accepts next.
 */
unsigned acceptor_release_sockets(struct acceptor *a, int fds[ACCEPTOR_MAX_DOORS]);
/** A connection of worker @worker ended: one more may come.  Any thread. */
void acceptor_released(struct acceptor *a, unsigned worker);
