/*
 * join, read and leave with forget: who belongs to a room, and how far they read.
 */
#include "hubbub/permit.h"
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

int op_find_room(struct writer *w, const struct request *req, int64_t *id)
{
	return req->rid.p != NULL ? find_id(w, W_ROOM_BY_RID, req->rid, id)
				  : find_id(w, W_ROOM_BY_NAME, req->room, id);
}

/* A room that a join makes is public, and its maker's. */
static int make_room(struct writer *w, struct store_op *op)
{
	const struct request *req = op->req;
	struct new_room room = {
		.kind = ROOM_PUBLIC,
		.name = req->room,
		.title = req->title.p != NULL ? req->title : req->room,
	};

	return op_make_room(w, &room, &op->room_id);
}

/* The head comes from the transaction's own count: the row has it only after the flush. */
int op_take_snapshot(struct writer *w, struct store_op *op)
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
	store_room_deinit(&op->room);
	op->room.id = op->room_id;
	memcpy(op->room.rid, room->rid, STORE_RID_SIZE);
	if (!db_column_dup_or_null(s, 1, &op->room.name) || !db_column_dup(s, 2, &op->room.title) ||
	    !db_column_dup(s, 3, &op->room.topic)) {
		sqlite3_reset(s);
		return -EUCLEAN;
	}
	op->room.head = room->head;
	op->room.first = (uint64_t)sqlite3_column_int64(s, 4);
	op->room.kind = room->kind;
	op->room.is_archived = room->is_archived;
	op->room.keep = (uint64_t)sqlite3_column_int64(s, 7);
	sqlite3_reset(s);
	return 0;
}

/* 1: op->room_id may be joined, and @role is for who does; 0: refused; negative: failed. */
static int find_or_make(struct writer *w, struct store_op *op, enum room_role *role)
{
	const struct request *req = op->req;
	struct writer_room *room;
	enum team_role team = ROLE_GUEST;
	int rc = op_find_room(w, req, &op->room_id);

	*role = ROOM_ROLE_MEMBER;
	if (rc > 0)
		rc = writer_find_room(w, op->room_id, &room);
	if (rc > 0)
		return op_permit(w, op, OP_JOIN, room, false);
	if (rc == 0 && req->rid.p == NULL)
		rc = op_find_team_role(w, op->user, &team);
	if (rc < 0)
		return rc;
	if (req->rid.p != NULL || !permit_to_make_rooms(team))
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	rc = op_refuse_lookalike(w, op, req->title.p != NULL ? req->title : req->room, 0);
	if (rc <= 0)
		return rc;
	if (!op->is_open)
		*role = ROOM_ROLE_OWNER;
	rc = make_room(w, op);
	return rc == 0 ? 1 : rc;
}

int op_apply_join(struct writer *w, struct store_op *op)
{
	const struct writer_member *m;
	enum room_role role;
	int rc = find_or_make(w, op, &role);

	if (rc <= 0)
		return rc;
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_ADD);
	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, op->room_id);
	db_bind_int(s, 3, role);
	int err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) > 0)
		writer_forget_member(w, op->user, op->room_id);
	err = writer_find_member(w, op->user, op->room_id, &m);
	if (err != 0)
		return err;
	op->role = m->role;
	op->muted_until = m->muted_until;
	return op_take_snapshot(w, op);
}

int op_apply_mark(struct writer *w, struct store_op *op)
{
	struct writer_room *room;
	int rc = writer_find_room(w, op->room_id, &room);

	if (rc <= 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	rc = op_permit(w, op, OP_READ, room, false);
	if (rc <= 0)
		return rc;
	op->seq = op->req->seq < room->head ? op->req->seq : room->head;
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_READ);
	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, op->room_id);
	db_bind_int(s, 3, (int64_t)op->seq);
	return db_run(s);
}

/* Out of a private room nobody goes unnoticed. */
static int append_leave(struct writer *w, struct store_op *op, struct writer_room *room,
			int64_t heir)
{
	int err = op_take_snapshot(w, op);

	return err != 0 ? err : op_append_own(w, op, room, MEMBER_LEAVE, (uint64_t)heir, NULL);
}

int op_apply_forget(struct writer *w, struct store_op *op)
{
	const struct writer_member *m;
	struct writer_room *room;
	int rc = op->room_id == 0 ? op_find_room(w, op->req, &op->room_id) : 1;

	if (rc > 0)
		rc = writer_find_room(w, op->room_id, &room);
	if (rc > 0) {
		int err = writer_find_member(w, op->user, room->id, &m);

		if (err != 0)
			return err;
		rc = m->role != ROOM_ROLE_NONE;
	}
	if (rc <= 0)
		return rc; /* nobody belongs to a room that is not there */
	rc = op_permit(w, op, OP_LEAVE, room, false);
	return rc > 0 ? op_leave_room(w, op, room) : rc;
}

int op_leave_room(struct writer *w, struct store_op *op, struct writer_room *room)
{
	int64_t heir;
	int rc = op_find_heir(w, op->user, room, &heir);

	if (rc != 0)
		return rc;
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_DROP);
	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, op->room_id);
	rc = db_run(s);
	writer_forget_member(w, op->user, op->room_id);
	if (rc == 0 && (room->kind == ROOM_PRIVATE || heir != 0))
		rc = append_leave(w, op, room, heir);
	return rc;
}
