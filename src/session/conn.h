#pragma once
/*
 * One connection, from accept to free, on its worker's thread.
 */
#include "hubbub/http.h"
#include "hubbub/ws.h"
#include "session/hub.h"

enum conn_phase {    /* one byte of a connection */
	CONN_HTTP,   /* requests, until an upgrade */
	CONN_OPEN,   /* a WebSocket */
	CONN_ENDING, /* the last output and the closing handshake are under way */
	CONN_GONE,   /* the stream is closing; freed when the loop has let go of it */
};

#define CONN_MAX_WAITING 64               /* requests; past that the peer is not read from */
#define CONN_MAX_IN_FLIGHT 512            /* requests at the store */
#define CONN_MAX_LARGE 8                  /* of them, those whose replies are large */
#define CONN_MAX_REPLY_BYTES (256 * 1024) /* unsent; past that the peer is not read from */

#define CONN_MAX_STRIKES 20

/** When the last bad requests came: a ring. */
struct strikes {
	uint64_t at_ms[CONN_MAX_STRIKES];
	unsigned n; /* ever */
};

/** A request that waits for others of its connection. */
struct waiting {
	struct request *req;
	struct waiting *prev, *next;
};

/** A room that is not joined, while a join of it or a leave with forget is at the store. */
struct pending_room {
	char *name; /* folded; NULL when it was asked for by rid */
	struct pending_room *next;
};

/** What a join's reply needs while its events are read from the database. */
struct join_wait {
	struct request *req;
	struct room_view view;
	bool resumes, reset;
	/* What came meanwhile: each frame from its message i on. */
	struct room_event *held;
	unsigned n_held, cap_held;
	size_t held_bytes;
};

/** One connection's membership of one room. */
struct joined {
	struct conn *conn;
	struct local_room *room;
	struct joined *next;    /* of the connection */
	struct join_wait *wait; /* while the events of a join are read */
	uint64_t typed_ms;
	unsigned index;    /* in room->members */
	uint16_t n_writes; /* writes at the store */
	bool busy;         /* a join, history, read or leave is under way: all others wait */
	bool belongs;      /* the user is known to belong to the room */
};

/* Thousands of them are idle: what is there only while something is under way is a pointer. */
struct conn {
	struct stream stream; /* first: a stream's owner is found by a cast */
	uint64_t id;
	uint8_t phase;             /* enum conn_phase */
	int8_t timer;              /* enum conn_timer */
	bool deflate : 1;          /* it may be sent the frames that were compressed for all */
	bool upgraded : 1;         /* the handshake was answered inside http_receive() */
	bool has_http_request : 1; /* a request was answered inside http_receive() */
	bool hello_pending : 1;
	bool is_of_user : 1; /* among hub_user_conns() */
	bool pumping : 1;
	bool waits_to_join : 1;   /* in the hub's queue of joins */
	bool is_behind_proxy : 1; /* of_addr is not the peer's, but from a header */
	bool is_redirected : 1;   /* it came where every request is sent on to https */
	bool is_throttled : 1;    /* in the hub's list of those */
	bool is_mid_message : 1;
	bool got_message : 1; /* inside ws_receive() */
	bool is_shell : 1;    /* it came by the control socket */
	uint16_t n_pongs;     /* likewise: replies to the heartbeat, due or not */
	uint8_t n_large;      /* of n_in_flight, those whose replies are large */
	uint8_t role;         /* enum team_role, since hello */
	uint16_t n_in_flight; /* requests at the store */
	uint16_t n_waiting;
	uint32_t deadline_ms;  /* of the timer, on the worker's clock, its low bits */
	uint32_t touched_s;    /* when the store last heard of this visit, on that clock */
	uint32_t seen_written; /* bytes the socket had taken when life was last looked for, low bits
				*/
	uint32_t begun_s;      /* when the message under way began to come, on that clock */
	uint32_t n_belongs;
	uint32_t n_cuts; /* the hub's when hello was asked for */
	struct conn *timer_prev, *timer_next;

	struct http *http; /* before the upgrade */
	struct ws *ws;     /* after it */
	int64_t user;      /* 0 before hello */
	int64_t session;   /* 0 in open mode */
	char *name;
	char *credential; /* a session's token, from the handshake to hello; NULL: none */
	struct conn *next_of_user;
	struct joined *rooms; /* owned; few enough to be searched in turn */
	int64_t *belongs;     /* rooms that the user is known to belong to, without those joined */
	struct waiting *waiting;
	struct pending_room *pending_rooms;
	struct limit_account *of_addr, *of_user; /* held; NULL: nothing is limited */
	size_t reply_bytes;      /* of what is unsent, at most this much are replies */
	struct strikes *strikes; /* NULL before the first */
};

static inline struct hub *conn_hub(const struct conn *c)
{
	return c->stream.worker->user;
}

/* conn.c */
/** @pass: what the acceptor's gate gave, a struct limit_account; NULL for SESSION_DOOR_SHELL. */
void conn_new(struct hub *hub, int fd, enum session_door door, void *pass);
void conn_destroy(struct conn *c);                               /* at once */
void conn_close(struct conn *c, uint16_t code, const char *why); /* with the closing handshake */
void conn_end_http(struct conn *c);                              /* after what was sent */
/** The answer to a deferred request was given: go on with what came behind it. */
void conn_http_answered(struct conn *c);

/* output.c */
void conn_send_reply(struct conn *c, struct buf *json); /* empties @json */
void conn_reply_ok(struct conn *c, const struct request *req);
/** Answer with an error, which counts for nothing. */
void conn_send_error(struct conn *c, const struct request_id *id, enum proto_error e,
		     const char *msg, unsigned retry_ms);
/** Answer with an error; too many bad_request or unsupported close with 4010. */
void conn_reply_error(struct conn *c, const struct request_id *id, enum proto_error e,
		      const char *msg, unsigned retry_ms);
void conn_reply_unavailable(struct conn *c, const struct request *req);
/**
 * Hand events to the peer, as bytes for the wire; a peer that leaves too many unread is closed with
 * 4008.
 */
void conn_send_piece(struct conn *c, struct piece *p);
/** The same for the messages of @f from @from on. */
void conn_send_event(struct conn *c, struct frame *f, unsigned from);

/* requests.c */
void conn_on_text(struct conn *c, struct span text);
void conn_pump(struct conn *c);
void conn_wait_first(struct conn *c, struct request *req); /* back to the head of what waits */
void conn_drop_requests(struct conn *c);
struct store_op *conn_new_op(struct conn *c, enum store_op_kind kind, struct request *req);
struct store_read *conn_new_read(struct conn *c, enum store_read_kind kind, struct request *req);
/** Submit; when the store takes no more, answers `unavailable`, frees it and returns false. */
bool conn_submit(struct conn *c, struct store_op *op);
bool conn_submit_read(struct conn *c, struct store_read *read);

/* membership.c */
struct joined *conn_find_joined(const struct conn *c, int64_t room);
struct joined *conn_find_joined_by(const struct conn *c, const struct request *req);
struct joined *conn_add_joined(struct conn *c, int64_t room, const struct room_view *view);
void conn_remove_joined(struct conn *c, struct joined *j);
/** The user was removed from @room: what waits for it here is refused. */
void conn_end_room(struct conn *c, int64_t room);
void conn_leave_all(struct conn *c);
void conn_free_wait(struct join_wait *wait); /* NULL is allowed */
/** Other requests for the room that @req names wait until it is removed again. */
struct pending_room *conn_add_pending(struct conn *c, const struct request *req);
struct pending_room *conn_find_pending(const struct conn *c, const struct request *req);
void conn_remove_pending(struct conn *c, struct pending_room *p);
bool conn_belongs(const struct conn *c, int64_t room);
void conn_set_belongs(struct conn *c, int64_t room, bool belongs);

/* limits.c */
/** Who asks: the peer, or whom it speaks for if it is a proxy of ours. */
void conn_find_client(const struct conn *c, const struct http_request *req, struct addr *client);
/** Whether the request under way may be served; if not it was answered. */
bool conn_admit_request(struct conn *c, struct http *h, const struct http_request *req);
/** Whether the peer, being a proxy that is trusted, says that @req came to it by https. */
bool conn_is_forwarded_https(const struct conn *c, const struct http_request *req);
/** The handshake that was admitted was answered. */
void conn_end_handshake(struct conn *c, const struct http_request *req);
/** Before @req starts: 0, or the milliseconds to wait, and @why. */
unsigned conn_take_request(struct conn *c, const struct request *req, const char **why);
/** What asks for nothing came @n times: pings, pongs, fragments.  After too many the peer waits. */
void conn_count_extra(struct conn *c, unsigned n);
/** A hello failed with @e; the refusal is counted besides. */
void conn_count_failed_hello(struct conn *c, enum proto_error e);
/** A request was refused with @e. */
void conn_count_refusal(struct conn *c, enum proto_error e);

/* http_routes.c */
extern const struct http_handler conn_http_handler;

/*
 * One file per command: start_… begins it and takes the request over; …_done has the store's
 * answer, which stays the caller's.
 */
/** Note in the store that the user is here, which keeps a guest's name. */
void conn_touch(struct conn *c);
void start_hello(struct conn *c, struct request *req);
void hello_done(struct conn *c, struct store_op *op);
void hello_rooms_done(struct conn *c, struct store_read *read);
void start_join(struct conn *c, struct request *req);
void join_done(struct conn *c, struct store_op *op);
void join_events_done(struct conn *c, struct joined *j, struct store_read *read);
void start_leave(struct conn *c, struct request *req, struct joined *j);
void leave_done(struct conn *c, struct store_op *op);
void start_write(struct conn *c, struct request *req, struct joined *j);
void write_done(struct conn *c, struct store_op *op);
void start_history(struct conn *c, struct request *req, struct joined *j);
void history_done(struct conn *c, struct joined *j, struct store_read *read);
void start_read(struct conn *c, struct request *req, struct joined *j);
void read_done(struct conn *c, struct store_op *op);
void start_typing(struct conn *c, struct request *req, struct joined *j);
void start_create(struct conn *c, struct request *req); /* and direct */
void create_done(struct conn *c, struct store_op *op);
void start_people(struct conn *c, struct request *req);
void start_members(struct conn *c, struct request *req, struct joined *j);
void people_done(struct conn *c, struct store_read *read); /* and members */
void start_rooms(struct conn *c, struct request *req);
void rooms_done(struct conn *c, struct store_read *read);
