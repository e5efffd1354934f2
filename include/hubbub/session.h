#pragma once
/* Layer: session. */
#include "hubbub/acceptor.h"
#include "hubbub/buf.h"
#include "hubbub/config.h"
#include "hubbub/limits.h"
#include "hubbub/room.h"
#include "hubbub/store.h"
#include "hubbub/worker.h"
#include <stdatomic.h>

/** One worker's counters; written by it alone, read by any thread. */
struct session_counters {
	atomic_uint_fast64_t connections; /* open now */
	atomic_uint_fast64_t websockets;  /* of them, upgraded */
	atomic_uint_fast64_t accepted, requests, http_requests, deliveries, slow_readers;
};

/** Which of the acceptor's doors a connection came in by. */
enum session_door {
	SESSION_DOOR_MAIN,     /* with TLS, where there is a certificate */
	SESSION_DOOR_REDIRECT, /* where every request is sent on to https */
	/** The control socket's: whoever comes by it administers the team.  The acceptor does not
	 * count them. */
	SESSION_DOOR_SHELL,
};

/** What the sessions of all workers share; made by server/, constant while workers run. */
struct session_env {
	const struct config *cfg; /* as of the start; see session_tell_config() */
	struct store *store;
	struct room_registry *rooms;
	struct limits *limits;
	struct errands *errands;
	struct webauthn *webauthn;
	struct mailer *mailer; /* NULL: no mail is sent */
	struct oidc *oidc;     /* NULL: there is no single sign-on */
	struct worker *workers;
	unsigned n_workers;
	uint64_t started_ms;               /* on the monotonic clock */
	struct session_counters *counters; /* one for each worker */
	/** What the first account can be made with from another machine; "" in open mode. */
	char setup_token[44];
	uint16_t https_port; /* of the main door, as bound; before any connection comes */
	/** Set before the store stops: what comes after it is answered with `unavailable`. */
	atomic_bool stopping;
	atomic_bool warned_of_proxy;
	atomic_uint_fast64_t refused; /* connections and HTTP requests past a limit */
	struct buf refusal;           /* the acceptor's thread: the answer to the last of them */
	/** A connection is gone; any worker's thread. */
	void (*on_released)(void *ctx, unsigned worker);
	/** Append the answer of /metrics; any worker's thread. */
	void (*write_metrics)(struct buf *b, void *ctx);
	/** Append the figures that admins see, as JSON; any worker's thread. */
	void (*write_figures)(struct buf *b, void *ctx);
	void *ctx;
};

/** Hooks of a worker whose ctx is the struct session_env. */
extern const struct worker_hooks session_worker_hooks;
/** Who may come in by the limits of addresses; @env stays. */
struct acceptor_gate session_gate(struct session_env *env);
extern const struct room_hooks session_room_hooks;
/** The store's answer hook: post an answered read to its worker.  Reader's thread. */
void session_answer_read(struct session_env *env, struct store_read *read);
/**
 * From their next message on the workers use @cfg, which must live as long as they do.  What a
 * running server cannot change must be as it was.  Main thread.
 */
void session_tell_config(struct session_env *env, const struct config *cfg);
/** Free what the sessions kept for a worker that has ended. */
void session_free_worker(struct worker *w);
