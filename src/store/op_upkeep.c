/*
 * What the store does by itself, a little at a time: messages past their room's age go, and so does
 * what somebody left behind who deleted their account.
 *
 * An expired event keeps its row, which says no more than that there was one, so that no text is
 * moved to where a deletion would not find it (see schema.c); the log begins behind it.  Each step
 * is one op: a bounded piece of work, and at most one event that tells of it.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/store_internal.h"
#include "store/writer.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define EXPIRE_MAX 200 /* events a step */
#define LOOK_AT_MAX 64 /* rooms a step in which nothing turned out to be due */

/* Somebody who deleted their account, and how far their messages are gone. */
struct leaver {
	int64_t user, room;
	uint64_t seq;
	bool removes;
};

/* 1, 0 or negative. */
static int find_leaver(struct writer *w, struct leaver *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_LEAVER);
	int rc = db_step(s);

	if (rc <= 0)
		return rc;
	*out = (struct leaver){
		.user = sqlite3_column_int64(s, 0),
		.removes = sqlite3_column_int64(s, 1) != 0,
		.room = sqlite3_column_int64(s, 2),
		.seq = (uint64_t)sqlite3_column_int64(s, 3),
	};
	sqlite3_reset(s);
	return 1;
}

/* Out of the next of their rooms.  1: done; 0: there is none left; or negative. */
static int leave_next(struct writer *w, struct store_op *op, const struct leaver *l)
{
	struct writer_room *room;
	sqlite3_stmt *s = db_stmt(&w->db, W_LEAVER_ROOM);

	db_bind_int(s, 1, l->user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	op->room_id = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	rc = writer_find_room(w, op->room_id, &room);
	if (rc <= 0)
		return rc;
	rc = op_leave_room(w, op, room);
	return rc < 0 ? rc : 1;
}

static int note_progress(struct writer *w, const struct leaver *l)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_LEAVER_AT);

	db_bind_int(s, 1, l->user);
	db_bind_int(s, 2, l->room);
	db_bind_int(s, 3, (int64_t)l->seq);
	return db_run(s);
}

/* Their next message goes.  1, 0 or negative. */
static int delete_next(struct writer *w, struct store_op *op, struct leaver *l)
{
	struct op_target target;
	struct writer_room *room;
	sqlite3_stmt *s = db_stmt(&w->db, W_LEAVER_MESSAGE);

	db_bind_int(s, 1, l->user);
	db_bind_int(s, 2, l->room);
	db_bind_int(s, 3, (int64_t)l->seq);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	l->room = op->room_id = sqlite3_column_int64(s, 0);
	l->seq = (uint64_t)sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	rc = writer_find_room(w, l->room, &room);
	if (rc <= 0)
		return rc;
	rc = op_find_target(w, l->room, l->seq, &target);
	if (rc == 0)
		rc = op_delete_message(w, op, room, l->seq, &target);
	if (rc == 0)
		rc = note_progress(w, l);
	return rc < 0 ? rc : 1;
}

/* 1: something was done; 0: there is nothing to do; or negative. */
static int see_off(struct writer *w, struct store_op *op)
{
	struct leaver l;
	int rc = find_leaver(w, &l);

	if (rc <= 0)
		return rc;
	op->user = l.user;
	rc = leave_next(w, op, &l);
	if (rc == 0 && l.removes)
		rc = delete_next(w, op, &l);
	if (rc != 0)
		return rc;
	sqlite3_stmt *s = db_stmt(&w->db, W_LEAVER_DONE);
	db_bind_int(s, 1, l.user);
	rc = db_run(s);
	return rc < 0 ? rc : 1;
}

/* A room whose log begins with something too old. */
struct due_room {
	int64_t id;
	uint64_t first;
	int64_t before; /* Unix ms */
};

/* The next behind the last one looked at.  1; 0: none, up to the last of them; or negative. */
static int find_due(struct writer *w, struct due_room *out)
{
	int64_t now = clock_wall_ms();

	for (;;) {
		sqlite3_stmt *s = db_stmt(&w->db, W_EXPIRE_NEXT);

		db_bind_int(s, 1, w->expired_upto);
		db_bind_int(s, 2, now);
		int rc = db_step(s);
		if (rc > 0) {
			out->id = w->expired_upto = sqlite3_column_int64(s, 0);
			out->first = (uint64_t)sqlite3_column_int64(s, 1);
			out->before = now - sqlite3_column_int64(s, 2) * DAY_MS;
			sqlite3_reset(s);
		}
		if (rc != 0)
			return rc;
		s = db_stmt(&w->db, W_EXPIRE_WINDOW);
		db_bind_int(s, 1, w->expired_upto);
		rc = db_step(s);
		if (rc > 0) {
			w->expired_upto = sqlite3_column_int64(s, 0);
			sqlite3_reset(s);
		}
		if (rc < 0 || w->expired_upto == 0)
			return rc < 0 ? rc : 0; /* past the last: the next step begins anew */
	}
}

/* What the event at @seq says goes.  1: it did; 2: so it did before; 0: it stays; or negative. */
static int expire_event(struct writer *w, const struct due_room *due, uint64_t seq)
{
	struct op_target target;
	int err = op_find_target(w, due->id, seq, &target);

	if (err != 0)
		return err;
	if (target.event == 0 || target.ts >= due->before)
		return 0;
	if (target.kind == EVENT_MESSAGE) {
		err = op_clear_target(w, due->id, seq, &target);
	} else {
		sqlite3_stmt *s = db_stmt(&w->db, W_CLEAR_MESSAGE);

		db_bind_int(s, 1, target.event);
		err = db_run(s);
	}
	return err != 0 ? err : target.kind == EVENT_EXPIRE ? 2 : 1;
}

/* 1: the log begins later; 0: nothing is to be done; or negative. */
static int expire_room(struct writer *w, struct store_op *op, const struct due_room *due)
{
	struct writer_room *room;
	uint64_t seq = due->first;
	bool is_news = false;
	int rc = writer_find_room(w, due->id, &room);

	if (rc <= 0)
		return rc;
	for (unsigned n = 0; rc > 0 && n < EXPIRE_MAX && seq <= room->head; n++) {
		rc = expire_event(w, due, seq);
		seq += rc > 0;
		is_news |= rc == 1;
	}
	/* That something has expired is told once: telling it is no reason to do so again. */
	if (rc < 0 || !is_news)
		return rc < 0 ? rc : 0;
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_FIRST);
	db_bind_int(s, 1, due->id);
	db_bind_int(s, 2, (int64_t)seq);
	rc = db_run(s);
	op->event = (struct event){.kind = EVENT_EXPIRE, .value = seq};
	op->drops_tail = true;
	if (rc == 0)
		rc = op_fill_event(w, op, room);
	return rc == 0 ? op_append_event(w, op, room, NULL) : rc;
}

static int expire(struct writer *w, struct store_op *op)
{
	struct due_room due;
	int rc = 0;

	for (unsigned n = 0; rc == 0 && n < LOOK_AT_MAX; n++) {
		rc = find_due(w, &due);
		if (rc <= 0)
			return rc;
		rc = expire_room(w, op, &due);
		if (rc > 0)
			w->expired_upto = due.id - 1; /* there may be more of it */
	}
	return rc < 0 ? rc : 1;
}

void op_want_upkeep(struct writer *w)
{
	atomic_store(&w->st->has_upkeep, true);
}

int op_apply_upkeep(struct writer *w, struct store_op *op)
{
	int rc = see_off(w, op);

	if (rc == 0)
		rc = expire(w, op);
	atomic_store(&w->st->has_upkeep, rc > 0);
	return rc < 0 ? rc : 0;
}
