/*
 * What the writer remembers between ops: rooms with their heads, the names of authors, and what
 * each is in a room, with how many messages.
 *
 * A room's head and count go on in memory during a batch and are written once, before the commit.
 */
#include "hubbub/mem.h"
#include "store/writer.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	CACHE_MAX_ROOMS = 4096,
	CACHE_MAX_NAMES = 16384,
	CACHE_MAX_MEMBERS = 16384,
};

static void drop_rooms(struct writer *w)
{
	struct writer_room *room, *next;

	HASH_ITER (hh, w->rooms, room, next) {
		HASH_DEL(w->rooms, room);
		free(room->label);
		free(room);
	}
	w->dirty = NULL;
}

static void drop_names(struct writer *w)
{
	struct writer_name *name, *next;

	HASH_ITER (hh, w->names, name, next) {
		HASH_DEL(w->names, name);
		free(name->name);
		free(name);
	}
}

static void drop_members(struct writer *w)
{
	struct writer_member *m, *next;

	HASH_ITER (hh, w->members, m, next) {
		HASH_DEL(w->members, m);
		free(m);
	}
}

int writer_find_room(struct writer *w, int64_t id, struct writer_room **out)
{
	struct writer_room *room;

	HASH_FIND(hh, w->rooms, &id, sizeof(id), room);
	if (room == NULL) {
		sqlite3_stmt *s = db_stmt(&w->db, W_ROOM);

		db_bind_int(s, 1, id);
		int rc = db_step(s);
		if (rc <= 0)
			return rc;
		struct span rid;
		char *label;
		int64_t kind = sqlite3_column_int64(s, 4);
		if (!db_column_text(s, 0, &rid) || rid.len >= STORE_RID_SIZE || kind < 0 ||
		    kind >= N_ROOM_KINDS || !db_column_dup_or_null(s, 1, &label)) {
			sqlite3_reset(s);
			return -EUCLEAN;
		}
		room = mem_zalloc(sizeof(*room));
		room->id = id;
		memcpy(room->rid, rid.p, rid.len);
		room->label = label;
		if (room->label == NULL) {
			room->label = mem_alloc(1 + STORE_RID_SIZE);
			room->label[0] = '~';
			memcpy(room->label + 1, room->rid, STORE_RID_SIZE);
		}
		room->head = (uint64_t)sqlite3_column_int64(s, 2);
		room->n_messages = (uint64_t)sqlite3_column_int64(s, 3);
		room->kind = (enum room_kind)sqlite3_column_int64(s, 4);
		room->is_archived = sqlite3_column_int64(s, 5) != 0;
		sqlite3_reset(s);
		HASH_ADD(hh, w->rooms, id, sizeof(room->id), room);
	}
	*out = room;
	return 1;
}

int writer_find_name(struct writer *w, int64_t id, const char **out)
{
	struct writer_name *name;

	*out = NULL;
	HASH_FIND(hh, w->names, &id, sizeof(id), name);
	if (name == NULL) {
		sqlite3_stmt *s = db_stmt(&w->db, W_USER_NAME);

		db_bind_int(s, 1, id);
		int rc = db_step(s);
		if (rc <= 0)
			return rc;
		char *text;
		bool ok = db_column_dup(s, 0, &text);
		sqlite3_reset(s);
		if (!ok)
			return -EUCLEAN;
		name = mem_zalloc(sizeof(*name));
		name->id = id;
		name->name = text;
		HASH_ADD(hh, w->names, id, sizeof(name->id), name);
	}
	*out = name->name;
	return 0;
}

void writer_forget_name(struct writer *w, int64_t id)
{
	struct writer_name *name;

	HASH_FIND(hh, w->names, &id, sizeof(id), name);
	if (name == NULL)
		return;
	HASH_DEL(w->names, name);
	free(name->name);
	free(name);
}

void writer_forget_room(struct writer *w, int64_t id)
{
	struct writer_room *room;

	HASH_FIND(hh, w->rooms, &id, sizeof(id), room);
	if (room == NULL)
		return;
	assert(!room->dirty);
	HASH_DEL(w->rooms, room);
	free(room->label);
	free(room);
}

static struct writer_member *find_member(struct writer *w, int64_t user, int64_t room)
{
	struct writer_member_key key = {.user = user, .room = room};
	struct writer_member *m;

	HASH_FIND(hh, w->members, &key, sizeof(key), m);
	if (m == NULL) {
		m = mem_zalloc(sizeof(*m));
		m->key = key;
		HASH_ADD(hh, w->members, key, sizeof(m->key), m);
	}
	return m;
}

uint64_t *writer_find_own(struct writer *w, int64_t user, int64_t room, int *err)
{
	struct writer_member *m = find_member(w, user, room);

	if (!m->has_own) {
		sqlite3_stmt *s = db_stmt(&w->db, W_OWN_ORD);

		db_bind_int(s, 1, user);
		db_bind_int(s, 2, room);
		int rc = db_step(s);
		if (rc < 0) {
			*err = rc;
			return NULL;
		}
		if (rc > 0) {
			m->n_own = (uint64_t)sqlite3_column_int64(s, 0);
			sqlite3_reset(s);
		}
		m->has_own = true;
	}
	return &m->n_own;
}

int writer_find_member(struct writer *w, int64_t user, int64_t room,
		       const struct writer_member **out)
{
	struct writer_member *m = find_member(w, user, room);

	*out = m;
	if (m->has_role)
		return 0;
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER);
	db_bind_int(s, 1, user);
	db_bind_int(s, 2, room);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	int64_t role = rc > 0 ? sqlite3_column_int64(s, 0) : ROOM_ROLE_NONE;
	m->muted_until = rc > 0 ? sqlite3_column_int64(s, 1) : 0;
	sqlite3_reset(s);
	if (role < 0 || role >= N_ROOM_ROLES)
		return -EUCLEAN;
	m->role = (enum room_role)role;
	m->has_role = true;
	return 0;
}

void writer_forget_member(struct writer *w, int64_t user, int64_t room)
{
	find_member(w, user, room)->has_role = false;
}

void writer_mark_dirty(struct writer *w, struct writer_room *room)
{
	if (room->dirty)
		return;
	room->dirty = true;
	room->next_dirty = w->dirty;
	w->dirty = room;
}

int writer_flush_rooms(struct writer *w)
{
	while (w->dirty != NULL) {
		struct writer_room *room = w->dirty;
		sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_FLUSH);

		db_bind_int(s, 1, room->id);
		db_bind_int(s, 2, (int64_t)room->head);
		db_bind_int(s, 3, (int64_t)room->n_messages);
		int err = db_run(s);
		if (err != 0)
			return err;
		w->dirty = room->next_dirty;
		room->next_dirty = NULL;
		room->dirty = false;
	}
	return 0;
}

void writer_drop_caches(struct writer *w)
{
	drop_rooms(w);
	drop_names(w);
	drop_members(w);
}

void writer_trim_caches(struct writer *w)
{
	assert(w->dirty == NULL);
	if (HASH_COUNT(w->rooms) > CACHE_MAX_ROOMS)
		drop_rooms(w);
	if (HASH_COUNT(w->names) > CACHE_MAX_NAMES)
		drop_names(w);
	if (HASH_COUNT(w->members) > CACHE_MAX_MEMBERS)
		drop_members(w);
}
