#pragma once
/*
 * What the files of room/ share.  Only they include it.
 */
#include "hubbub/mutex.h"
#include "hubbub/room.h"
#include <stdatomic.h>
#include <uthash.h>

#define TAIL_MAX_EVENTS 256
#define TAIL_MAX_BYTES (64 * 1024)
#define PRESENCE_MAX_NAMED 50
#define PRESENCE_INTERVAL_MS 1000
#define INBOX_BOUND 65536

/** The newest events of a room, encoded; a ring whose last entry is the room's head. */
struct room_tail {
	struct room_event *ring; /* NULL while empty */
	unsigned first, n, cap;
	size_t bytes;
};

/** A user who is online in some room: the name is kept once. */
struct online_user {
	int64_t id;
	char *name;
	unsigned n_rooms;
	UT_hash_handle hh;
};

/** A user in one room, with how many joined connections. */
struct present {
	int64_t user;
	unsigned n_conns;
	UT_hash_handle hh;
};

/** Who came or went since the room was last told; the names are copies, their owners may be gone.
 */
struct presence_change {
	struct presence_user users[PRESENCE_MAX_NAMED];
	unsigned n;
};

struct room {
	int64_t id;
	char rid[STORE_RID_SIZE];
	char *name;  /* folded; NULL for a room without one */
	char *shown; /* as `room` is written */
	char *title;
	char *topic;
	uint64_t head, first;
	struct room_tail tail;
	struct present *present;
	struct presence_change *came, *went;   /* NULL while nothing changed */
	bool presence_dirty, presence_crowded; /* crowded: too many changes to name */
	uint64_t presence_told_ms;
	struct room *next_dirty;
	struct room *prev_empty, *next_empty; /* in rg->empty while n_joined is 0 */
	UT_hash_handle hh, hh_name, hh_rid;
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
	struct room *by_id, *by_name, *by_rid;
	struct room *empty; /* rooms without members, the longest empty first */
	unsigned n_empty;
	struct online_user *users;
	struct room *presence_dirty;
	uint64_t n_joined;
};

/* registry.c */
struct room *room_find_locked(struct room_registry *rg, int64_t id) REQUIRES(rg->lock);
struct room *room_adopt_locked(struct room_registry *rg, const struct store_room *r)
	REQUIRES(rg->lock);

/* news.c */
struct room_post;
/** Room for @n_news, each for every worker. */
struct room_post *room_post_new(struct room_registry *rg, size_t n_news);
/** Address @news to the workers with members of its room. */
void room_post_add_locked(struct room_registry *rg, struct room_post *post,
			  const struct room_news *news) REQUIRES(rg->lock);
/** Post what was added and free @post. */
void room_post_send_locked(struct room_registry *rg, struct room_post *post) REQUIRES(rg->lock);

/* tail.c */
/** Message @i of @f; takes its own reference. */
void room_tail_push(struct room_tail *t, struct frame *f, unsigned i);
void room_tail_drop(struct room_tail *t);

/* presence.c */
void presence_enter_locked(struct room_registry *rg, struct room *room, int64_t user,
			   struct span name) REQUIRES(rg->lock);
void presence_leave_locked(struct room_registry *rg, struct room *room, int64_t user)
	REQUIRES(rg->lock);
void presence_rename_locked(struct room_registry *rg, int64_t user, const char *name)
	REQUIRES(rg->lock);
/** Drop what the room was not told yet. */
void presence_forget_changes(struct room *room);
const char *presence_name_locked(struct room_registry *rg, int64_t user) REQUIRES(rg->lock);
