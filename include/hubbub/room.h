#pragma once
/* Layer: room. */
#include "hubbub/frame.h"
#include "hubbub/store.h"
#include "hubbub/worker.h"
#include <stdbool.h>
#include <stdint.h>

/**
 * The room registry: which workers have members in which rooms, each loaded room's head, the newest
 * events encoded, and who is present.  See src/room/registry.c for how it works.
 *
 * All functions may be called by any thread unless said otherwise.
 */
struct room_registry;

/** What reaches a worker for the members or the user it has. */
struct room_news {
	int64_t room;         /* 0: for a user's connections */
	int64_t user;         /* where room is 0 */
	uint64_t seq;         /* of the frame's first message; 0: not durable, and only one */
	struct frame *frame;  /* borrowed during the call */
	uint64_t except_conn; /* this connection gets none; 0: none is left out */
	int64_t ended;        /* where room is 0: the user belongs to this room no longer */
	const char *name;     /* the room is called so since; NULL: as before */
};

struct room_hooks {
	/** On the worker's thread, in the order that the registry posted in. */
	void (*on_news)(struct worker *w, const struct room_news *news);
};

struct room_registry *room_registry_new(struct worker *workers, unsigned n_workers,
					const struct room_hooks *hooks);
/** After the store and the workers have ended. */
void room_registry_free(struct room_registry *rg);

/** The room's id if it is loaded, by folded @name or, where p is NULL, by @rid; 0 if it is not. */
int64_t room_registry_find(struct room_registry *rg, struct span name, struct span rid);

#define ROOM_MAX_MEMBERS_SHOWN 200

/** One event of a log, encoded: message @i of a run. */
struct room_event {
	struct frame *frame;
	unsigned i;
};

/** What a join sees of a room, in one moment. */
struct room_view {
	char rid[STORE_RID_SIZE];
	struct chunk *text; /* holds the three below */
	const char *name;   /* as `room` is written: folded, or "~rid" */
	const char *title;
	const char *topic;
	enum room_kind kind;
	bool is_archived;
	uint64_t head, first;
	uint64_t keep;           /* as of struct store_room */
	struct room_event *tail; /* the newest events, the last one is head; references */
	unsigned n_tail;
	/* Online users as JSON objects with commas between: the first members_len bytes of a chunk
	 * shared with other views, and oneself before them where they lack_self. */
	struct chunk *members;
	size_t members_len;
	bool lack_self;
	unsigned n_members; /* with oneself; at most ROOM_MAX_MEMBERS_SHOWN */
	uint64_t online;
};
void room_view_deinit(struct room_view *v);

/** Who looks at a room, and for what. */
struct room_visit {
	int64_t room;
	unsigned worker;
	int64_t user;
	struct span name; /* the user's */
	bool enters;      /* to count in one more joined connection of theirs */
	/* Of the tail: all above since, and if these are fewer the newest so many; as it has them.
	 */
	uint64_t since;
	unsigned newest;
};

/**
 * Look at a loaded room.  Who enters it is counted in at that moment: every event above the view's
 * head reaches their worker from then on.
 * Returns false when the room is not loaded, or the user was removed from it: ask the store for it
 * (STORE_JOIN) and try again.
 */
bool room_registry_view(struct room_registry *rg, const struct room_visit *visit,
			struct room_view *out);
/** A joined connection of @user on worker @w is gone. */
void room_registry_leave(struct room_registry *rg, int64_t room, unsigned w, int64_t user);
/** How many users are online in a room; 0 when it is not loaded. */
uint64_t room_registry_online(struct room_registry *rg, int64_t room);

/**
 * The store's publish hook (writer's thread): advance heads and tails, post the replies to their
 * workers and then the events to the workers that have members, in one critical section.
 */
void room_registry_publish(struct room_registry *rg, struct store_op *ops);
/** Send what is not durable to a room's members.  The caller keeps its reference. */
void room_registry_tell(struct room_registry *rg, int64_t room, struct frame *frame,
			uint64_t except_conn);
/** Send to all connections of a user but one. */
void room_registry_tell_user(struct room_registry *rg, int64_t user, struct frame *frame,
			     uint64_t except_conn);
/** Tell rooms whose people changed, each at most once a second.  One thread, every 100 ms or so. */
void room_registry_flush_presence(struct room_registry *rg, uint64_t now_ms);
/** Connections that take compressed frames came (+1) or went (-1). */
void room_registry_count_deflate(struct room_registry *rg, int delta);
/** Whether every worker's inbox is under its bound: the store's may_take hook. */
bool room_registry_has_room(struct room_registry *rg);

struct room_stats {
	uint64_t loaded, joined;
};
void room_registry_get_stats(struct room_registry *rg, struct room_stats *out);
