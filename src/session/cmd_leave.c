/*
 * leave: ends this connection's join; with `forget` also that the user belongs to the room.
 */
#include "session/conn.h"

void start_leave(struct conn *c, struct request *req, struct joined *j)
{
	int64_t room = j != NULL ? j->room->id : 0;

	if (j != NULL)
		conn_remove_joined(c, j);
	if (!req->forget) {
		conn_reply_ok(c, req);
		request_free(req);
		return;
	}
	struct store_op *op = conn_new_op(c, STORE_FORGET, req);

	op->room_id = room; /* 0: the store finds it by its name */
	/* A join behind this one waits: it must find what this leaves. */
	struct pending_room *p = conn_add_pending(c, req);

	if (!conn_submit(c, op))
		conn_remove_pending(c, p);
}

void leave_done(struct conn *c, struct store_op *op)
{
	conn_remove_pending(c, conn_find_pending(c, op->req));
	if (op->err != PROTO_OK) {
		conn_reply_error(c, &op->req->id, op->err, op->why, op->retry_ms);
		return;
	}
	hub_tell_forgotten(conn_hub(c), c->user, op->room_id);
	conn_set_belongs(c, op->room_id, false);
	conn_reply_ok(c, op->req);
}
