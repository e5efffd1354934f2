/*
 * typing: told to the room's other connections, at most once a second from each; never stored.
 */
#include "session/conn.h"

#define TYPING_INTERVAL_MS 1000

void start_typing(struct conn *c, struct request *req, struct joined *j)
{
	uint64_t now = conn_hub(c)->worker->now_ms;

	if (j->typed_ms == 0 || now - j->typed_ms >= TYPING_INTERVAL_MS) {
		struct buf b = {0};

		j->typed_ms = now;
		event_encode_typing(&b, span_of(j->room->name), c->user, span_of(c->name));
		struct frame *f = frame_new_text(buf_span(&b));

		buf_deinit(&b);
		room_registry_tell(conn_hub(c)->env->rooms, j->room->id, f, c->id);
		frame_unref(f);
	}
	conn_reply_ok(c, req);
	request_free(req);
}
