/*
 * Presence: which users are online in which rooms, counted by joined connections.
 *
 * Rooms are told of changes at most once an interval each, of each user's last one only; past
 * PRESENCE_MAX_NAMED changes only the count is told, and a further change costs nothing but its
 * counting.  A room that was told rests for an interval, and what changed meanwhile is told then.
 *
 * Per user and room there is one slot of a map, and per user one name.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

/** Rooms that a flush looks at before it lets others have the lock. */
#define FLUSH_MAX_ROOMS 64

/* In the slots of room->present. */
#define LISTED UINT64_C(1)
#define ONE_CONN UINT64_C(2)

static struct online_user *find_user_locked(struct room_registry *rg, int64_t id) REQUIRES(rg->lock)
{
	return idmap_get(&rg->users, (uint64_t)id);
}

static struct online_user *new_user(const char *name, size_t len)
{
	struct online_user *u = mem_alloc(sizeof(*u) + len + 1);

	u->n_refs = 0;
	memcpy(u->name, name, len);
	u->name[len] = '\0';
	return u;
}

static void unref_user_locked(struct room_registry *rg, int64_t id) REQUIRES(rg->lock)
{
	struct online_user *u = find_user_locked(rg, id);

	if (--u->n_refs > 0)
		return;
	idmap_remove(&rg->users, (uint64_t)id);
	free(u);
}

static bool side_remove(struct presence_side *side, int64_t user)
{
	for (unsigned i = 0; i < side->n; i++) {
		if (side->users[i] == user) {
			side->users[i] = side->users[--side->n];
			return true;
		}
	}
	return false;
}

static void forget_side_locked(struct room_registry *rg, const struct presence_side *side)
	REQUIRES(rg->lock)
{
	for (unsigned i = 0; i < side->n; i++)
		unref_user_locked(rg, side->users[i]);
}

static void forget_changes_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock)
{
	struct presence_changes *changes = room->changes;

	if (changes == NULL)
		return;
	room->changes = NULL;
	forget_side_locked(rg, &changes->came);
	forget_side_locked(rg, &changes->went);
	free(changes);
}

static void set_due_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock)
{
	if (room->presence_state != PRESENCE_QUIET)
		return;
	room->presence_state = PRESENCE_DUE;
	DL_APPEND2(rg->due, room, prev_telling, next_telling);
}

/*
 * @user came or else went, which replaces an untold change the other way.  It is told even so: a
 * join's reply may have shown the user to somebody meanwhile.
 */
static void note_change_locked(struct room_registry *rg, struct room *room, int64_t user,
			       struct online_user *u, bool came) REQUIRES(rg->lock)
{
	room->presence_changed = true;
	set_due_locked(rg, room);
	if (room->presence_crowded)
		return;
	if (room->changes == NULL)
		room->changes = mem_zalloc(sizeof(*room->changes));
	struct presence_changes *changes = room->changes;
	struct presence_side *to = came ? &changes->came : &changes->went;

	if (side_remove(came ? &changes->went : &changes->came, user))
		u->n_refs--; /* not the last one: the caller holds one */
	if (to->n == PRESENCE_MAX_NAMED) {
		room->presence_crowded = true;
		forget_changes_locked(rg, room);
		return;
	}
	to->users[to->n++] = user;
	u->n_refs++;
}

static void list_locked(struct room *room, struct idmap_slot *p, const char *name)
{
	if (room->list != NULL && member_list_add(room->list, (int64_t)p->id, name))
		p->u |= LISTED;
}

void presence_enter_locked(struct room_registry *rg, struct room *room, int64_t user,
			   struct span name)
{
	struct idmap_slot *p = idmap_find(&room->present, (uint64_t)user);

	if (p != NULL) {
		p->u += ONE_CONN;
		return;
	}
	p = idmap_add(&room->present, (uint64_t)user);
	p->u = ONE_CONN;
	struct online_user *u = find_user_locked(rg, user);

	if (u == NULL) {
		u = new_user(name.p, name.len);
		idmap_put(&rg->users, (uint64_t)user, u);
	}
	u->n_refs++;
	list_locked(room, p, u->name);
	note_change_locked(rg, room, user, u, true);
}

void presence_leave_locked(struct room_registry *rg, struct room *room, int64_t user)
{
	struct idmap_slot *p = idmap_find(&room->present, (uint64_t)user);

	assert(p != NULL && p->u >= ONE_CONN);
	p->u -= ONE_CONN;
	if (p->u >= ONE_CONN)
		return;
	if ((p->u & LISTED) != 0)
		member_list_remove(room->list, user);
	idmap_remove(&room->present, (uint64_t)user);
	note_change_locked(rg, room, user, find_user_locked(rg, user), false);
	unref_user_locked(rg, user);
}

void presence_rename_locked(struct room_registry *rg, int64_t user, const char *name)
{
	struct idmap_slot *s = idmap_find(&rg->users, (uint64_t)user);

	if (s == NULL)
		return;
	struct online_user *old = s->p, *u = new_user(name, strlen(name));

	u->n_refs = old->n_refs;
	s->p = u;
	free(old);
	rg->n_renames++; /* lists made before show the old name */
}

static void drop_list(struct room *room)
{
	unsigned n = room->list != NULL ? member_list_len(room->list) : 0;

	for (unsigned i = 0; i < n; i++)
		idmap_find(&room->present, (uint64_t)member_list_user(room->list, i))->u &= ~LISTED;
	member_list_free(room->list);
	room->list = NULL;
}

/* Whether the list shows fewer than it should, because others left it. */
static bool is_short(const struct room *room)
{
	uint32_t n = member_list_len(room->list), online = idmap_len(&room->present);

	return n < online && (online <= ROOM_MAX_MEMBERS_SHOWN || n < ROOM_MAX_MEMBERS_SHOWN / 2);
}

static void make_list_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock)
{
	struct idmap_slot *p;

	drop_list(room);
	room->list = member_list_new(rg->n_renames);
	for (uint32_t pos = 0; member_list_len(room->list) < ROOM_MAX_MEMBERS_SHOWN &&
			       (p = idmap_next(&room->present, &pos)) != NULL;)
		list_locked(room, p, find_user_locked(rg, (int64_t)p->id)->name);
	set_due_locked(rg, room); /* it is dropped then */
}

void presence_view_locked(struct room_registry *rg, struct room *room, int64_t user,
			  struct room_view *out)
{
	if (room->list == NULL || member_list_as_of(room->list) != rg->n_renames || is_short(room))
		make_list_locked(rg, room);
	struct idmap_slot *p = idmap_find(&room->present, (uint64_t)user);
	unsigned n = member_list_len(room->list);

	out->online = idmap_len(&room->present);
	out->members = member_list_share(room->list);
	out->lack_self = p != NULL && (p->u & LISTED) == 0;
	if (out->lack_self && n == ROOM_MAX_MEMBERS_SHOWN)
		n--;
	out->members_len = member_list_bytes(room->list, n);
	out->n_members = n + out->lack_self;
}

static void unqueue_locked(struct room_registry *rg, struct room *room) REQUIRES(rg->lock)
{
	if (room->presence_state == PRESENCE_DUE)
		DL_DELETE2(rg->due, room, prev_telling, next_telling);
	else if (room->presence_state == PRESENCE_RESTING)
		DL_DELETE2(rg->resting, room, prev_telling, next_telling);
	room->presence_state = PRESENCE_QUIET;
}

void presence_drop_room_locked(struct room_registry *rg, struct room *room)
{
	struct idmap_slot *p;

	unqueue_locked(rg, room);
	forget_changes_locked(rg, room);
	member_list_free(room->list);
	for (uint32_t pos = 0; (p = idmap_next(&room->present, &pos)) != NULL;)
		unref_user_locked(rg, (int64_t)p->id);
	idmap_deinit(&room->present);
}

/* What one room is told, taken out of the lock so that nothing is encoded under it. */
struct telling {
	int64_t room;
	struct chunk *text; /* holds shown */
	const char *shown;
	uint64_t online;
	struct buf names;
	struct presence_user came[PRESENCE_MAX_NAMED], went[PRESENCE_MAX_NAMED];
	unsigned n_came, n_went;
};

static unsigned take_side_locked(struct room_registry *rg, const struct presence_side *side,
				 struct presence_user *users, struct buf *names) REQUIRES(rg->lock)
{
	for (unsigned i = 0; i < side->n; i++) {
		const char *name = find_user_locked(rg, side->users[i])->name;
		size_t len = strlen(name);

		users[i] = (struct presence_user){.id = side->users[i], .name = {.len = len}};
		buf_append(names, name, len);
	}
	return side->n;
}

static void take_locked(struct room_registry *rg, struct room *room, struct telling *t)
	REQUIRES(rg->lock)
{
	t->room = room->id;
	t->text = chunk_ref(room->text);
	t->shown = room->shown;
	t->online = idmap_len(&room->present);
	t->n_came = t->n_went = 0;
	t->names.len = 0;
	if (room->changes == NULL)
		return; /* crowded */
	t->n_came = take_side_locked(rg, &room->changes->came, t->came, &t->names);
	t->n_went = take_side_locked(rg, &room->changes->went, t->went, &t->names);
}

static struct room *next_due_locked(struct room_registry *rg, uint64_t now_ms) REQUIRES(rg->lock)
{
	struct room *room = rg->resting;

	if (room == NULL || now_ms - room->presence_told_ms < PRESENCE_INTERVAL_MS)
		room = rg->due;
	if (room != NULL)
		unqueue_locked(rg, room);
	return room;
}

/* Returns whether there is something to tell. */
static bool settle_locked(struct room_registry *rg, struct room *room, uint64_t now_ms,
			  struct telling *t) REQUIRES(rg->lock)
{
	bool tells = room->presence_changed && room->n_joined > 0;

	drop_list(room);
	if (tells) {
		take_locked(rg, room, t);
		room->presence_told_ms = now_ms;
		room->presence_state = PRESENCE_RESTING;
		DL_APPEND2(rg->resting, room, prev_telling, next_telling);
	}
	forget_changes_locked(rg, room);
	room->presence_changed = room->presence_crowded = false;
	return tells;
}

static struct presence_user *name_users(struct presence_user *users, unsigned n, const char **names)
{
	for (unsigned i = 0; i < n; i++) {
		users[i].name.p = *names;
		*names += users[i].name.len;
	}
	return users;
}

static void tell(struct room_registry *rg, struct telling *t)
{
	struct buf b = {0};
	const char *names = buf_span(&t->names).p;
	const struct presence_user *came = name_users(t->came, t->n_came, &names);
	const struct presence_user *went = name_users(t->went, t->n_went, &names);

	event_encode_presence(&b, span_of(t->shown), came, t->n_came, went, t->n_went, t->online);
	struct frame *f = frame_new_text(buf_span(&b));

	room_registry_tell(rg, t->room, f, 0);
	frame_unref(f);
	buf_deinit(&b);
	chunk_unref(t->text);
}

void room_registry_flush_presence(struct room_registry *rg, uint64_t now_ms)
{
	struct telling t = {0};
	struct room *room;

	do {
		bool tells = false;

		mutex_lock(&rg->lock);
		for (unsigned n = 0; !tells && n < FLUSH_MAX_ROOMS; n++) {
			room = next_due_locked(rg, now_ms);
			if (room == NULL)
				break;
			tells = settle_locked(rg, room, now_ms, &t);
		}
		mutex_unlock(&rg->lock);
		if (tells)
			tell(rg, &t);
	} while (room != NULL);
	buf_deinit(&t.names);
}
