/*
 * Presence: which users are online in which rooms, counted by joined connections.
 *
 * Rooms are told of changes at most once a second each, of each user's last one only; past
 * PRESENCE_MAX_NAMED changes only the count is told.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <utlist.h>

static void change_remove(struct presence_change *c, int64_t user)
{
	for (unsigned i = 0; c != NULL && i < c->n; i++) {
		if (c->users[i].id == user) {
			free((void *)c->users[i].name.p);
			c->users[i] = c->users[--c->n];
			return;
		}
	}
}

static void change_free(struct presence_change *c)
{
	for (unsigned i = 0; c != NULL && i < c->n; i++)
		free((void *)c->users[i].name.p);
	free(c);
}

/*
 * @user changed in direction @to, which replaces an untold change in direction @from.  It is told
 * even so: a join's reply may have shown the user to somebody meanwhile.
 */
static void note_change_locked(struct room_registry *rg, struct room *room, int64_t user,
			       struct presence_change **to, struct presence_change *from)
	REQUIRES(rg->lock)
{
	if (!room->presence_dirty) {
		room->presence_dirty = true;
		LL_PREPEND2(rg->presence_dirty, room, next_dirty);
	}
	change_remove(from, user);
	if (*to == NULL)
		*to = mem_zalloc(sizeof(**to));
	if ((*to)->n == PRESENCE_MAX_NAMED) {
		room->presence_crowded = true;
		return;
	}
	const char *name = presence_name_locked(rg, user);

	(*to)->users[(*to)->n++] = (struct presence_user){
		.id = user,
		.name = {.p = mem_strdup(name), .len = strlen(name)},
	};
}

static struct online_user *find_user_locked(struct room_registry *rg, int64_t id) REQUIRES(rg->lock)
{
	struct online_user *u;

	HASH_FIND(hh, rg->users, &id, sizeof(id), u);
	return u;
}

void presence_enter_locked(struct room_registry *rg, struct room *room, int64_t user,
			   struct span name)
{
	struct present *p;

	HASH_FIND(hh, room->present, &user, sizeof(user), p);
	if (p != NULL) {
		p->n_conns++;
		return;
	}
	struct online_user *u = find_user_locked(rg, user);

	if (u == NULL) {
		u = mem_zalloc(sizeof(*u));
		u->id = user;
		u->name = mem_dup(name.p, name.len);
		HASH_ADD(hh, rg->users, id, sizeof(u->id), u);
	}
	u->n_rooms++;
	p = mem_zalloc(sizeof(*p));
	p->user = user;
	p->n_conns = 1;
	HASH_ADD(hh, room->present, user, sizeof(p->user), p);
	note_change_locked(rg, room, user, &room->came, room->went);
}

void presence_leave_locked(struct room_registry *rg, struct room *room, int64_t user)
{
	struct present *p;

	HASH_FIND(hh, room->present, &user, sizeof(user), p);
	if (p == NULL || --p->n_conns > 0)
		return;
	HASH_DELETE(hh, room->present, p);
	free(p);
	/* The name is needed for the telling, so the change is noted while the user is known. */
	note_change_locked(rg, room, user, &room->went, room->came);
	struct online_user *u = find_user_locked(rg, user);

	if (u != NULL && --u->n_rooms == 0) {
		HASH_DELETE(hh, rg->users, u);
		free(u->name);
		free(u);
	}
}

void presence_rename_locked(struct room_registry *rg, int64_t user, const char *name)
{
	struct online_user *u = find_user_locked(rg, user);

	if (u != NULL) {
		free(u->name);
		u->name = mem_strdup(name);
	}
}

const char *presence_name_locked(struct room_registry *rg, int64_t user)
{
	struct online_user *u = find_user_locked(rg, user);

	return u != NULL ? u->name : "";
}

/* What one room is told, taken out of the lock so that nothing is encoded under it. */
struct telling {
	struct telling *next;
	int64_t room;
	char *shown;
	struct presence_change *came, *went;
	uint64_t online;
};

static struct telling *take_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock)
{
	struct telling *t = NULL;
	bool changed = (room->came != NULL && room->came->n > 0) ||
		       (room->went != NULL && room->went->n > 0);

	(void)rg;
	if (room->presence_crowded) {
		presence_forget_changes(room);
		changed = true;
	}
	if (room->n_joined > 0 && changed) {
		t = mem_zalloc(sizeof(*t));
		t->room = room->id;
		t->shown = mem_strdup(room->shown);
		t->online = HASH_COUNT(room->present);
		t->came = room->came;
		t->went = room->went;
		room->came = room->went = NULL;
	} else {
		presence_forget_changes(room);
	}
	room->presence_dirty = room->presence_crowded = false;
	return t;
}

void presence_forget_changes(struct room *room)
{
	change_free(room->came);
	change_free(room->went);
	room->came = room->went = NULL;
}

static void tell(struct room_registry *rg, struct telling *t)
{
	static const struct presence_change none;
	const struct presence_change *came = t->came != NULL ? t->came : &none;
	const struct presence_change *went = t->went != NULL ? t->went : &none;
	struct buf b = {0};

	event_encode_presence(&b, span_of(t->shown), came->users, came->n, went->users, went->n,
			      t->online);
	struct frame *f = frame_new_text(buf_span(&b));

	room_registry_tell(rg, t->room, f, 0);
	frame_unref(f);
	buf_deinit(&b);
	change_free(t->came);
	change_free(t->went);
	free(t->shown);
	free(t);
}

void room_registry_flush_presence(struct room_registry *rg, uint64_t now_ms)
{
	struct telling *tellings = NULL;
	struct room *room, *next, *later = NULL;

	mutex_lock(&rg->lock);
	for (room = rg->presence_dirty; room != NULL; room = next) {
		next = room->next_dirty;
		if (now_ms - room->presence_told_ms < PRESENCE_INTERVAL_MS) {
			LL_PREPEND2(later, room, next_dirty);
			continue;
		}
		struct telling *t = take_locked(rg, room);

		if (t != NULL) {
			room->presence_told_ms = now_ms;
			LL_PREPEND(tellings, t);
		}
	}
	rg->presence_dirty = later;
	mutex_unlock(&rg->lock);

	while (tellings != NULL) {
		struct telling *t = tellings;

		tellings = t->next;
		tell(rg, t);
	}
}
