/*
 * The room registry: which workers have members in which rooms.
 *
 * The registry does not know connections.  A connection belongs to one worker, and that worker
 * alone keeps the table from room to its own connections.  Here a room is a row of counters, one
 * per worker, and a broadcast is one message to each worker whose counter is not zero.  So the
 * work done under the lock grows with the number of workers, not of members, and no pointer to a
 * connection ever leaves its thread.
 *
 * A row is made by the store's writer alone, in the critical section that publishes the join which
 * asked for it, with the head as of that commit; and the writer alone moves a head.  So a loaded
 * row's head is always the newest published event, and whoever takes H = head under the lock is
 * sent everything above H through its worker's inbox.
 *
 * Rows without members stay for a while (the next join finds them) up to MAX_EMPTY.
 *
 * Locking: one mutex guards everything below it in the struct.  It is held while posting to the
 * inboxes, so that two broadcasts to a room reach every worker in the same order.
 * Lock order: room_registry.lock -> inbox.lock.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define MAX_EMPTY 1024

struct room_registry *room_registry_new(struct worker *workers, unsigned n_workers,
					const struct room_hooks *hooks)
{
	struct room_registry *rg = mem_zalloc(sizeof(*rg));

	rg->workers = workers;
	rg->n_workers = n_workers;
	rg->hooks = hooks;
	rg->outgoing = mem_zalloc(n_workers * sizeof(rg->outgoing[0]));
	mutex_init(&rg->lock);
	return rg;
}

static void free_room_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock)
{
	idmap_remove(&rg->by_id, (uint64_t)room->id);
	HASH_DELETE(hh_rid, rg->by_rid, room);
	if (room->name != NULL)
		HASH_DELETE(hh_name, rg->by_name, room);
	presence_drop_room_locked(rg, room);
	idmap_deinit(&room->removed);
	room_tail_drop(&room->tail);
	chunk_unref(room->text);
	free(room->name);
	free(room);
}

void room_registry_free(struct room_registry *rg)
{
	struct room *room, *next;

	mutex_lock(&rg->lock);
	/* A worker that was ended by force left its members behind. */
	HASH_ITER (hh_rid, rg->by_rid, room, next)
		free_room_locked(rg, room);
	assert(idmap_len(&rg->users) == 0);
	mutex_unlock(&rg->lock);
	mutex_deinit(&rg->lock);
	frame_maker_deinit(&rg->maker);
	free(rg->outgoing);
	free(rg);
}

struct room *room_find_locked(struct room_registry *rg, int64_t id)
{
	return idmap_get(&rg->by_id, (uint64_t)id);
}

int64_t room_registry_find(struct room_registry *rg, struct span name, struct span rid)
{
	struct room *room;

	mutex_lock(&rg->lock);
	if (name.p != NULL)
		HASH_FIND(hh_name, rg->by_name, name.p, name.len, room);
	else
		HASH_FIND(hh_rid, rg->by_rid, rid.p, rid.len, room);
	int64_t id = room != NULL ? room->id : 0;
	mutex_unlock(&rg->lock);
	return id;
}

static void add_empty_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock)
{
	room_tail_drop(&room->tail);
	DL_APPEND2(rg->empty, room, prev_empty, next_empty);
	if (++rg->n_empty > MAX_EMPTY) {
		struct room *oldest = rg->empty;

		DL_DELETE2(rg->empty, oldest, prev_empty, next_empty);
		rg->n_empty--;
		free_room_locked(rg, oldest);
	}
}

struct room *room_adopt_locked(struct room_registry *rg, const struct store_room *r)
{
	struct room *room = room_find_locked(rg, r->id);

	if (room != NULL)
		return room;
	room = mem_zalloc(sizeof(*room) + rg->n_workers * sizeof(room->joined[0]));
	room->id = r->id;
	memcpy(room->rid, r->rid, sizeof(room->rid));
	room->name = r->name != NULL ? mem_strdup(r->name) : NULL;
	room->kind = r->kind;
	room->is_archived = r->is_archived;
	room_set_text(room, span_of(r->title), span_of(r->topic));
	room->head = r->head;
	room->first = r->first;
	room->keep = r->keep;
	idmap_put(&rg->by_id, (uint64_t)room->id, room);
	HASH_ADD_KEYPTR(hh_rid, rg->by_rid, room->rid, strlen(room->rid), room);
	if (room->name != NULL)
		HASH_ADD_KEYPTR(hh_name, rg->by_name, room->name, strlen(room->name), room);
	add_empty_locked(rg, room);
	return room;
}

static void view_tail(const struct room *room, const struct room_visit *visit,
		      struct room_view *out)
{
	const struct room_tail *t = &room->tail;
	uint64_t n = room->head > visit->since ? room->head - visit->since : 0;

	if (n < visit->newest)
		n = visit->newest;
	if (n > t->n)
		n = t->n;
	if (n == 0)
		return;
	out->n_tail = (unsigned)n;
	out->tail = mem_alloc(n * sizeof(out->tail[0]));
	for (unsigned i = 0, from = t->first + t->n - out->n_tail; i < out->n_tail; i++) {
		out->tail[i] = t->ring[(from + i) % t->cap];
		frame_ref(out->tail[i].frame);
	}
}

static void view_locked(struct room_registry *rg, struct room *room, const struct room_visit *visit,
			struct room_view *out) REQUIRES(rg->lock)
{
	memcpy(out->rid, room->rid, sizeof(out->rid));
	out->text = chunk_ref(room->text);
	out->name = room->shown;
	out->title = room->title;
	out->topic = room->topic;
	out->kind = room->kind;
	out->is_archived = room->is_archived;
	out->head = room->head;
	out->first = room->first;
	out->keep = room->keep;
	view_tail(room, visit, out);
	presence_view_locked(rg, room, visit->user, out);
}

static void enter_locked(struct room_registry *rg, struct room *room,
			 const struct room_visit *visit) REQUIRES(rg->lock)
{
	if (room->n_joined == 0) {
		DL_DELETE2(rg->empty, room, prev_empty, next_empty);
		rg->n_empty--;
	}
	room->n_joined++;
	room->joined[visit->worker]++;
	rg->n_joined++;
	presence_enter_locked(rg, room, visit->user, visit->name);
}

bool room_registry_view(struct room_registry *rg, const struct room_visit *visit,
			struct room_view *out)
{
	*out = (struct room_view){0};
	mutex_lock(&rg->lock);
	struct room *room = room_find_locked(rg, visit->room);

	if (room != NULL && idmap_find(&room->removed, (uint64_t)visit->user) != NULL)
		room = NULL;
	if (room != NULL && visit->enters)
		enter_locked(rg, room, visit);
	if (room != NULL)
		view_locked(rg, room, visit, out);
	mutex_unlock(&rg->lock);
	return room != NULL;
}

void room_view_deinit(struct room_view *v)
{
	for (unsigned i = 0; i < v->n_tail; i++)
		frame_unref(v->tail[i].frame);
	free(v->tail);
	chunk_unref(v->members);
	chunk_unref(v->text);
	*v = (struct room_view){0};
}

void room_registry_leave(struct room_registry *rg, int64_t id, unsigned w, int64_t user)
{
	mutex_lock(&rg->lock);
	struct room *room = room_find_locked(rg, id);

	/* A room with members is never evicted. */
	assert(room != NULL && room->joined[w] > 0);
	room->joined[w]--;
	rg->n_joined--;
	presence_leave_locked(rg, room, user);
	if (--room->n_joined == 0)
		add_empty_locked(rg, room);
	mutex_unlock(&rg->lock);
}

uint64_t room_registry_online(struct room_registry *rg, int64_t id)
{
	mutex_lock(&rg->lock);
	struct room *room = room_find_locked(rg, id);
	uint64_t online = room != NULL ? idmap_len(&room->present) : 0;
	mutex_unlock(&rg->lock);
	return online;
}

void room_registry_count_deflate(struct room_registry *rg, int delta)
{
	atomic_fetch_add_explicit(&rg->n_deflate, delta, memory_order_relaxed);
}

bool room_registry_has_room(struct room_registry *rg)
{
	for (unsigned w = 0; w < rg->n_workers; w++) {
		struct worker *to = &rg->workers[w];

		if (inbox_len(&to->inbox) > INBOX_BOUND ||
		    atomic_load_explicit(&to->backlog, memory_order_relaxed) > BACKLOG_BOUND)
			return false;
	}
	return true;
}

void room_registry_get_stats(struct room_registry *rg, struct room_stats *out)
{
	mutex_lock(&rg->lock);
	out->loaded = idmap_len(&rg->by_id);
	out->joined = rg->n_joined;
	mutex_unlock(&rg->lock);
}
