#pragma once
/*
 * What one worker knows: its connections, and which of them are in which rooms and whose they are.
 * Everything here belongs to the worker's thread.
 */
#include "hubbub/idmap.h"
#include "hubbub/pool.h"
#include "hubbub/session.h"
#include "hubbub/ws.h"

struct conn;
struct joined;

/** One connection's place in a room: what a fan-out walks over. */
struct member {
	struct joined *joined;
	uint64_t cursor; /* events up to here are not delivered (again) */
};

/** What a room's members here are still to be told. */
struct pending_news {
	struct frame *frame; /* a reference */
	uint64_t seq;        /* of its first message; 0: not durable */
	uint64_t except_conn;
	struct piece *plain, *deflated; /* of the whole frame; made when first wanted */
};

/** A room with members on this worker. */
struct local_room {
	int64_t id;
	char *name; /* as `room` is written */
	char rid[STORE_RID_SIZE];
	char **aliases; /* what it was called before, as far as is known here */
	unsigned n_aliases;
	struct member *members; /* dense; each knows its index */
	unsigned n, cap;
	/* The fan-out: the first n_pass news go to the members from pos on, the others then. */
	struct pending_news *news;
	unsigned n_news, cap_news, n_pass, pos;
	size_t pass_bytes;
	bool is_active; /* among hub->active, which keeps the room here */
	struct local_room *prev, *next;
};

/** Each connection waits in at most one of these; each has one duration, so it is a FIFO. */
enum conn_timer {
	TIMER_NONE = -1,
	TIMER_REQUEST, /* an HTTP request must be whole by then */
	TIMER_IDLE,    /* keep-alive with no request */
	TIMER_HELLO,   /* a WebSocket must say who it is by then */
	TIMER_BEAT,    /* the next ping is due */
	TIMER_PONG,    /* a ping was sent and nothing has come since */
	TIMER_ENDING,  /* closing handshake or last output */
	N_CONN_TIMERS,
};

/** Connections whose next request is a join that waits for its turn: a ring of ids. */
struct join_queue {
	uint64_t *conns;
	uint32_t first, n, cap;
	unsigned n_left; /* joins that may yet be taken up in this turn */
};

/** What a worker's peers may leave unread before each has one large reply at a time. */
#define HUB_MAX_REPLY_BYTES (64 * 1024 * 1024)

/** Connections that have been refused so much that nothing of theirs is taken up for now. */
struct throttle_list {
	struct throttled {
		uint64_t conn, until_ms;
	} * at;
	unsigned n, cap;
};

struct hub {
	struct session_env *env;
	const struct config *cfg; /* the newest that this worker was told */
	struct worker *worker;
	struct pool conn_pool, joined_pool;
	struct idmap conns;                 /* by id */
	struct ws_params handshake;         /* what the one under way agreed on */
	struct idmap rooms;                 /* struct local_room by id */
	struct local_room *active;          /* those with news to tell, the longest waiting first */
	struct idmap users;                 /* by id, the first of their connections */
	struct conn *timers[N_CONN_TIMERS]; /* the earliest deadline first */
	struct join_queue joins;
	size_t n_large; /* requests at the store whose replies may be large */
	struct throttle_list throttled;
	uint64_t next_conn; /* ids are never used twice, nor by two workers */
	uint32_t n_cuts;    /* sign-outs and new roles that this worker was told of */
	bool stopping;
	struct frame *ping;
	struct session_counters *counters; /* the worker's, in env */
};

struct hub *hub_of(struct worker *w);
struct conn *hub_find_conn(struct hub *hub, uint64_t id); /* NULL: gone, or going */

/* rooms.c */
struct local_room *hub_find_room(struct hub *hub, int64_t id);
/** @j becomes a member of the room that @view shows; events above its head are for it. */
void hub_add_member(struct hub *hub, int64_t room, const struct room_view *view, struct joined *j);
void hub_remove_member(struct hub *hub, struct joined *j);
/** Whether requests may call it @name. */
bool hub_room_is_called(const struct local_room *lr, struct span name);
void hub_add_alias(struct local_room *lr, struct span name);
void hub_rename_room(struct local_room *lr, const char *name);
/** The last use of a room by its fan-out. */
void hub_release_room(struct hub *hub, struct local_room *lr);

/* users.c */
void hub_add_user_conn(struct hub *hub, struct conn *c);
void hub_remove_user_conn(struct hub *hub, struct conn *c);
/** The user's connections here, linked by next_of_user; NULL: none. */
struct conn *hub_user_conns(const struct hub *hub, int64_t user);
/** @user is called @name now: tell every worker's connections of theirs. */
void hub_tell_rename(struct hub *hub, int64_t user, const char *name);
/** @user has another role in the team. */
void hub_tell_role(struct hub *hub, int64_t user, enum team_role role);
/** End the connections that @cut says, on every worker. */
void hub_tell_cut(struct hub *hub, const struct store_cut *cut);
/** @user belongs to @room no longer: a join on any of their connections asks the store again. */
void hub_tell_forgotten(struct hub *hub, int64_t user, int64_t room);

/* join_queue.c */
/** Whether @c may join now; if not, conn_pump() is called when it may. */
bool hub_may_join(struct hub *hub, struct conn *c);
/** Take up the joins of a turn.  False: some are left. */
bool hub_run_joins(struct hub *hub);
void hub_forget_joins(struct hub *hub);

/* limits.c */
/** Let those go on who have waited long enough. */
void hub_end_throttles(struct hub *hub, uint64_t now_ms);
void hub_forget_throttles(struct hub *hub);

/* timers.c */
void conn_set_timer(struct conn *c, enum conn_timer which);
void hub_run_timers(struct hub *hub, uint64_t now_ms);

/* fanout.c: the worker's share of room_hooks */
void hub_on_news(struct worker *w, const struct room_news *news);
/** Queue what is to be told in this turn.  False: some is left for the next. */
bool hub_run_fanouts(struct hub *hub);
/** Forget what the members of @lr were not told. */
void hub_drop_news(struct hub *hub, struct local_room *lr);

static inline void count_add(atomic_uint_fast64_t *counter, int64_t n)
{
	/* One writer: no read-modify-write is needed. */
	atomic_store_explicit(counter,
			      atomic_load_explicit(counter, memory_order_relaxed) + (uint64_t)n,
			      memory_order_relaxed);
}
