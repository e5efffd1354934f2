/*
 * history: a stretch of the room's log, plain or folded, read by the store's readers.
 */
#include "session/conn.h"

void start_history(struct conn *c, struct request *req, struct joined *j)
{
	struct store_read *read = conn_new_read(c, STORE_READ_EVENTS, req);

	read->room_id = j->room->id;
	read->from = req->from;
	read->bound = req->bound;
	read->limit = req->limit;
	read->fold = req->fold;
	j->busy = conn_submit_read(c, read);
}

void history_done(struct conn *c, struct joined *j, struct store_read *read)
{
	j->busy = false;
	if (read->err != PROTO_OK) {
		conn_reply_error(c, &read->req->id, read->err, read->why, read->retry_ms);
		return;
	}
	struct buf b = {0};

	reply_encode_open(&b, &read->req->id);
	buf_append_str(&b, ",\"room\":");
	buf_append_json(&b, span_of(j->room->name));
	buf_append_str(&b, ",\"head\":");
	buf_append_u64(&b, read->head);
	buf_append_str(&b, ",\"first\":");
	buf_append_u64(&b, read->first);
	buf_append_str(&b, ",\"epoch\":");
	buf_append_json(&b, span_of(store_epoch(conn_hub(c)->env->store)));
	buf_printf(&b, ",\"more\":%s,\"events\":[", read->more ? "true" : "false");
	buf_append_span(&b, buf_span(&read->events));
	buf_append_str(&b, "]}");
	conn_send_reply(c, &b);
}
