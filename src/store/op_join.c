/*
 * join, read and leave with forget: who belongs to a room, and how far they read.
 */
#include "hubbub/mem.h"
#include "store/secret.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <errno.h>

/* 1: *@id is set; 0: no such room; negative: failed. */
static int find_id(struct writer *w, unsigned stmt, struct span by, int64_t *id)
{
	sqlite3_stmt *s = db_stmt(&w->db, stmt);

	db_bind_text(s, 1, by);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	*id = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 1;
}

/* Likewise, by the name or the rid that the request has. */
static int find_room(struct writer *w, const struct request *req, int64_t *id)
{
	return req->rid.p != NULL ? find_id(w, W_ROOM_BY_RID, req->rid, id)
				  : find_id(w, W_ROOM_BY_NAME, req->room, id);
}

static int make_room(struct writer *w, const struct request *req, int64_t *id)
{
	char rid[STORE_RID_SIZE];
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_NEW);

	secret_make_rid(rid);
	db_bind_text(s, 1, span_of(rid));
	db_bind_text(s, 2, req->room);
	db_bind_text(s, 3, req->title.p != NULL ? req->title : req->room);
	int err = db_run(s);
	if (err != 0)
		return err;
	*id = sqlite3_last_insert_rowid(w->db.h);
	return 0;
}

/* The head comes from the transaction's own count: the row has it only after the flush. */
static int take_snapshot(struct writer *w, struct store_op *op)
{
	struct writer_room *room;
	int rc = writer_find_room(w, op->room_id, &room);

	if (rc <= 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_SNAPSHOT);
	db_bind_int(s, 1, op->room_id);
	rc = db_step(s);
	if (rc <= 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	op->room.id = op->room_id;
	memcpy(op->room.rid, room->rid, STORE_RID_SIZE);
	if (!db_column_dup_or_null(s, 1, &op->room.name) || !db_column_dup(s, 2, &op->room.title) ||
	    !db_column_dup(s, 3, &op->room.topic)) {
		sqlite3_reset(s);
		return -EUCLEAN;
	}
	op->room.head = room->head;
	op->room.first = (uint64_t)sqlite3_column_int64(s, 4);
	sqlite3_reset(s);
	return 0;
}

static int is_member(struct writer *w, int64_t user, int64_t room)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER);

	db_bind_int(s, 1, user);
	db_bind_int(s, 2, room);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

int op_apply_join(struct writer *w, struct store_op *op)
{
	const struct request *req = op->req;
	int64_t id = 0;
	int rc = find_room(w, req, &id);

	/* For a guest there are the rooms that they were invited to, and no others. */
	if (rc > 0 && op->is_guest)
		rc = is_member(w, op->user, id);
	if (rc == 0 && (req->rid.p != NULL || op->is_guest))
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	if (rc == 0)
		rc = make_room(w, req, &id);
	if (rc < 0)
		return rc;

	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_ADD);
	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, id);
	int err = db_run(s);
	if (err != 0)
		return err;
	op->room_id = id;
	return take_snapshot(w, op);
}

int op_apply_mark(struct writer *w, struct store_op *op)
{
	struct writer_room *room;
	int rc = writer_find_room(w, op->room_id, &room);

	if (rc <= 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	op->seq = op->req->seq < room->head ? op->req->seq : room->head;
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_READ);
	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, op->room_id);
	db_bind_int(s, 3, (int64_t)op->seq);
	return db_run(s);
}

int op_apply_forget(struct writer *w, struct store_op *op)
{
	int rc = op->room_id == 0 ? find_room(w, op->req, &op->room_id) : 1;

	if (rc <= 0)
		return rc; /* nobody belongs to a room that is not there */
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_DROP);

	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, op->room_id);
	return db_run(s);
}
