#pragma once
/*
 * Private to store/: what the writer's files share.  Everything here is the writer thread's own.
 */
#include "hubbub/store.h"
#include "store/db.h"
#include "store/in_place.h"
#include "store/pace.h"
#include <uthash.h>

/** A room as the transaction under way sees it. */
struct writer_room {
	int64_t id;
	char rid[STORE_RID_SIZE];
	char *label; /* as events name it: the folded name, or "~rid" */
	enum room_kind kind;
	bool is_archived;
	uint64_t head;
	uint64_t n_messages;
	bool dirty; /* head or n_messages are not in the row yet */
	struct writer_room *next_dirty;
	UT_hash_handle hh;
};

struct writer_name {
	int64_t id;
	char *name;
	UT_hash_handle hh;
};

/** What a user is in a room, and how many messages they have written there. */
struct writer_member {
	struct writer_member_key {
		int64_t user, room;
	} key;
	bool has_own, has_role; /* what is known */
	uint64_t n_own;
	enum room_role role;
	int64_t muted_until;
	UT_hash_handle hh;
};

/**
 * The caches spare the common path its SELECTs.  They run ahead of the database inside a
 * transaction, so a rollback throws them away whole.
 */
struct writer {
	struct store *st;
	struct db db;
	struct in_place_watch watch; /* over the data directory */
	struct pace pace;
	unsigned char hash_key[32];
	struct writer_room *rooms;
	struct writer_room *dirty;
	struct writer_name *names;
	struct writer_member *members;
	/* The highest ids that were committed and told.  What lies above them after a failed commit
	 * turned out stored all the same. */
	int64_t expired_upto; /* rooms up to this id were looked at for what is too old */
	int64_t last_event, last_user;
	int64_t batch_event, batch_user; /* the same, of the batch under way */
	bool broken;                     /* the last batch failed: reopen first */
	bool failing;                    /* that was logged */
	uint64_t damage_said_ms;         /* on the monotonic clock; 0: never */
	char failure[256];
};

/** How long a client should wait after `unavailable`, and how often the writer tries by itself. */
#define WRITER_RETRY_MS 1000

enum {
	W_BEGIN,
	W_COMMIT,
	W_PROBE,
	W_ROOM,
	W_ROOM_FLUSH,
	W_ROOM_BY_NAME,
	W_ROOM_BY_RID,
	W_ROOM_NEW,
	W_ROOM_LOOKALIKE,
	W_USER_LOOKALIKE,
	W_ROOM_SNAPSHOT,
	W_USER_NAME,
	W_USER_BY_KEY,
	W_USER_BY_TOKEN,
	W_USER_FREE_KEY,
	W_USER_NEW,
	W_USER_RENAME,
	W_USER_SEEN,
	W_TEAM_SET,
	W_ACCOUNTS,
	W_ACCOUNT,
	W_ACCOUNT_NEW,
	W_ACCOUNT_PASSWORD,
	W_ACCOUNT_BY_LOGIN,
	W_ACCOUNT_ROLE,
	W_ACCOUNT_DISABLE,
	W_ACCOUNT_TOTP_STEP,
	W_ACCOUNT_TOTP_NEW,
	W_ACCOUNT_TOTP_ON,
	W_ACCOUNT_TOTP_OFF,
	W_OTHER_OWNERS,
	W_RECOVERY_NEW,
	W_RECOVERY_USE,
	W_RECOVERY_CLEAR,
	W_SESSION,
	W_SESSION_NEW,
	W_SESSION_RENEW,
	W_SESSION_USED,
	W_SESSION_DROP,
	W_SESSIONS_DROP,
	W_SESSIONS_EXPIRE,
	W_LINK,
	W_LINK_NEW,
	W_LINK_USE,
	W_LINK_DROP,
	W_LINKS_DROP,
	W_TEAM,
	W_BLOCK,
	W_BLOCK_ADD,
	W_BLOCK_DROP,
	W_BLOCK_DIRECT,
	W_BLOCKS,
	W_BLOCKS_CLEAR,
	W_REPORT_NEW,
	W_REPORT,
	W_REPORT_DROP,
	W_ACCOUNT_TO_MAIL,
	W_PASSKEYS,
	W_PASSKEY_NEW,
	W_PASSKEY_DROP,
	W_PASSKEY_USED,
	W_PASSKEYS_CLEAR,
	W_TEAM_SETTING,
	W_TEAM_SETTINGS,
	W_USER_LEAVE,
	W_ACCOUNT_DROP,
	W_MENTIONS_OF,
	W_LINKS_OF,
	W_LEAVER_NEW,
	W_LEAVER,
	W_LEAVER_ROOM,
	W_LEAVER_AT,
	W_LEAVER_MESSAGE,
	W_LEAVER_DONE,
	W_EXPIRE_NEXT,
	W_EXPIRE_WINDOW,
	W_ROOM_FIRST,
	W_ROOM_KEEP,
	W_IDENTITY,
	W_IDENTITY_OF,
	W_IDENTITY_NEW,
	W_IDENTITY_DROP,
	W_AUDIT,
	W_MEMBER,
	W_MEMBER_ADD,
	W_MEMBER_INVITE,
	W_MEMBER_ROLE,
	W_MEMBER_MUTE,
	W_MEMBER_OTHER_OWNER,
	W_MEMBER_HEIR,
	W_ROOM_BY_PEOPLE,
	W_ROOM_TOPIC,
	W_ROOM_RENAME,
	W_ROOM_ALIAS,
	W_ROOM_UNALIAS,
	W_ROOM_ARCHIVE,
	W_ROOM_PEOPLE,
	W_USER_TEAM,
	W_AUDIT_ROOM,
	W_MEMBER_READ,
	W_MEMBER_DROP,
	W_EVENT_BY_KEY,
	W_EVENT_BY_SEQ,
	W_EVENT_NEW,
	W_OWN_ORD,
	W_CLEAR_MESSAGE,
	W_CLEAR_EDITS,
	W_MENTION_ADD,
	W_MENTION_DROP,
	W_REACTION_ADD,
	W_REACTION_DROP,
	W_REACTIONS_CLEAR,
	W_REACTION_COUNT_ADD,
	W_REACTION_COUNT_SUB,
	W_REACTION_COUNT_TRIM,
	W_REACTION_COUNTS_CLEAR,
	W_REACTION_COUNT,
	W_REACTION_KINDS,
	W_FOUND,
	W_FOUND_ACCOUNTS,
	W_FOUND_IDENTITIES,
	W_FOUND_PASSKEYS,
	W_FOUND_USERS,
	W_N_STMTS,
};

/* writer_db.c */
/** Open the connection and prepare its statements; also learns the highest ids. */
int writer_open(struct writer *w);
void writer_close(struct writer *w);
/**
 * After a failed batch: close, open again, and tell of what is stored though it was never told.
 * Returns 0 when the writer is ready, else a negative errno: try again later.
 */
int writer_recover(struct writer *w);
/**
 * Whether a restart would find the files that are written to.  Negative if not, with the reason in
 * @w->failure: nothing may be acknowledged then.
 */
int writer_check_files(struct writer *w);

/* writer_cache.c */
/** Room @id, from the cache or the database.  1: *@out is set; 0: none; negative: failed. */
int writer_find_room(struct writer *w, int64_t id, struct writer_room **out);
/** The name of user @id; NULL in *@out for an unknown one.  0 or negative. */
int writer_find_name(struct writer *w, int64_t id, const char **out);
void writer_forget_name(struct writer *w, int64_t id);
void writer_forget_room(struct writer *w, int64_t id); /* which is not dirty */
/**
 * How many messages @user has in @room; whoever adds one counts it there.  NULL with *@err set:
 * failed.
 */
uint64_t *writer_find_own(struct writer *w, int64_t user, int64_t room, int *err);
/** What @user is in @room.  0 with role and muted_until, or negative. */
int writer_find_member(struct writer *w, int64_t user, int64_t room,
		       const struct writer_member **out);
/** The row of members has changed. */
void writer_forget_member(struct writer *w, int64_t user, int64_t room);
void writer_mark_dirty(struct writer *w, struct writer_room *room);
/** Write the rows of the rooms that the batch changed. */
int writer_flush_rooms(struct writer *w);
void writer_drop_caches(struct writer *w);
/** Between batches: keep the caches within their bounds. */
void writer_trim_caches(struct writer *w);

/*
 * One op inside the open transaction.  0: decided, the op holds its results or the reason why it
 * was refused (a refused op wrote nothing).  Negative: the database failed, so the batch fails.
 */
int op_apply_hello(struct writer *w, struct store_op *op);
int op_apply_touch(struct writer *w, struct store_op *op);
int op_apply_setup(struct writer *w, struct store_op *op);
int op_apply_sign_in(struct writer *w, struct store_op *op);
int op_apply_sign_out(struct writer *w, struct store_op *op);
int op_apply_account(struct writer *w, struct store_op *op);
/** op_hello.c: make @key free for user @self (0: a new one).  1: it is; 0: another has it;
 * negative: failed.  It writes only when it returns 1. */
int op_claim_name(struct writer *w, struct span name, struct span key, int64_t self, int64_t now);
/** Refuse @op where op_has_lookalike().  1: go on; 0: refused; negative. */
int op_refuse_lookalike(struct writer *w, struct store_op *op, struct span title, int64_t room);
/** Whether a listed room but @room is called what looks like @title.  1, 0 or negative. */
int op_has_lookalike(struct writer *w, struct span title, int64_t room);
int op_apply_join(struct writer *w, struct store_op *op);
int op_apply_create(struct writer *w, struct store_op *op);
/** A room to be made; name and people have p NULL where it has none. */
struct new_room {
	enum room_kind kind;
	struct span name, title, topic, people;
};
/** op_create.c: its row.  0 with *@id, or negative. */
int op_make_room(struct writer *w, const struct new_room *room, int64_t *id);
/** op_join.c.  1: *@id is the room that the request names; 0: there is none; negative: failed. */
int op_find_room(struct writer *w, const struct request *req, int64_t *id);
/** Fill op->room from op->room_id.  0 or negative; op is refused where there is none. */
int op_take_snapshot(struct writer *w, struct store_op *op);
int op_apply_write(struct writer *w, struct store_op *op);
int op_apply_mark(struct writer *w, struct store_op *op);
int op_apply_forget(struct writer *w, struct store_op *op);

/**
 * op_permit.c: whether op->user may do @asked in @room.  1; 0: @op is refused; negative: failed.
 * @is_others: it concerns what another wrote.
 */
int op_permit(struct writer *w, struct store_op *op, enum op asked, const struct writer_room *room,
	      bool is_others);
/** What @user counts as in @room.  0 or negative. */
int op_find_standing(struct writer *w, int64_t user, const struct writer_room *room,
		     enum room_role *out);
/** The role of @user in the team; in open mode all are members.  1: it is set; 0: there is no such
 * user, or they were shut out; negative: failed. */
int op_find_team_role(struct writer *w, int64_t user, enum team_role *out);
/** op_change.c: what changes the room or who belongs to it, before its event is appended: decide,
 * change, and note in op->event what it says.  0 or negative. */
int op_apply_change(struct writer *w, struct store_op *op, struct writer_room *room);
/** Add @user, with @role, who has read what is there. */
int op_add_member(struct writer *w, int64_t user, const struct writer_room *room,
		  enum room_role role);
/** Fill op->entry from op->room_id, for the reply or for who was added to it. */
int op_fill_entry(struct writer *w, struct store_op *op);
/** op_join.c: op->user belongs to @room no longer; where others are to know, op->event says so.  0
 * or negative. */
int op_leave_room(struct writer *w, struct store_op *op, struct writer_room *room);
/** op_block.c: whether @by has blocked @whom; whether @user and the other one of a direct room of
 * two want nothing of each other.  1, 0 or negative. */
int op_is_blocked(struct writer *w, int64_t by, int64_t whom);
int op_is_blocked_direct(struct writer *w, int64_t user, int64_t room);
/** op_upkeep.c.  The second: there may be something to do, so look soon. */
int op_apply_upkeep(struct writer *w, struct store_op *op);
void op_want_upkeep(struct writer *w);
/** Note who is the owner once @user has left, where nobody else is: *@heir, or 0. */
int op_find_heir(struct writer *w, int64_t user, const struct writer_room *room, int64_t *heir);
/** Note an administrative act in @room about @user (0: nobody) for the audit log. */
int op_audit_room(struct writer *w, const struct store_op *op, const struct writer_room *room,
		  const char *act, int64_t user);
/**
 * op_event.c: fill in what all events have, from the op's user and @room: op->event's kind and what
 * is particular to it are set already.
 */
int op_fill_event(struct writer *w, struct store_op *op, const struct writer_room *room);
/** Append op->event under op->req->key, NULL for @hash: without a key.  1: done; 0: this author has
 * used the key before, and nothing was written; negative: failed. */
int op_append_event(struct writer *w, struct store_op *op, struct writer_room *room,
		    const unsigned char *hash);
/** Append that op->user did @act about themselves. */
int op_append_own(struct writer *w, struct store_op *op, struct writer_room *room,
		  enum member_act act, uint64_t value, const unsigned char *hash);
/** 1: op->req->key is known and the op answered: dup, with seq, ts and room_id, or refused where
 * @hash is not that of then; 0: it is new; negative: failed. */
int op_answer_known_key(struct writer *w, struct store_op *op, const unsigned char *hash);

/** What an op points at, as it stands. */
struct op_target {
	int64_t event; /* its row; 0: there is none */
	enum event_kind kind;
	bool is_message; /* and not deleted */
	int64_t author, ts;
	unsigned char mentions[8 * REQUEST_MAX_MENTIONS]; /* packed */
	size_t mentions_len;
};
/** op_effect.c: what edits, deletions and reactions do beside their event.  0 or negative. */
int op_find_target(struct writer *w, int64_t room, uint64_t seq, struct op_target *out);
/** The text of the message @seq goes, with its edits, reactions and mentions. */
int op_clear_target(struct writer *w, int64_t room, uint64_t seq, const struct op_target *target);
/** Delete it by an event of op->user's that has no key. */
int op_delete_message(struct writer *w, struct store_op *op, struct writer_room *room, uint64_t seq,
		      const struct op_target *target);
/** 1: done, *@count is set; 0: refused, the message has too many kinds; negative: failed. */
int op_apply_reaction(struct writer *w, const struct store_op *op, uint64_t seq, uint64_t *count);
int op_add_mentions(struct writer *w, const struct store_op *op, uint64_t seq);

/** Refuse @op for a reason that its sender may know. */
static inline int op_refuse(struct store_op *op, enum proto_error err, const char *why)
{
	op->err = err;
	op->why = why;
	return 0;
}

/**
 * writer_batch.c: commit @batch and publish it, or fail it.  NULL: see whether writing works, where
 * it did not.
 */
void writer_run_batch(struct store *st, struct store_op *batch);

/** The writer's thread. */
void *writer_main(void *store);
