/*
 * join: enter a room and catch up, without a gap and without a repeat.
 *
 * In one critical section of the registry the worker is counted in and H, the room's head, is
 * taken together with its tail.  Every event above H reaches this worker from then on; what is at
 * or below H is in the reply.  If the tail holds all that is wanted, the reply goes out at once.
 * If not, events above H are held back until the database was read up to H.
 *
 * A room that is not loaded, or that the user is not known to belong to, goes through the store's
 * writer first, which makes the room and the membership and has the registry load it.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>

/* What of the log the reply holds. */
struct stretch {
	bool resumes; /* after since, else the newest */
	bool reset;
	uint64_t after; /* resumes: exclusive */
	uint64_t n_wanted;
};

static struct stretch plan(const struct conn *c, const struct request *req,
			   const struct room_view *v)
{
	struct stretch s = {0};
	const char *epoch = store_epoch(conn_hub(c)->env->store);

	if (req->has_since) {
		s.resumes = req->has_epoch && span_equal(req->epoch, span_of(epoch)) &&
			    req->since <= v->head && req->since + 1 >= v->first;
		s.reset = !s.resumes;
	}
	uint64_t n_there = v->head + 1 - v->first;

	s.after = req->since;
	s.n_wanted = s.resumes ? v->head - req->since : n_there;
	if (s.n_wanted > req->limit)
		s.n_wanted = req->limit;
	return s;
}

static const char *state_of(const struct stretch *s, const struct room_view *v, uint64_t first_seq,
			    uint64_t last_seq)
{
	if (s->reset)
		return "reset";
	if (s->resumes)
		return last_seq == v->head || s->after == v->head ? "complete" : "partial";
	return v->head == 0 || first_seq == 1 ? "complete" : "partial";
}

static void encode_members(struct buf *b, const struct conn *c, const struct room_view *v)
{
	buf_append_str(b, "],\"members\":[");
	if (v->lack_self)
		user_encode(b, c->user, span_of(c->name));
	if (v->lack_self && v->members_len > 0)
		buf_append_char(b, ',');
	buf_append(b, chunk_bytes(v->members), v->members_len);
	buf_append_str(b, "],\"online\":");
	buf_append_u64(b, v->online);
	buf_append_char(b, '}');
}

static void reply(struct conn *c, const struct request *req, const struct room_view *v,
		  const char *state, struct span events)
{
	struct buf b = {0};

	buf_reserve(&b, 1024 + events.len + v->members_len);
	reply_encode_open(&b, &req->id);
	buf_append_str(&b, ",\"room\":");
	buf_append_json(&b, span_of(v->name));
	buf_printf(&b, ",\"rid\":\"%s\",\"title\":", v->rid);
	buf_append_json(&b, span_of(v->title));
	buf_append_str(&b, ",\"epoch\":");
	buf_append_json(&b, span_of(store_epoch(conn_hub(c)->env->store)));
	buf_append_str(&b, ",\"head\":");
	buf_append_u64(&b, v->head);
	buf_append_str(&b, ",\"first\":");
	buf_append_u64(&b, v->first);
	buf_append_str(&b, ",\"topic\":");
	buf_append_json(&b, span_of(v->topic));
	buf_printf(&b, ",\"kind\":\"%s\"", room_kind_name(v->kind));
	if (v->is_archived)
		buf_append_str(&b, ",\"archived\":true");
	if (v->keep != 0)
		buf_printf(&b, ",\"keep_days\":%llu", (unsigned long long)v->keep - 1);
	room_entry_encode_role(&b, req->room_role, (int64_t)req->for_ms);
	buf_printf(&b, ",\"state\":\"%s\",\"events\":[", state);
	buf_append_span(&b, events);
	encode_members(&b, c, v);
	conn_send_reply(c, &b);
}

/* The wanted stretch is in the tail, which ends at head: append its n_wanted events. */
static void take_from_tail(const struct room_view *v, const struct stretch *s, struct buf *events)
{
	uint64_t n_behind = s->resumes ? v->head - s->after : s->n_wanted;
	unsigned i = v->n_tail - (unsigned)n_behind;

	for (uint64_t n = 0; n < s->n_wanted; n++) {
		if (n > 0)
			buf_append_char(events, ',');
		buf_append_span(events, frame_payload(v->tail[i + n].frame, v->tail[i + n].i));
	}
}

static void reply_from_tail(struct conn *c, struct request *req, struct room_view *v,
			    const struct stretch *s)
{
	struct buf events = {0};
	uint64_t first_seq = s->resumes ? s->after + 1 : v->head + 1 - s->n_wanted;

	take_from_tail(v, s, &events);
	reply(c, req, v, state_of(s, v, first_seq, first_seq + s->n_wanted - 1), buf_span(&events));
	buf_deinit(&events);
	room_view_deinit(v);
	request_free(req);
}

static void read_events(struct conn *c, struct joined *j, struct request *req, struct room_view *v,
			const struct stretch *s)
{
	struct store_read *read = conn_new_read(c, STORE_READ_EVENTS, NULL);

	read->room_id = j->room->id;
	read->from = s->resumes ? HISTORY_AFTER : HISTORY_NEWEST;
	read->bound = s->after;
	read->limit = req->limit;
	read->upto = v->head;
	j->busy = true;
	j->wait = mem_zalloc(sizeof(*j->wait));
	j->wait->req = req;
	j->wait->view = *v;
	j->wait->resumes = s->resumes;
	j->wait->reset = s->reset;
	if (!conn_submit_read(c, read)) {
		conn_reply_unavailable(c, req);
		conn_remove_joined(c, j);
	}
}

/* Returns false when the room is not loaded. */
static bool enter(struct conn *c, int64_t room, struct request *req)
{
	struct room_view v;
	struct joined *j = conn_find_joined(c, room);
	struct room_visit visit = {
		.room = room,
		.worker = conn_hub(c)->worker->index,
		.user = c->user,
		.name = span_of(c->name),
		.enters = j == NULL,
		.since = req->has_since ? req->since : UINT64_MAX,
		.newest = req->limit,
	};

	if (!room_registry_view(conn_hub(c)->env->rooms, &visit, &v))
		return false;
	if (j == NULL)
		j = conn_add_joined(c, room, &v);
	else
		j->room->members[j->index].cursor = v.head;
	/* One of its old names: requests that follow may go by it. */
	if (req->room.p != NULL)
		hub_add_alias(j->room, req->room);

	struct stretch s = plan(c, req, &v);
	uint64_t n_behind = s.resumes ? v.head - s.after : s.n_wanted;

	if (n_behind <= v.n_tail)
		reply_from_tail(c, req, &v, &s);
	else
		read_events(c, j, req, &v, &s);
	return true;
}

static void ask_store(struct conn *c, struct request *req)
{
	struct pending_room *p = conn_add_pending(c, req);

	struct store_op *op = conn_new_op(c, STORE_JOIN, req);

	op->is_open = conn_hub(c)->cfg->open;
	if (!conn_submit(c, op))
		conn_remove_pending(c, p);
}

void start_join(struct conn *c, struct request *req)
{
	int64_t room = room_registry_find(conn_hub(c)->env->rooms, req->room, req->rid);

	if (room == 0 || !conn_belongs(c, room) || !enter(c, room, req))
		ask_store(c, req);
}

void join_done(struct conn *c, struct store_op *op)
{
	struct request *req = op->req;

	conn_remove_pending(c, conn_find_pending(c, req));
	if (op->err != PROTO_OK) {
		conn_reply_error(c, &req->id, op->err, op->why, op->retry_ms);
		return;
	}
	op->req = NULL;
	/* For the reply: they are known now. */
	req->room_role = op->role;
	req->for_ms = (uint64_t)op->muted_until;
	conn_set_belongs(c, op->room.id, true);

	struct joined *j = conn_find_joined(c, op->room.id);

	if (j != NULL && (j->busy || j->n_writes > 0))
		conn_wait_first(c, req); /* joined meanwhile under another of its names */
	else if (!enter(c, op->room.id, req))
		ask_store(c, req); /* unloaded again already: rare, and it goes on */
}

void join_events_done(struct conn *c, struct joined *j, struct store_read *read)
{
	struct join_wait *w = j->wait;
	struct stretch s = {.resumes = w->resumes, .reset = w->reset, .after = read->bound};

	if (read->err != PROTO_OK) {
		conn_reply_error(c, &w->req->id, read->err, read->why, read->retry_ms);
		conn_remove_joined(c, j);
		return;
	}
	if (s.resumes && read->first > s.after + 1) {
		/* The log begins later than when it was looked at: there would be a hole. */
		conn_reply_error(c, &w->req->id, PROTO_E_UNAVAILABLE, "Try again.", 100);
		conn_remove_joined(c, j);
		return;
	}
	reply(c, w->req, &w->view, state_of(&s, &w->view, read->first_seq, read->last_seq),
	      buf_span(&read->events));
	j->wait = NULL;
	j->busy = false;
	for (unsigned i = 0; i < w->n_held; i++)
		conn_send_event(c, w->held[i].frame, w->held[i].i); /* may close: j is gone then */
	conn_free_wait(w);
}
