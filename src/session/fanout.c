/*
 * The worker's share of a broadcast.
 *
 * News for a room wait in the room until the end of the loop's turn; then the members are told all
 * of them in one walk.  A member costs the append of a pointer for each, and later one write.
 *
 * The writes are what takes time, so a walk goes so many members far in one turn, and the others
 * are told in the next ones: a room of a hundred thousand does not keep the worker from its other
 * rooms.  News that come while the walk is under way wait for the next one.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

/** Members of one room in a turn: a few milliseconds of writes. */
#define SLICE_MEMBERS 1024
/** Members of all rooms in a turn. */
#define TURN_MEMBERS 4096
/** Who is told more than this counts as several: the bytes have to be written, too. */
#define MEMBER_BYTES 8192

static void hold(struct join_wait *w, struct frame *f, unsigned from)
{
	if (w->n_held == w->cap_held) {
		w->cap_held = w->cap_held == 0 ? 8 : w->cap_held * 2;
		w->held = mem_realloc(w->held, w->cap_held * sizeof(w->held[0]));
	}
	w->held[w->n_held++] = (struct room_event){.frame = frame_ref(f), .i = from};
	w->held_bytes += frame_wire(f, false, from).len;
}

static struct piece *whole_piece(struct pending_news *p, bool deflate)
{
	struct piece **piece = deflate ? &p->deflated : &p->plain;

	if (*piece == NULL) {
		struct frame_wire wire = frame_wire(p->frame, deflate, 0);

		*piece = piece_new(chunk_ref(wire.chunk), wire.offset, wire.len);
	}
	return *piece;
}

/* Whether @m wants of the news, and from which message on; its cursor moves. */
static bool is_wanted(struct member *m, const struct pending_news *p, unsigned *from)
{
	*from = 0;
	if (p->seq == 0)
		return m->joined->wait == NULL && m->joined->conn->id != p->except_conn;
	uint64_t last = p->seq + frame_n_messages(p->frame) - 1;

	if (last <= m->cursor)
		return false;
	if (m->cursor >= p->seq)
		*from = (unsigned)(m->cursor - p->seq) + 1;
	m->cursor = last;
	return true;
}

/* Tell @m the news of the walk.  Returns how many messages that is; @m may be gone after it. */
static unsigned tell_member(struct local_room *lr, struct member *m)
{
	struct joined *j = m->joined;
	struct conn *c = j->conn;
	unsigned n = 0, from;

	for (unsigned i = 0; i < lr->n_pass && c->phase == CONN_OPEN; i++) {
		struct pending_news *p = &lr->news[i];

		if (!is_wanted(m, p, &from))
			continue;
		n += frame_n_messages(p->frame) - from;
		if (j->wait != NULL) {
			hold(j->wait, p->frame, from);
			if (j->wait->held_bytes > conn_hub(c)->cfg->max_output)
				conn_close(c, WS_CLOSE_SLOW_READER, "too much to catch up with");
		} else if (from == 0) {
			conn_send_piece(c, whole_piece(p, c->deflate));
		} else {
			conn_send_event(c, p->frame, from);
		}
	}
	return n;
}

/* It was told, or there is nobody to tell. */
static void count_told(struct hub *hub, const struct frame *f)
{
	atomic_fetch_sub_explicit(&hub->worker->backlog, frame_wire(f, false, 0).len,
				  memory_order_relaxed);
}

static void release(struct hub *hub, struct pending_news *p)
{
	count_told(hub, p->frame);
	piece_unref(p->plain);
	piece_unref(p->deflated);
	frame_unref(p->frame);
}

void hub_drop_news(struct hub *hub, struct local_room *lr)
{
	for (unsigned i = 0; i < lr->n_news; i++)
		release(hub, &lr->news[i]);
	lr->n_news = lr->n_pass = lr->pos = 0;
}

static void end_pass(struct hub *hub, struct local_room *lr)
{
	for (unsigned i = 0; i < lr->n_pass; i++)
		release(hub, &lr->news[i]);
	lr->n_news -= lr->n_pass;
	memmove(lr->news, lr->news + lr->n_pass, lr->n_news * sizeof(lr->news[0]));
	lr->n_pass = lr->pos = 0;
}

static void begin_pass(struct local_room *lr)
{
	lr->n_pass = lr->n_news;
	lr->pass_bytes = 0;
	for (unsigned i = 0; i < lr->n_pass; i++)
		lr->pass_bytes += frame_wire(lr->news[i].frame, false, 0).len;
}

/* Returns how many members were told, each counted as often as what it was told is long. */
static unsigned run_slice(struct hub *hub, struct local_room *lr, unsigned max)
{
	unsigned n = 0;
	int64_t n_messages = 0;

	if (lr->n_pass == 0)
		begin_pass(lr);
	unsigned each = 1 + (unsigned)(lr->pass_bytes / MEMBER_BYTES);

	while (lr->pos < lr->n && (n == 0 || n + each <= max)) {
		n_messages += tell_member(lr, &lr->members[lr->pos++]);
		n += each;
	}
	if (lr->pos == lr->n)
		end_pass(hub, lr);
	count_add(&hub->counters->deliveries, n_messages);
	return n;
}

bool hub_run_fanouts(struct hub *hub)
{
	struct local_room *todo = hub->active;
	unsigned left = TURN_MEMBERS;

	hub->active = NULL;
	while (todo != NULL && left > 0) {
		struct local_room *lr = todo;

		DL_DELETE(todo, lr);
		unsigned n = run_slice(hub, lr, left < SLICE_MEMBERS ? left : SLICE_MEMBERS);

		left -= n < left ? n : left;
		if (lr->n_news > 0) {
			DL_APPEND(hub->active, lr);
			continue;
		}
		lr->is_active = false;
		hub_release_room(hub, lr);
	}
	/* Those that had nothing in this turn come first in the next. */
	DL_CONCAT(todo, hub->active);
	hub->active = todo;
	return hub->active == NULL;
}

static void tell_user(struct hub *hub, const struct room_news *news)
{
	for (struct conn *c = hub_user_conns(hub, news->user), *next; c != NULL; c = next) {
		next = c->next_of_user;
		if (news->ended != 0)
			conn_end_room(c, news->ended);
		if (c->id != news->except_conn && c->phase == CONN_OPEN)
			conn_send_event(c, news->frame, 0);
	}
}

void hub_on_news(struct worker *w, const struct room_news *news)
{
	struct hub *hub = hub_of(w);

	if (news->room == 0) {
		tell_user(hub, news);
		count_told(hub, news->frame);
		return;
	}
	struct local_room *lr = hub_find_room(hub, news->room);

	if (lr == NULL) { /* the last member has just gone */
		count_told(hub, news->frame);
		return;
	}
	if (news->name != NULL)
		hub_rename_room(lr, news->name);
	if (lr->n_news == lr->cap_news) {
		lr->cap_news = lr->cap_news == 0 ? 4 : lr->cap_news * 2;
		lr->news = mem_realloc(lr->news, lr->cap_news * sizeof(lr->news[0]));
	}
	lr->news[lr->n_news++] = (struct pending_news){
		.frame = frame_ref(news->frame),
		.seq = news->seq,
		.except_conn = news->except_conn,
	};
	if (lr->is_active) {
		w->gather.n_merged += lr->n;
		return;
	}
	lr->is_active = true;
	DL_APPEND(hub->active, lr);
	w->gather.n_writes += lr->n;
}
