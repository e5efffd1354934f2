/* The log as writes make it.  What is read of it is judged in history_pages.c. */
#include "history_model.h"
#include "fuzz.h"
#include "hubbub/mem.h"

#define MAX_KINDS 200 /* of reactions to one message */

static const char *const user_names[MODEL_N_USERS] = {"Ada", "Bo \"b\"", "C\xc3\xa9line"};
static const char *const room_names[MODEL_N_ROOMS] = {"alpha", "b\xc3\xa9ta-2"};

void model_init(struct model *m)
{
	*m = (struct model){0};
	for (int i = 0; i < MODEL_N_ROOMS; i++)
		m->rooms[i].name = room_names[i];
}

void model_deinit(struct model *m)
{
	for (int i = 0; i < MODEL_N_ROOMS; i++) {
		for (size_t k = 0; k < m->rooms[i].n; k++)
			free(m->rooms[i].events[k].memory);
		free(m->rooms[i].events);
	}
	for (size_t i = 0; i < m->n_keys; i++) {
		buf_deinit(&m->keys[i].key);
		buf_deinit(&m->keys[i].content);
	}
	free(m->keys);
}

const char *model_user_name(int64_t user)
{
	return user_names[user - 1];
}

int model_find_room(const struct model *m, struct span name)
{
	for (int i = 0; i < MODEL_N_ROOMS; i++) {
		if (span_equal(span_of(m->rooms[i].name), name))
			return i;
	}
	return -1;
}

/* Two requests under one key are the same request if and only if these are. */
static struct buf content_of(int room, const struct request *req)
{
	struct buf b = {0};

	buf_printf(&b, "%d %d %llu %llu %llu %d", req->op, room, (unsigned long long)req->target,
		   (unsigned long long)req->thread, (unsigned long long)req->quote, req->on);
	for (unsigned i = 0; i < req->n_mentions; i++)
		buf_printf(&b, " u%lld", (long long)req->mentions[i]);
	buf_printf(&b, " %zu ", req->text.len);
	buf_append_span(&b, req->text);
	buf_append_char(&b, ' ');
	buf_append_span(&b, req->emoji);
	return b;
}

static const struct model_key *find_key(const struct model *m, int64_t user, struct span key)
{
	for (size_t i = 0; i < m->n_keys; i++) {
		if (m->keys[i].user == user && span_equal(buf_span(&m->keys[i].key), key))
			return &m->keys[i];
	}
	return NULL;
}

static bool is_message(const struct model_room *room, uint64_t seq)
{
	return seq >= 1 && seq <= room->n && room->events[seq - 1].e.kind == EVENT_MESSAGE &&
	       !room->events[seq - 1].e.deleted;
}

static bool has_reaction(const struct model_room *room, int64_t user, uint64_t target,
			 struct span emoji)
{
	for (size_t i = room->n; i > 0; i--) {
		const struct event *e = &room->events[i - 1].e;

		if (e->kind == EVENT_REACT && e->target == target && e->from_id == user &&
		    span_equal(e->emoji, emoji))
			return e->on;
	}
	return false;
}

static uint64_t count_reactions(const struct model_room *room, uint64_t target, struct span emoji)
{
	uint64_t n = 0;

	for (int64_t user = 1; user <= MODEL_N_USERS; user++)
		n += has_reaction(room, user, target, emoji);
	return n;
}

/* How many kinds of reactions a message has: the newest event of each says whether it has it. */
static unsigned count_kinds(const struct model_room *room, uint64_t target)
{
	unsigned n = 0;

	for (size_t i = 0; i < room->n; i++) {
		const struct model_event *m = &room->events[i];

		n += m->is_newest && m->e.target == target && m->e.count != 0;
	}
	return n;
}

static void note_newest(struct model_room *room, struct model_event *newest)
{
	for (size_t i = room->n - 1; i > 0; i--) {
		struct model_event *m = &room->events[i - 1];

		if (m->is_newest && m->e.target == newest->e.target &&
		    span_equal(m->e.emoji, newest->e.emoji)) {
			m->is_newest = false;
			break;
		}
	}
	newest->is_newest = true;
}

static enum proto_error judge(const struct model_room *room, int64_t user,
			      const struct request *req)
{
	if (req->op == OP_SEND) {
		bool is_there = (req->thread == 0 || is_message(room, req->thread)) &&
				(req->quote == 0 || is_message(room, req->quote));

		return is_there ? PROTO_OK : PROTO_E_NOT_FOUND;
	}
	if (!is_message(room, req->target))
		return PROTO_E_NOT_FOUND;
	if (req->op != OP_REACT)
		return room->events[req->target - 1].e.from_id == user ? PROTO_OK
								       : PROTO_E_FORBIDDEN;
	if (req->on && count_reactions(room, req->target, req->emoji) == 0 &&
	    count_kinds(room, req->target) >= MAX_KINDS)
		return PROTO_E_TOO_LARGE;
	return PROTO_OK;
}

/* A message's text and that of its edits go; their events stay. */
static void clear(struct model_room *room, uint64_t target)
{
	struct event *message = &room->events[target - 1].e;

	message->deleted = true;
	message->text = (struct span){0};
	message->n_mentions = 0;
	for (size_t i = 0; i < room->n; i++) {
		struct event *e = &room->events[i].e;

		if (e->kind == EVENT_EDIT && e->target == target)
			e->text = (struct span){0};
	}
}

static void add_event(struct model_room *room, int64_t user, const struct request *req)
{
	static const enum event_kind kinds[N_OPS] = {
		[OP_SEND] = EVENT_MESSAGE,
		[OP_EDIT] = EVENT_EDIT,
		[OP_DELETE] = EVENT_DELETE,
		[OP_REACT] = EVENT_REACT,
	};
	size_t n_ids = req->n_mentions * sizeof(int64_t);
	char *memory = mem_alloc(n_ids + req->text.len + req->emoji.len + 1);
	char *text = memory + n_ids, *emoji = text + req->text.len;

	if (room->n == room->cap) {
		room->cap = room->cap != 0 ? 2 * room->cap : 16;
		room->events = mem_realloc(room->events, room->cap * sizeof(*room->events));
	}
	memcpy(memory, req->mentions, n_ids);
	if (req->text.len != 0)
		memcpy(text, req->text.p, req->text.len);
	if (req->emoji.len != 0)
		memcpy(emoji, req->emoji.p, req->emoji.len);
	room->events[room->n++] = (struct model_event){
		.e = {.kind = kinds[req->op],
		      .room = span_of(room->name),
		      .seq = room->n,
		      .from_id = user,
		      .from_name = span_of(model_user_name(user)),
		      .target = req->target,
		      .thread = req->thread,
		      .quote = req->quote,
		      .mentions = (const int64_t *)(const void *)memory,
		      .n_mentions = req->n_mentions,
		      .on = req->on},
		.memory = memory,
	};
	struct event *e = &room->events[room->n - 1].e;
	e->seq = room->n;
	if (e->kind == EVENT_MESSAGE || e->kind == EVENT_EDIT)
		e->text = (struct span){.p = text, .len = req->text.len};
	if (e->kind == EVENT_REACT) {
		e->emoji = (struct span){.p = emoji, .len = req->emoji.len};
		e->count = count_reactions(room, e->target, e->emoji);
		note_newest(room, &room->events[room->n - 1]);
	}
	if (e->kind == EVENT_DELETE)
		clear(room, e->target);
}

struct model_answer model_write(struct model *m, int64_t user, int room, const struct request *req)
{
	const struct model_key *known = find_key(m, user, req->key);
	struct buf content = content_of(room, req);
	struct model_answer a = {0};

	if (known != NULL && span_equal(buf_span(&known->content), buf_span(&content)))
		a = (struct model_answer){.seq = known->seq, .dup = true};
	else if (known != NULL)
		a.err = PROTO_E_KEY_CONFLICT;
	else
		a.err = judge(&m->rooms[room], user, req);
	if (a.err != PROTO_OK || a.dup) {
		buf_deinit(&content);
		return a;
	}
	add_event(&m->rooms[room], user, req);
	a.seq = m->rooms[room].n;
	m->keys = mem_realloc(m->keys, (m->n_keys + 1) * sizeof(*m->keys));
	struct model_key *key = &m->keys[m->n_keys++];
	*key = (struct model_key){.user = user, .content = content, .seq = a.seq};
	buf_append_span(&key->key, req->key);
	return a;
}

void model_check_write(struct model *m, int room, const struct store_op *op)
{
	MUST(op->seq >= 1 && op->seq <= m->rooms[room].n);
	struct event *e = &m->rooms[room].events[op->seq - 1].e;

	if (op->dup) {
		MUST(op->event.kind == 0);
		MUST(op->ts == e->ts);
		return;
	}
	MUST(op->event.kind == e->kind && op->event.seq == e->seq && op->ts == op->event.ts);
	MUST(op->event.count == e->count && op->event.target == e->target);
	MUST(op->drops_tail == (e->kind == EVENT_DELETE));
	e->ts = op->ts;
}
