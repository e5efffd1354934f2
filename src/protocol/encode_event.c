/*
 * Events as JSON, written by hand: one pass, no tree, the fields always in the same order.
 */
#include "hubbub/event.h"

static const char *const kind_names[] = {
	[EVENT_MESSAGE] = "message", [EVENT_EDIT] = "edit",       [EVENT_DELETE] = "delete",
	[EVENT_REACT] = "react",     [EVENT_TOPIC] = "topic",     [EVENT_RENAME] = "rename",
	[EVENT_MEMBER] = "member",   [EVENT_ARCHIVE] = "archive", [EVENT_KEEP] = "keep",
	[EVENT_EXPIRE] = "expire",
};

static void append_string(struct buf *b, const char *name, struct span s)
{
	buf_append_str(b, name);
	buf_append_json(b, s);
}

static void append_number(struct buf *b, const char *name, uint64_t n)
{
	buf_append_str(b, name);
	buf_append_u64(b, n);
}

static void append_bool(struct buf *b, const char *name, bool yes)
{
	buf_append_str(b, name);
	buf_append_str(b, yes ? "true" : "false");
}

void user_encode(struct buf *b, int64_t id, struct span name)
{
	buf_append_str(b, "{\"id\":\"u");
	buf_append_i64(b, id);
	append_string(b, "\",\"name\":", name);
	buf_append_char(b, '}');
}

static void append_mentions(struct buf *b, const struct event *e)
{
	if (e->n_mentions == 0)
		return;
	buf_append_str(b, ",\"mentions\":[");
	for (unsigned i = 0; i < e->n_mentions; i++) {
		buf_append_str(b, i > 0 ? ",\"u" : "\"u");
		buf_append_i64(b, e->mentions[i]);
		buf_append_char(b, '"');
	}
	buf_append_char(b, ']');
}

static void append_fold(struct buf *b, const struct event *e)
{
	if (e->edited_ts != 0) {
		buf_append_str(b, ",\"edited\":");
		buf_append_i64(b, e->edited_ts);
	}
	buf_append_str(b, ",\"reactions\":[");
	for (unsigned i = 0; i < e->n_reactions; i++) {
		const struct event_reaction *r = &e->reactions[i];

		append_string(b, i > 0 ? ",{\"emoji\":" : "{\"emoji\":", r->emoji);
		append_number(b, ",\"count\":", r->count);
		append_bool(b, ",\"me\":", r->me);
		buf_append_char(b, '}');
	}
	buf_append_char(b, ']');
}

static void append_message(struct buf *b, const struct event *e)
{
	bool is_gone = e->deleted || e->text.p == NULL;

	if (!is_gone)
		append_string(b, ",\"text\":", e->text);
	if (e->thread != 0)
		append_number(b, ",\"thread\":", e->thread);
	if (is_gone) {
		append_bool(b, ",\"deleted\":", true);
		return;
	}
	if (e->quote != 0)
		append_number(b, ",\"quote\":", e->quote);
	append_mentions(b, e);
	if (e->folded)
		append_fold(b, e);
}

static void append_reaction(struct buf *b, const struct event *e)
{
	append_string(b, ",\"emoji\":", e->emoji);
	append_bool(b, ",\"on\":", e->on);
	append_number(b, ",\"count\":", e->count);
}

static void append_member(struct buf *b, const struct event *e)
{
	static const char *const acts[N_MEMBER_ACTS] = {
		[MEMBER_ADD] = "add",   [MEMBER_REMOVE] = "remove", [MEMBER_LEAVE] = "leave",
		[MEMBER_ROLE] = "role", [MEMBER_MUTE] = "mute",
	};

	buf_append_str(b, ",\"user\":");
	user_encode(b, e->about_id, e->about_name);
	buf_printf(b, ",\"act\":\"%s\"", acts[e->act]);
	if (e->act == MEMBER_ROLE)
		buf_printf(b, ",\"role\":\"%s\"", room_role_name((enum room_role)e->value));
	if (e->act == MEMBER_MUTE)
		append_number(b, ",\"until\":", e->value);
	if (e->act == MEMBER_LEAVE && e->value != 0)
		buf_printf(b, ",\"owner\":\"u%llu\"", (unsigned long long)e->value);
}

void event_encode(struct buf *b, const struct event *e)
{
	buf_append_str(b, "{\"ev\":\"");
	buf_append_str(b, kind_names[e->kind]);
	append_string(b, "\",\"room\":", e->room);
	append_number(b, ",\"seq\":", e->seq);
	buf_append_str(b, ",\"ts\":");
	buf_append_i64(b, e->ts);
	buf_append_str(b, ",\"from\":");
	user_encode(b, e->from_id, e->from_name);
	if (e->target != 0)
		append_number(b, ",\"target\":", e->target);
	switch (e->kind) {
	case EVENT_MESSAGE:
		append_message(b, e);
		break;
	case EVENT_EDIT:
		if (e->text.p != NULL)
			append_string(b, ",\"text\":", e->text);
		break;
	case EVENT_DELETE:
		break;
	case EVENT_REACT:
		append_reaction(b, e);
		break;
	case EVENT_TOPIC:
		append_string(b, ",\"topic\":", e->text);
		break;
	case EVENT_RENAME: /* room is the new name already, text the one before */
		append_string(b, ",\"was\":", e->text);
		if (e->title.p != NULL)
			append_string(b, ",\"title\":", e->title);
		break;
	case EVENT_MEMBER:
		append_member(b, e);
		break;
	case EVENT_ARCHIVE:
		append_bool(b, ",\"on\":", e->on);
		break;
	case EVENT_KEEP:
		if (e->value != 0)
			append_number(b, ",\"days\":", e->value - 1);
		break;
	case EVENT_EXPIRE:
		append_number(b, ",\"first\":", e->value);
		break;
	}
	buf_append_char(b, '}');
}

void event_encode_typing(struct buf *b, struct span room, int64_t id, struct span name)
{
	append_string(b, "{\"ev\":\"typing\",\"room\":", room);
	buf_append_str(b, ",\"from\":");
	user_encode(b, id, name);
	buf_append_char(b, '}');
}

void event_encode_read(struct buf *b, struct span room, uint64_t seq)
{
	append_string(b, "{\"ev\":\"read\",\"room\":", room);
	append_number(b, ",\"seq\":", seq);
	buf_append_char(b, '}');
}

static void append_users(struct buf *b, const char *name, const struct presence_user *users,
			 unsigned n)
{
	buf_append_str(b, name);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			buf_append_char(b, ',');
		user_encode(b, users[i].id, users[i].name);
	}
	buf_append_char(b, ']');
}

void event_encode_presence(struct buf *b, struct span room, const struct presence_user *join,
			   unsigned n_join, const struct presence_user *leave, unsigned n_leave,
			   uint64_t online)
{
	append_string(b, "{\"ev\":\"presence\",\"room\":", room);
	if (n_join > 0 || n_leave > 0) {
		append_users(b, ",\"join\":[", join, n_join);
		append_users(b, ",\"leave\":[", leave, n_leave);
	}
	append_number(b, ",\"online\":", online);
	buf_append_char(b, '}');
}
