/*
 * read: the user's marker in a room moves, and the user's other connections are told.
 */
#include "session/conn.h"

void start_read(struct conn *c, struct request *req, struct joined *j)
{
	struct store_op *op = conn_new_op(c, STORE_MARK, req);

	op->room_id = j->room->id;
	j->busy = conn_submit(c, op);
}

void read_done(struct conn *c, struct store_op *op)
{
	struct joined *j = conn_find_joined(c, op->room_id);

	if (j == NULL) { /* the user was removed meanwhile */
		conn_reply_error(c, &op->req->id, PROTO_E_NOT_FOUND, "There is no such room.", 0);
		return;
	}
	j->busy = false;
	if (op->err != PROTO_OK) {
		conn_reply_error(c, &op->req->id, op->err, op->why, op->retry_ms);
		return;
	}
	conn_reply_ok(c, op->req);

	struct buf b = {0};

	event_encode_read(&b, span_of(j->room->name), op->seq);
	struct frame *f = frame_new_text(buf_span(&b));

	buf_deinit(&b);
	room_registry_tell_user(conn_hub(c)->env->rooms, c->user, f, c->id);
	frame_unref(f);
}
