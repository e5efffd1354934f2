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
	conn_submit(c, op);
}

void leave_done(struct conn *c, struct store_op *op)
{
	if (op->err != PROTO_OK) {
		conn_reply_error(c, &op->req->id, op->err, op->why, op->retry_ms);
		return;
	}
	conn_set_belongs(c, op->room_id, false);
	conn_reply_ok(c, op->req);
}
