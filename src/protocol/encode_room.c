/*
 * A room as JSON, as hello, create, direct and the event `added` show it.
 */
#include "hubbub/event.h"

void room_entry_encode_open(struct buf *b, const struct room_entry *e)
{
	buf_append_str(b, "{\"room\":");
	buf_append_json(b, e->room);
	buf_append_str(b, ",\"rid\":");
	buf_append_json(b, e->rid);
	buf_append_str(b, ",\"title\":");
	buf_append_json(b, e->title);
	buf_printf(b, ",\"kind\":\"%s\"", room_kind_name(e->kind));
	if (e->is_archived)
		buf_append_str(b, ",\"archived\":true");
	if (e->people.p != NULL) {
		buf_append_str(b, ",\"people\":[");
		buf_append_span(b, e->people);
		buf_append_char(b, ']');
	}
}

void room_entry_encode_role(struct buf *b, enum room_role role, int64_t muted_until)
{
	if (role == ROOM_ROLE_NONE)
		return;
	buf_printf(b, ",\"role\":\"%s\"", room_role_name(role));
	if (muted_until != 0) {
		buf_append_str(b, ",\"muted\":");
		buf_append_i64(b, muted_until);
	}
}
