/*
 * rooms: the rooms that the user may see, with who is online in each now.
 */
#include "session/conn.h"

void start_rooms(struct conn *c, struct request *req)
{
	struct store_read *read = conn_new_read(c, STORE_READ_ROOMS, req);

	read->limit = req->limit;
	read->is_guest = c->role == ROLE_GUEST;
	conn_submit_read(c, read);
}

void rooms_done(struct conn *c, struct store_read *read)
{
	if (read->err != PROTO_OK) {
		conn_reply_error(c, &read->req->id, read->err, read->why, read->retry_ms);
		return;
	}
	struct buf b = {0};

	reply_encode_open(&b, &read->req->id);
	buf_append_str(&b, ",\"rooms\":[");
	for (size_t i = 0; i < read->n_rooms; i++) {
		const struct store_room *r = &read->rooms[i];

		buf_append_str(&b, i > 0 ? ",{\"room\":" : "{\"room\":");
		buf_append_json(&b, span_of(r->name));
		buf_printf(&b, ",\"rid\":\"%s\",\"title\":", r->rid);
		buf_append_json(&b, span_of(r->title));
		buf_printf(&b, ",\"kind\":\"%s\",\"head\":", room_kind_name(r->kind));
		buf_append_u64(&b, r->head);
		buf_append_str(&b, ",\"topic\":");
		buf_append_json(&b, span_of(r->topic));
		buf_append_str(&b, ",\"online\":");
		buf_append_u64(&b, room_registry_online(conn_hub(c)->env->rooms, r->id));
		buf_append_char(&b, '}');
	}
	buf_append_str(&b, "]}");
	conn_send_reply(c, &b);
}
