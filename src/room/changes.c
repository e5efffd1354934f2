/*
 * What events say of the room itself: its name, its topic, who was removed.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <stdlib.h>

static size_t append_string(struct buf *b, struct span s)
{
	size_t at = b->len;

	buf_append_span(b, s);
	buf_append_char(b, '\0');
	return at;
}

void room_set_text(struct room *room, struct span title, struct span topic)
{
	struct chunk *old = room->text; /* the arguments may point into it */
	struct buf text = {0};

	if (room->name == NULL)
		buf_append_char(&text, '~');
	append_string(&text, span_of(room->name != NULL ? room->name : room->rid));
	size_t title_at = append_string(&text, title), topic_at = append_string(&text, topic);

	room->text = chunk_new_copy(text.p, text.len);
	buf_deinit(&text);
	chunk_unref(old);
	room->shown = (const char *)chunk_bytes(room->text);
	room->title = room->shown + title_at;
	room->topic = room->shown + topic_at;
}

static void rename_locked(struct room_registry *rg, struct room *room, const struct event *e)
	REQUIRES(rg->lock)
{
	if (room->name != NULL) {
		HASH_DELETE(hh_name, rg->by_name, room);
		free(room->name);
		room->name = mem_dup(e->room.p, e->room.len);
		HASH_ADD_KEYPTR(hh_name, rg->by_name, room->name, strlen(room->name), room);
	}
	room_set_text(room, e->title, span_of(room->topic));
}

void room_note_member_locked(struct room_registry *rg, struct room *room, int64_t user)
{
	(void)rg;
	idmap_remove(&room->removed, (uint64_t)user);
}

void room_note_event_locked(struct room_registry *rg, struct room *room, const struct event *e)
{
	switch (e->kind) {
	case EVENT_RENAME:
		rename_locked(rg, room, e);
		break;
	case EVENT_TOPIC:
		room_set_text(room, span_of(room->title), e->text);
		break;
	case EVENT_ARCHIVE:
		room->is_archived = e->on;
		break;
	case EVENT_KEEP:
		room->keep = e->value;
		break;
	case EVENT_EXPIRE:
		room->first = e->value;
		break;
	case EVENT_MEMBER:
		if (e->act == MEMBER_ADD)
			room_note_member_locked(rg, room, e->about_id);
		else if ((e->act == MEMBER_REMOVE || e->act == MEMBER_LEAVE) &&
			 idmap_find(&room->removed, (uint64_t)e->about_id) == NULL)
			idmap_add(&room->removed, (uint64_t)e->about_id);
		break;
	default:
		break;
	}
}
