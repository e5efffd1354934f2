/*
 * send, edit, delete, react, and what changes a room: one event each, acknowledged after its
 * commit.
 */
#include "session/conn.h"

void start_write(struct conn *c, struct request *req, struct joined *j)
{
	struct store_op *op = conn_new_op(c, STORE_WRITE, req);

	op->room_id = j->room->id;
	op->session = c->session;
	if (conn_submit(c, op))
		j->n_writes++;
}

void write_done(struct conn *c, struct store_op *op)
{
	/* Leaving waits for the writes before it, so the room is joined still, unless the user was
	 * removed from it meanwhile. */
	struct joined *j = conn_find_joined(c, op->room_id);

	if (j != NULL && j->n_writes > 0)
		j->n_writes--;
	if (op->err != PROTO_OK) {
		conn_reply_error(c, &op->req->id, op->err, op->why, op->retry_ms);
		return;
	}
	struct buf json = {0};

	reply_encode_written(&json, &op->req->id, op->seq, op->ts, op->dup);
	conn_send_reply(c, &json);
}
