#pragma once
/* Layer: store. */
#include "hubbub/buf.h"
#include "hubbub/event.h"
#include "hubbub/inbox.h"
#include "hubbub/request.h"
#include "hubbub/webauthn.h"
#include <stdbool.h>
#include <stdint.h>

/**
 * The durable state: SQLite in WAL mode with synchronous=FULL in the data directory.
 *
 * One writer thread drains a queue, one transaction per batch, and publishes the batch, in commit
 * order, before it takes the next.  Reader threads answer reads on their own connections.
 */
struct store;

/** Who waits for an answer: replies go to this worker's inbox, which finds the connection by id. */
struct store_origin {
	unsigned worker;
	uint64_t conn; /* 0: nobody waits */
};

#define STORE_RID_SIZE 17 /* 16 characters [a-z0-9] and a NUL */

/** A room as of a commit. */
struct store_room {
	int64_t id;
	char rid[STORE_RID_SIZE];
	char *name; /* folded; NULL for a room without one */
	char *title;
	char *topic;
	uint64_t head;  /* seq of the newest event, 0 when the log is empty */
	uint64_t first; /* the lowest seq kept (1 in an empty log) */
	enum room_kind kind;
	bool is_archived;
	uint64_t keep; /* the days that messages are kept and 1; 0: as the team's */
};
void store_room_deinit(struct store_room *r);

enum store_op_kind {
	/** hello that makes a guest or renames: req->name/name_key/token.  Results: user, name,
	 * token, renamed. */
	STORE_HELLO,
	/** join: find or create req->room (or find req->rid), make user belong.  Result: room. */
	STORE_JOIN,
	/** create and direct: a room that the request says; or find it.  Results: room, entry,
	 * seq, ts, dup, event, added. */
	STORE_CREATE,
	/** send, edit, delete, react, and what changes a room and who belongs to it, on room_id by
	 * user, under req->key.  Results: seq, ts, dup, event, added and entry. */
	STORE_WRITE,
	/** read: move user's marker in room_id to min(req->seq, head).  Result: seq. */
	STORE_MARK,
	/** leave with forget: user no longer belongs to room_id (0: the room that req names). */
	STORE_FORGET,
	/** The user was here now (keeps a guest's name, and a session); no reply. */
	STORE_TOUCH,
	/** The first account, the owner's: req's team, name and login, account->password.  Refused
	 * where there is one.  Results: user, name, token. */
	STORE_SETUP,
	/** Sign user in on a device: account has it, with what is to be stored anew.  Results:
	 * name, token. */
	STORE_SIGN_IN,
	/** End the session with token; no error where there is none.  Result: account->cut. */
	STORE_SIGN_OUT,
	/** What req->op says (include/hubbub/request.h), by whose session account->credential is;
	 * invitations and new passwords by req->token alone.  Results: scratch holds the answer's
	 * JSON, if any; account->cut; token, user and name where it signs in or renews a session;
	 * renamed. */
	STORE_ACCOUNT,
	/** A step of what the store does by itself: see store_has_upkeep().  No origin, no reply.
	 */
	STORE_UPKEEP,
	/** Made by the store itself: an event that turned out stored after a failed commit.  No
	 * origin. */
	STORE_FOUND,
};

#define STORE_TOTP_BYTES 20

/** Whose connections are to end, since who they are has changed. */
struct store_cut {
	int64_t user;    /* 0: nobody's */
	int64_t session; /* of one device; 0: of all */
	int64_t except;  /* but of this device; 0: of none */
	bool is_banned;
};

/** An account, or a device that signs in to it or asks for something. */
struct store_account {
	char *password; /* its hash; of ops: the one to store from now on, or NULL */
	char *checked;  /* SIGN_IN, ACCOUNT: the hash that the password given belongs to, or NULL */
	enum team_role role;
	bool is_disabled;
	bool has_totp;
	bool by_recovery; /* SIGN_IN: req->code is to be found among the recovery codes */
	uint8_t totp[STORE_TOTP_BYTES];
	uint64_t totp_step;    /* the last one that was used */
	char *agent, *address; /* of the device */
	bool is_shell;         /* who asks came by the control socket */
	char *credential;      /* the session's token, as it was shown; wiped */
	/* OP_OIDC_ENTER: who they are for the provider, and whom they asked to be linked to. */
	char *issuer, *subject;
	char *free_name, *free_name_key; /* the store's: req->name, or what is nearest to it */
	int64_t linked;                  /* 0: nobody: they sign in */
	struct webauthn_key *passkey;    /* PASSKEY ops and reads: owned */
	bool makes_member;               /* somebody who is not known becomes one */
	struct store_cut cut;            /* result */
	int64_t role_of;                 /* result: whose role is now role; 0: nobody's changed */
};
void store_account_free(struct store_account *a); /* NULL is allowed */

/** One request to the writer, and its answer.  Heap; made by store_op_new(), freed by
 * store_op_free(). */
struct store_op {
	struct inbox_msg msg;  /* the same memory travels back through the worker's inbox */
	struct store_op *next; /* the store's queue, then the published batch */
	enum store_op_kind kind;
	struct store_origin origin;
	int64_t user;
	int64_t room_id;
	struct request *req;           /* owned; NULL for TOUCH and FOUND */
	struct store_account *account; /* owned; SETUP, SIGN_IN, SIGN_OUT, ACCOUNT */
	bool is_open;                  /* JOIN: in open mode nobody owns a room that a join makes */
	int64_t session; /* TOUCH: whose use is noted; changes of rooms: whose; 0: none */

	/* Results; on err != PROTO_OK only err, why and retry_ms hold. */
	enum proto_error err;
	const char *why; /* static */
	unsigned retry_ms;
	uint64_t seq;
	int64_t ts;
	bool dup;
	bool renamed;
	char *name;             /* HELLO: the user's */
	char *token;            /* of a new guest or session: shown once; stored only as a hash */
	struct store_room room; /* JOIN, CREATE; of WRITE: unset */
	enum room_role role;    /* JOIN: the user's */
	int64_t muted_until;    /* JOIN: likewise */
	/** CREATE, and whatever adds somebody to a room: the room as a list shows it, an object
	 * without its brace; and who is to be told of it. */
	struct buf entry;
	int64_t added[REQUEST_MAX_DIRECT];
	unsigned n_added;
	/** The event appended (kind 0: none, e.g. dup).  Its spans live in this op. */
	struct event event;
	bool drops_tail;    /* a deletion: encoded copies of this room's log are stale */
	struct buf scratch; /* memory the event's spans may use, or an answer's JSON */
	struct buf names;   /* of the event's room and people: its spans point here */
	void *frame;        /* for the publisher: the event's encoded frame */
};
struct store_op *store_op_new(enum store_op_kind kind, struct store_origin origin);
void store_op_free(struct store_op *op);

enum store_read_kind {
	STORE_READ_HELLO,   /* by req->token: user, name, rooms; unauthorized if unknown */
	STORE_READ_SESSION, /* by token, of a session: user, name, session, rooms, account */
	/** OP_SIGN_IN: by req->login_key; others: by token.  user and account; user 0 if unknown.
	 */
	STORE_READ_ACCOUNT,
	/** What req->op asks for, for whose session token is: JSON in events, user, account. */
	STORE_READ_LISTS,
	STORE_READ_PASSKEY, /* by req->credential: user, and account with the passkey; 0 if unknown
			     */
	STORE_READ_TEAM,    /* name: the team's; NULL before it was set up */
	STORE_READ_BELONG,  /* rooms of user, as hello lists them */
	STORE_READ_EVENTS,  /* a stretch of room_id's log, encoded */
	STORE_READ_ROOMS, /* public rooms whose folded name contains req->query, by name, req->limit
			   */
	STORE_READ_PEOPLE,  /* of the team, whom user may see: JSON in events */
	STORE_READ_MEMBERS, /* of room_id: JSON in events, more */
};

/** A room that a user belongs to, as hello's reply lists it. */
struct store_belong {
	int64_t id;
	char rid[STORE_RID_SIZE];
	char *name;
	uint64_t head, read, unread, mentions;
	char *title;
	enum room_kind kind;
	bool is_archived;
	struct buf people; /* of a direct room: JSON objects joined by ',' */
	enum room_role role;
	int64_t muted_until; /* Unix ms; 0: not */
};

struct store_read {
	struct inbox_msg msg;
	struct store_read *next;
	enum store_read_kind kind;
	struct store_origin origin;
	int64_t user;
	int64_t room_id;
	struct request *req; /* owned; may be NULL */
	char *token;         /* SESSION, ACCOUNT, LISTS: owned, wiped */
	bool is_guest;       /* ROOMS: only those that the user belongs to */
	bool is_shell;       /* LISTS: who asks came by the control socket */

	/* STORE_READ_EVENTS: which. */
	enum history_from from;
	uint64_t bound;
	unsigned limit; /* events, or messages when fold */
	uint64_t upto;  /* nothing above this seq; 0: up to the log's head */
	bool fold;

	/* Results. */
	enum proto_error err;
	const char *why;
	unsigned retry_ms;
	/* EVENTS: JSON objects joined by ',', in rising seq, without brackets; at most
	 * STORE_MAX_EVENTS_BYTES unless the first alone is longer. */
	struct buf events;
	unsigned n_events;
	uint64_t first_seq, last_seq; /* of the events; 0 when there are none */
	uint64_t head, first;         /* of the log in this snapshot (head cut to upto) */
	bool more;                    /* as `history` defines it, cut short by bytes included */
	/* HELLO, BELONG */
	char *name;
	bool stale; /* HELLO, SESSION: the last visit was noted long ago: send a TOUCH */
	int64_t session;
	struct store_account *account;
	struct store_belong *belong;
	size_t n_belong;
	/* ROOMS */
	struct store_room *rooms;
	size_t n_rooms;
};
struct store_read *store_read_new(enum store_read_kind kind, struct store_origin origin);
void store_read_free(struct store_read *r);

#define STORE_MAX_EVENTS_BYTES (256 * 1024)

struct store_hooks {
	/** Writer's thread, before a batch: false while the receivers' inboxes are over their
	 * bound. */
	bool (*may_take)(void *ctx);
	/**
	 * Writer's thread, after the commit (or its failure: err is set in each then).  Takes over
	 * the whole list, linked by next, in commit order.
	 */
	void (*publish)(void *ctx, struct store_op *ops);
	/** A reader's thread: takes over the answered read. */
	void (*answer)(void *ctx, struct store_read *read);
};

struct store_options {
	const char *dir; /* made (0700) if missing */
	const struct store_hooks *hooks;
	void *ctx;
	unsigned n_readers;
	size_t max_queue;       /* ops that may wait for the writer */
	size_t max_queue_bytes; /* bytes of text that may wait */
	uint64_t pace_ns;       /* how long a commit may wait for more, where that pays; 0: never */
};

/**
 * Open or create the database; takes the directory's lock, migrates, starts the threads.
 *
 * Fails with a negative errno after one clear log line: the directory is in use by another server,
 * the database is locked, of a newer version, damaged, or not writable.
 */
int store_open(struct store **out, const struct store_options *opts);
/**
 * Whether @dir holds a database of a version that this program knows, or none yet.  It only reads,
 * also beside a process that has it open.  0, or a negative errno after one clear log line.
 */
int store_check_version(const char *dir);
/** The log's epoch; constant while open. */
const char *store_epoch(const struct store *st);
/** Whether the first account was there when the store was opened. */
bool store_had_team(const struct store *st);
/**
 * Queue for the writer.  Any thread.  false: full or stopping (the op is still the caller's).
 * The writer may sleep until store_wake(), so that what one turn of a worker's loop brings becomes
 * one batch.
 */
bool store_submit(struct store *st, struct store_op *op);
/** See to it that the writer takes what this thread has queued.  Any thread. */
void store_wake(struct store *st);
/** Queue for the readers, who may sleep until store_wake().  Any thread.  false: full or stopping.
 */
bool store_submit_read(struct store *st, struct store_read *read);
/** Whether the last commit succeeded (for /readyz and metrics).  Any thread. */
bool store_is_healthy(struct store *st);

/** Whether the last STORE_UPKEEP found something to do, so that another should follow soon.  Any
 * thread. */
bool store_has_upkeep(struct store *st);

struct store_stats {
	uint64_t ops, commits, failed_commits, reads;
	uint64_t batch_ns;        /* that the writer has spent on all of them */
	size_t queue, read_queue; /* what waits */
	/** Times that the writer looked for work, and whether it has some: with work and no new
	 * turn for long it hangs. */
	uint64_t turns;
	bool is_working;
};
void store_get_stats(struct store *st, struct store_stats *out); /* any thread */

/**
 * Take no more; commit and publish what was taken; answer reads that wait still as unavailable; end
 * the threads.  Main thread.
 */
void store_stop(struct store *st);
/** Truncating checkpoint, close, free.  After store_stop(). */
void store_close(struct store *st);
