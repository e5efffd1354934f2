#pragma once
/* Layer: protocol. */
#include "hubbub/buf.h"
#include "hubbub/request.h"

enum event_kind {
	EVENT_MESSAGE = 1,
	EVENT_EDIT,
	EVENT_DELETE,
	EVENT_REACT,
	EVENT_TOPIC,
	EVENT_RENAME,
	EVENT_MEMBER,
	EVENT_ARCHIVE,
	EVENT_KEEP,   /* how long the room keeps what is said */
	EVENT_EXPIRE, /* the log begins later now; from nobody */
};

/** What happened to whom a member event is about.  The numbers are in the database. */
enum member_act {
	MEMBER_ADD = 1,
	MEMBER_REMOVE,
	MEMBER_LEAVE,
	MEMBER_ROLE,
	MEMBER_MUTE,
	N_MEMBER_ACTS,
};

struct event_reaction {
	struct span emoji;
	uint64_t count;
	bool me;
};

/** One durable event, as it goes over the wire.  The spans belong to whoever filled it in. */
struct event {
	enum event_kind kind;
	struct span room; /* folded name, or "~rid" for a room without a name */
	uint64_t seq;
	int64_t ts; /* Unix ms */
	int64_t from_id;
	struct span from_name;
	struct span text; /* p NULL: gone (a deleted message or its edits) */
	uint64_t target;  /* edit, delete, react */
	uint64_t thread, quote;
	const int64_t *mentions;
	unsigned n_mentions;
	struct span emoji;
	bool on;
	uint64_t count;
	bool deleted; /* a message that is a tombstone */
	/* member: about whom, what, and its value: the new enum room_role; until when (Unix ms, 0:
	 * no longer); leave: who is the owner since (0: as before). */
	int64_t about_id;
	struct span about_name;
	enum member_act act;
	uint64_t value;
	/* keep: the days and 1; 0: as the team's.  expire: the lowest seq that is kept. */
	struct span title; /* rename: the new one; text is the old */
	/* Folded history only: */
	bool folded;
	int64_t edited_ts; /* 0: never edited */
	const struct event_reaction *reactions;
	unsigned n_reactions;
};

/** Append the event as one JSON object: {"ev":"message","room":...}. */
void event_encode(struct buf *b, const struct event *e);

/* Replies.  Each appends one whole JSON object. */
void reply_encode_ok(struct buf *b, const struct request_id *id); /* {"re":7,"ok":true} */
void reply_encode_written(struct buf *b, const struct request_id *id, uint64_t seq, int64_t ts,
			  bool dup);
void reply_encode_error(struct buf *b, const struct request_id *id, enum proto_error e,
			const char *msg, unsigned retry_ms /* 0: absent */);
/** Begin {"re":…,"ok":true — the caller appends ,"field":… and '}'. */
void reply_encode_open(struct buf *b, const struct request_id *id);

/** A room as lists and events show it to one of its people. */
struct room_entry {
	struct span room; /* as `room` is written */
	struct span rid, title;
	enum room_kind kind;
	bool is_archived;
	struct span people; /* direct: JSON objects joined by ','; p NULL: none */
};
/** Append {"room":…,"rid":…,… — the caller appends more fields and '}'. */
void room_entry_encode_open(struct buf *b, const struct room_entry *e);
/** Append ,"role":…,"muted":… */
void room_entry_encode_role(struct buf *b, enum room_role role, int64_t muted_until);

/** {"id":"u4","name":"Ada"} */
void user_encode(struct buf *b, int64_t id, struct span name);
/** {"ev":"typing","room":…,"from":{…}} */
void event_encode_typing(struct buf *b, struct span room, int64_t id, struct span name);
/** {"ev":"read","room":…,"seq":…} */
void event_encode_read(struct buf *b, struct span room, uint64_t seq);

struct presence_user {
	int64_t id;
	struct span name;
};
/** {"ev":"presence","room":…,"join":[…],"leave":[…],"online":N}; the lists left out when both are
 * empty. */
void event_encode_presence(struct buf *b, struct span room, const struct presence_user *join,
			   unsigned n_join, const struct presence_user *leave, unsigned n_leave,
			   uint64_t online);
