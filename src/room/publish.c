/*
 * Publishing a committed batch, on the store writer's thread.
 *
 * What the batch brought to one room becomes one run of frames, encoded, and compressed where
 * somebody takes that, before the lock is taken: a member is sent the run with one write.  Under
 * the lock heads and tails move, then every reply is posted, then every run: a worker's inbox is
 * one FIFO, so on the sender's connection the reply comes before the event.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <stdlib.h>

/** A longer run is cut: a tail keeps a whole run for the sake of its last event. */
#define RUN_MAX_BYTES (32 * 1024)

struct batch_event {
	const struct store_op *op;
	bool renamed_after;       /* somebody was renamed later in the batch */
	struct batch_event *next; /* of the same room */
};

struct batch_room {
	int64_t id;
	struct batch_event *first, *last;
	UT_hash_handle hh;
};

/** A run for one room: one news. */
struct run {
	struct room_news news;
	bool renames;       /* the room has a new name */
	unsigned tail_from; /* events from here on go to the tail */
	bool drops_tail;    /* and first what is there goes */
};

/** Somebody is told that they belong to a room, or that they do so no longer. */
struct notice {
	struct room_news news;
	bool is_end;
};

struct batch {
	struct batch_event *events;
	struct batch_room *rooms;
	struct batch_room *by_id;
	struct run *runs; /* at most as many as events */
	struct notice *notices;
	size_t n_events, n_rooms, n_runs, n_notices;
};

static bool has_event(const struct store_op *op)
{
	return op->err == PROTO_OK && op->event.kind != 0;
}

static bool is_rename(const struct store_op *op)
{
	return op->err == PROTO_OK && op->renamed;
}

static void add_event(struct batch *b, const struct store_op *op, bool renamed_after)
{
	struct batch_event *e = &b->events[b->n_events++];
	struct batch_room *room;

	*e = (struct batch_event){.op = op, .renamed_after = renamed_after};
	HASH_FIND(hh, b->by_id, &op->room_id, sizeof(op->room_id), room);
	if (room == NULL) {
		room = &b->rooms[b->n_rooms++];
		*room = (struct batch_room){.id = op->room_id, .first = e};
		HASH_ADD(hh, b->by_id, id, sizeof(room->id), room);
	} else {
		room->last->next = e;
	}
	room->last = e;
}

static void group(struct batch *b, struct store_op *ops)
{
	size_t n = 0, n_renames = 0;

	for (const struct store_op *op = ops; op != NULL; op = op->next) {
		n += has_event(op);
		n_renames += is_rename(op);
	}
	b->events = mem_alloc(n * sizeof(b->events[0]));
	b->rooms = mem_alloc(n * sizeof(b->rooms[0]));
	b->runs = mem_alloc(n * sizeof(b->runs[0]));
	for (const struct store_op *op = ops; op != NULL; op = op->next) {
		n_renames -= is_rename(op);
		if (has_event(op))
			add_event(b, op, n_renames > 0);
	}
}

/* Returns where the next run begins. */
static const struct batch_event *encode_run(struct batch *b, const struct batch_event *e,
					    struct frame_maker *maker, bool compress)
{
	struct run *run = &b->runs[b->n_runs++];

	*run = (struct run){.news = {.room = e->op->room_id, .seq = e->op->event.seq}};
	while (e != NULL && maker->bytes.len < RUN_MAX_BYTES) {
		/* Encoded events name their authors as of the reading. */
		if (e->renamed_after)
			run->tail_from = maker->n + 1;
		if (e->op->drops_tail) {
			run->drops_tail = true;
			if (run->tail_from < maker->n)
				run->tail_from = maker->n;
		}
		run->renames |= e->op->event.kind == EVENT_RENAME;
		event_encode(frame_maker_begin(maker), &e->op->event);
		frame_maker_end(maker);
		e = e->next;
	}
	run->news.frame = frame_maker_finish(maker, compress);
	return e;
}

static void encode(struct room_registry *rg, struct batch *b)
{
	bool compress = atomic_load_explicit(&rg->n_deflate, memory_order_relaxed) > 0;

	for (size_t i = 0; i < b->n_rooms; i++) {
		const struct batch_event *e = b->rooms[i].first;

		while (e != NULL)
			e = encode_run(b, e, &rg->maker, compress);
	}
	HASH_CLEAR(hh, b->by_id);
}

static bool is_end(const struct event *e)
{
	return e->kind == EVENT_MEMBER && (e->act == MEMBER_REMOVE || e->act == MEMBER_LEAVE);
}

/* Whether at the batch's end it is otherwise than behind @op, where @user @belonged to its room or
 * did not. */
static bool is_undone(const struct store_op *op, int64_t user, bool belonged)
{
	bool belongs = belonged;

	for (const struct store_op *o = op->next; o != NULL; o = o->next) {
		const struct event *e = &o->event;

		if (o->err != PROTO_OK || o->room_id != op->room_id)
			continue;
		if (e->kind == EVENT_MEMBER && e->about_id == user &&
		    (is_end(e) || e->act == MEMBER_ADD))
			belongs = !is_end(e);
		else if (o->kind == STORE_JOIN && o->user == user)
			belongs = true;
	}
	return belongs != belonged;
}

static void add_notice(struct batch *b, int64_t user, int64_t ended, struct buf *json)
{
	b->notices = mem_realloc(b->notices, (b->n_notices + 1) * sizeof(b->notices[0]));
	b->notices[b->n_notices++] = (struct notice){
		.news = {.user = user, .ended = ended, .frame = frame_new_text(buf_span(json))},
		.is_end = ended != 0,
	};
	buf_deinit(json);
}

static void add_end(struct batch *b, const struct store_op *op)
{
	struct buf json = {0};

	buf_append_str(&json, "{\"ev\":\"removed\",\"room\":");
	buf_append_json(&json, op->event.room);
	if (op->room.id != 0)
		buf_printf(&json, ",\"rid\":\"%s\"", op->room.rid);
	buf_append_char(&json, '}');
	add_notice(b, op->event.about_id, op->room_id, &json);
}

/* {"room":… with the event's name before it, as who has just come sees it. */
static void add_beginning(struct batch *b, const struct store_op *op, int64_t user)
{
	struct buf json = {0};

	buf_append_str(&json, "{\"ev\":\"added\",");
	buf_append(&json, op->entry.p + 1, op->entry.len - 1);
	room_entry_encode_role(&json, ROOM_ROLE_MEMBER, 0);
	buf_append_char(&json, '}');
	add_notice(b, user, 0, &json);
}

static void make_notices(struct batch *b, const struct store_op *ops)
{
	for (const struct store_op *op = ops; op != NULL; op = op->next) {
		if (op->err != PROTO_OK)
			continue;
		if (is_end(&op->event) && !is_undone(op, op->event.about_id, false))
			add_end(b, op);
		for (unsigned i = 0; i < op->n_added; i++) {
			if (!is_undone(op, op->added[i], true))
				add_beginning(b, op, op->added[i]);
		}
	}
}

static void advance_locked(struct room_registry *rg, const struct run *run) REQUIRES(rg->lock)
{
	struct room *room = room_find_locked(rg, run->news.room);
	unsigned n = frame_n_messages(run->news.frame);

	if (room == NULL)
		return;
	room->head = run->news.seq + n - 1;
	if (room->n_joined == 0)
		return; /* nobody is served from an empty room's tail */
	if (run->drops_tail)
		room_tail_drop(&room->tail);
	for (unsigned i = run->tail_from; i < n; i++)
		room_tail_push(&room->tail, run->news.frame, i);
}

static void drop_all_tails_locked(struct room_registry *rg) REQUIRES(rg->lock)
{
	for (struct room *room = rg->by_rid; room != NULL; room = room->hh_rid.next)
		room_tail_drop(&room->tail);
}

/* What an op changes beside its event. */
static void note_locked(struct room_registry *rg, const struct store_op *op) REQUIRES(rg->lock)
{
	if (op->err == PROTO_OK && op->kind == STORE_JOIN)
		room_note_member_locked(rg, room_adopt_locked(rg, &op->room), op->user);
	if (has_event(op) && op->event.kind > EVENT_REACT) {
		struct room *room = room_find_locked(rg, op->room_id);

		if (room != NULL)
			room_note_event_locked(rg, room, &op->event);
	}
	if (is_rename(op)) {
		presence_rename_locked(rg, op->user, op->name);
		drop_all_tails_locked(rg);
	}
}

static void discard_op(struct inbox_msg *msg)
{
	store_op_free((struct store_op *)msg);
}

static void post_replies_locked(struct room_registry *rg, struct store_op *ops) REQUIRES(rg->lock)
{
	while (ops != NULL) {
		struct store_op *next = ops->next;

		ops->next = NULL;
		if (ops->origin.conn == 0)
			store_op_free(ops);
		else
			inbox_list_add(&rg->outgoing[ops->origin.worker], &ops->msg);
		ops = next;
	}
	/* From the post on the ops are the workers'. */
	for (unsigned w = 0; w < rg->n_workers; w++)
		inbox_post_list(&rg->workers[w].inbox, &rg->outgoing[w], discard_op);
}

static void post_notices_locked(struct room_registry *rg, const struct batch *b,
				struct room_post *post, bool ends) REQUIRES(rg->lock)
{
	for (size_t i = 0; i < b->n_notices; i++) {
		if (b->notices[i].is_end == ends)
			room_post_add_all_locked(rg, post, &b->notices[i].news);
	}
}

static void post_run_locked(struct room_registry *rg, struct room_post *post, struct run *run)
	REQUIRES(rg->lock)
{
	const struct room *room = room_find_locked(rg, run->news.room);

	if (run->renames && room != NULL)
		run->news.name = room->shown;
	room_post_add_locked(rg, post, &run->news);
}

void room_registry_publish(struct room_registry *rg, struct store_op *ops)
{
	struct batch b = {0};

	group(&b, ops);
	encode(rg, &b);
	make_notices(&b, ops);
	struct room_post *post = room_post_new(rg, b.n_runs + b.n_notices);

	mutex_lock(&rg->lock);
	for (const struct store_op *op = ops; op != NULL; op = op->next)
		note_locked(rg, op);
	for (size_t i = 0; i < b.n_runs; i++)
		advance_locked(rg, &b.runs[i]);
	post_replies_locked(rg, ops);
	/* Who was removed is to hear nothing of what came after it. */
	post_notices_locked(rg, &b, post, true);
	for (size_t i = 0; i < b.n_runs; i++)
		post_run_locked(rg, post, &b.runs[i]);
	post_notices_locked(rg, &b, post, false);
	room_post_send_locked(rg, post);
	mutex_unlock(&rg->lock);

	for (size_t i = 0; i < b.n_runs; i++)
		frame_unref(b.runs[i].news.frame);
	for (size_t i = 0; i < b.n_notices; i++)
		frame_unref(b.notices[i].news.frame);
	free(b.notices);
	free(b.runs);
	free(b.rooms);
	free(b.events);
}
