/*
 * create, direct: a room is made.  people, members: who is in the team, or belongs to a room.
 */
#include "session/conn.h"

void start_create(struct conn *c, struct request *req)
{
	struct store_op *op = conn_new_op(c, STORE_CREATE, req);

	op->session = c->session;
	conn_submit(c, op);
}

/* op->entry is the room as an object without its brace. */
static void append_entry(struct buf *b, const struct conn *c, const struct store_op *op)
{
	buf_append(b, op->entry.p + 1, op->entry.len - 1);
	buf_append_str(b, ",\"head\":");
	buf_append_u64(b, op->room.head);
	buf_append_str(b, ",\"epoch\":");
	buf_append_json(b, span_of(store_epoch(conn_hub(c)->env->store)));
	room_entry_encode_role(b, op->role, 0);
}

void create_done(struct conn *c, struct store_op *op)
{
	struct buf b = {0};

	if (op->err != PROTO_OK) {
		conn_reply_error(c, &op->req->id, op->err, op->why, op->retry_ms);
		return;
	}
	reply_encode_open(&b, &op->req->id);
	buf_append_char(&b, ',');
	append_entry(&b, c, op);
	if (op->seq != 0) {
		buf_append_str(&b, ",\"seq\":");
		buf_append_u64(&b, op->seq);
		buf_append_str(&b, ",\"ts\":");
		buf_append_i64(&b, op->ts);
	}
	if (op->dup)
		buf_append_str(&b, ",\"dup\":true");
	buf_append_char(&b, '}');
	conn_send_reply(c, &b);
}

void start_people(struct conn *c, struct request *req)
{
	struct store_read *read = conn_new_read(c, STORE_READ_PEOPLE, req);

	read->is_guest = c->role == ROLE_GUEST;
	conn_submit_read(c, read);
}

void start_members(struct conn *c, struct request *req, struct joined *j)
{
	struct store_read *read = conn_new_read(c, STORE_READ_MEMBERS, req);

	read->room_id = j->room->id;
	conn_submit_read(c, read);
}

void people_done(struct conn *c, struct store_read *read)
{
	bool is_members = read->kind == STORE_READ_MEMBERS;
	struct buf b = {0};

	if (read->err != PROTO_OK) {
		conn_reply_error(c, &read->req->id, read->err, read->why, read->retry_ms);
		return;
	}
	reply_encode_open(&b, &read->req->id);
	buf_append_str(&b, is_members ? ",\"members\":[" : ",\"people\":[");
	buf_append_span(&b, buf_span(&read->events));
	buf_printf(&b, "],\"more\":%s}", read->more ? "true" : "false");
	conn_send_reply(c, &b);
}
