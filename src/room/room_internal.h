#pragma once
/*
 * What the files of room/ share.  Only they include it.
 */
#include "hubbub/idmap.h"
#include "hubbub/mutex.h"
#include "hubbub/room.h"
#include <stdatomic.h>
#include <uthash.h>

#define TAIL_MAX_EVENTS 256
#define TAIL_MAX_BYTES (64 * 1024)
#define PRESENCE_MAX_NAMED 50
#define PRESENCE_INTERVAL_MS 1000
#define INBOX_BOUND 65536                 /* messages */
#define BACKLOG_BOUND (1024 * 1024)       /* bytes that a worker is still to tell its rooms */
#define FLEETING_BOUND (INBOX_BOUND / 16) /* messages; a worker behind by more hears no typing */

/** The newest events of a room, encoded; a ring whose last entry is the room's head. */
struct room_tail {
	struct room_event *ring; /* NULL while empty */
	unsigned first, n, cap;
	size_t bytes;
};

/** A user who is online in some room, or is still to be told of: the name is kept once. */
struct online_user {
	uint32_t n_refs; /* rooms, and rooms' changes */
	char name[];
};

/** Who came or went since the room was last told. */
struct presence_changes {
	struct presence_side {
		int64_t users[PRESENCE_MAX_NAMED];
		unsigned n;
	} came, went;
};

/** Where a room stands between two tellings of its presence. */
enum presence_state {
	PRESENCE_QUIET,
	PRESENCE_DUE,     /* in rg->due: to be told at the next flush */
	PRESENCE_RESTING, /* in rg->resting: told less than an interval ago */
};

struct room {
	int64_t id;
	char rid[STORE_RID_SIZE];
	char *name;         /* folded; NULL for a room without one */
	struct chunk *text; /* shown, title and topic, each with its NUL: shared with views */
	const char *shown;  /* as `room` is written */
	const char *title, *topic;
	enum room_kind kind;
	bool is_archived;
	/* Users who were removed since the row was made: a worker that has not heard yet is told by
	 * this that it must ask the store. */
	struct idmap removed;
	uint64_t head, first;
	uint64_t keep; /* as of struct store_room */
	struct room_tail tail;

	struct idmap present;             /* by user: joined connections * 2, + 1 when listed */
	struct member_list *list;         /* NULL when no reply was made lately */
	struct presence_changes *changes; /* NULL while nobody is to be named */
	enum presence_state presence_state;
	bool presence_changed, presence_crowded; /* crowded: too many changes to name */
	uint64_t presence_told_ms;
	struct room *prev_telling, *next_telling; /* in rg->due or rg->resting */

	struct room *prev_empty, *next_empty; /* in rg->empty while n_joined is 0 */
	UT_hash_handle hh_name, hh_rid;
	uint64_t n_joined;
	uint32_t joined[]; /* by worker */
};

struct room_registry {
	struct worker *workers;         /* constant */
	unsigned n_workers;             /* constant */
	const struct room_hooks *hooks; /* constant */
	atomic_int n_deflate;
	struct frame_maker maker; /* the store writer's */

	struct mutex lock;
	/* Guarded by lock: */
	struct inbox_list *outgoing; /* for each worker what is about to be posted */
	struct idmap by_id;          /* struct room */
	struct room *by_name, *by_rid;
	struct room *empty; /* rooms without members, the longest empty first */
	unsigned n_empty;
	struct idmap users; /* struct online_user by id */
	uint64_t n_renames; /* ever */
	struct room *due;
	struct room *resting; /* the longest ago told first */
	uint64_t n_joined;
};

/* registry.c */
struct room *room_find_locked(struct room_registry *rg, int64_t id) REQUIRES(rg->lock);
struct room *room_adopt_locked(struct room_registry *rg, const struct store_room *r)
	REQUIRES(rg->lock);
/* changes.c */
/** Copy these, and what the room is shown as, into room->text anew. */
void room_set_text(struct room *room, struct span title, struct span topic);
/** What @e says of its room beside that it is there. */
void room_note_event_locked(struct room_registry *rg, struct room *room, const struct event *e)
	REQUIRES(rg->lock);
/** @user belongs to the room (again). */
void room_note_member_locked(struct room_registry *rg, struct room *room, int64_t user)
	REQUIRES(rg->lock);

/* news.c */
struct room_post;
/** Room for @n_news, each for every worker. */
struct room_post *room_post_new(struct room_registry *rg, size_t n_news);
/** Address @news to all workers: it is for a user. */
void room_post_add_all_locked(struct room_registry *rg, struct room_post *post,
			      const struct room_news *news) REQUIRES(rg->lock);
/** Address @news to the workers with members of its room. */
void room_post_add_locked(struct room_registry *rg, struct room_post *post,
			  const struct room_news *news) REQUIRES(rg->lock);
/** Post what was added and free @post. */
void room_post_send_locked(struct room_registry *rg, struct room_post *post) REQUIRES(rg->lock);

/* tail.c */
/** Message @i of @f; takes its own reference. */
void room_tail_push(struct room_tail *t, struct frame *f, unsigned i);
void room_tail_drop(struct room_tail *t);

/* members.c */
/** The users whom a room's joins are shown, as JSON: kept up as they come and go. */
struct member_list;
struct member_list *member_list_new(uint64_t as_of);
void member_list_free(struct member_list *l); /* NULL is allowed */
/** What was given to member_list_new(). */
uint64_t member_list_as_of(const struct member_list *l);
unsigned member_list_len(const struct member_list *l);
int64_t member_list_user(const struct member_list *l, unsigned i);
/** Returns false when the list is full. */
bool member_list_add(struct member_list *l, int64_t user, const char *name);
void member_list_remove(struct member_list *l, int64_t user); /* who is in it */
/** The JSON objects of all, separated by commas; a reference. */
struct chunk *member_list_share(struct member_list *l);
/** How long those of the first @n are. */
size_t member_list_bytes(const struct member_list *l, unsigned n);

/* presence.c */
/** Returns with the user counted in; @name is copied. */
void presence_enter_locked(struct room_registry *rg, struct room *room, int64_t user,
			   struct span name) REQUIRES(rg->lock);
void presence_leave_locked(struct room_registry *rg, struct room *room, int64_t user)
	REQUIRES(rg->lock);
void presence_rename_locked(struct room_registry *rg, int64_t user, const char *name)
	REQUIRES(rg->lock);
/** Fill in @out's members for @user, who is or is not among them. */
void presence_view_locked(struct room_registry *rg, struct room *room, int64_t user,
			  struct room_view *out) REQUIRES(rg->lock);
/** Forget everything about @room, which is about to go. */
void presence_drop_room_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock);
