/*
 * What the writer remembers between ops: rooms with their heads, the names of authors, and how
 * many messages each has in a room.
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
	CACHE_MAX_OWNS = 16384,
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

static void drop_owns(struct writer *w)
{
	struct writer_own *own, *next;

	HASH_ITER (hh, w->owns, own, next) {
		HASH_DEL(w->owns, own);
		free(own);
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
		if (!db_column_text(s, 0, &rid) || rid.len >= STORE_RID_SIZE ||
		    !db_column_dup_or_null(s, 1, &label)) {
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

uint64_t *writer_find_own(struct writer *w, int64_t user, int64_t room, int *err)
{
	struct writer_own_key key = {.user = user, .room = room};
	struct writer_own *own;

	HASH_FIND(hh, w->owns, &key, sizeof(key), own);
	if (own == NULL) {
		sqlite3_stmt *s = db_stmt(&w->db, W_OWN_ORD);

		db_bind_int(s, 1, user);
		db_bind_int(s, 2, room);
		int rc = db_step(s);
		if (rc < 0) {
			*err = rc;
			return NULL;
		}
		own = mem_zalloc(sizeof(*own));
		own->key = key;
		if (rc > 0) {
			own->n = (uint64_t)sqlite3_column_int64(s, 0);
			sqlite3_reset(s);
		}
		HASH_ADD(hh, w->owns, key, sizeof(own->key), own);
	}
	return &own->n;
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
	drop_owns(w);
}

void writer_trim_caches(struct writer *w)
{
	assert(w->dirty == NULL);
	if (HASH_COUNT(w->rooms) > CACHE_MAX_ROOMS)
		drop_rooms(w);
	if (HASH_COUNT(w->names) > CACHE_MAX_NAMES)
		drop_names(w);
	if (HASH_COUNT(w->owns) > CACHE_MAX_OWNS)
		drop_owns(w);
}
