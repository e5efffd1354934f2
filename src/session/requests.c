/*
 * From a text frame to a command under way.
 *
 * Requests start in the order they came.  Per room writes pipeline with writes; join, leave,
 * history and read wait for the writes before them and hold up those behind.  What cannot start
 * yet holds up what is behind it; while much waits the peer is not read from, so what waits is
 * bounded by what one read can bring.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <utlist.h>

/* Whether a request for a room that is not joined may run beside what is on its way. */
static bool may_join_beside(const struct conn *c, const struct request *req)
{
	if (req->op != OP_JOIN || req->room.p == NULL)
		return c->pending_rooms == NULL;
	for (const struct pending_room *p = c->pending_rooms; p != NULL; p = p->next) {
		if (p->name == NULL || span_equal(span_of(p->name), req->room))
			return false;
	}
	return true;
}

/*
 * Replies that may be large are counted in bytes only when they are there, so how many of them are
 * on their way is bounded as well.
 */
static bool has_large_reply(enum op op)
{
	return op == OP_JOIN || op == OP_HISTORY || op == OP_ROOMS || op == OP_PEOPLE ||
	       op == OP_MEMBERS;
}

/*
 * And by what all peers of the worker leave unread: once that is much, one such reply of each
 * connection has to do.  It goes on when that was read, so nobody waits for another.
 */
static bool may_have_large_reply(const struct conn *c)
{
	const struct hub *hub = conn_hub(c);
	size_t unsent = atomic_load_explicit(&hub->worker->unsent, memory_order_relaxed);

	if (c->n_large == 0 && c->reply_bytes == 0)
		return true;
	return c->n_large < CONN_MAX_LARGE &&
	       unsent + hub->n_large * CONN_MAX_REPLY_BYTES <= HUB_MAX_REPLY_BYTES;
}

static bool is_of_no_room(enum op op)
{
	return op == OP_ROOMS || op == OP_PEOPLE || op == OP_CREATE || op == OP_DIRECT;
}

static bool can_start(const struct conn *c, const struct request *req)
{
	if (has_large_reply(req->op) && !may_have_large_reply(c))
		return false;
	if (c->hello_pending || c->n_in_flight >= CONN_MAX_IN_FLIGHT ||
	    c->reply_bytes > CONN_MAX_REPLY_BYTES)
		return false;
	if (req->op == OP_HELLO || is_of_no_room(req->op))
		return true;
	const struct joined *j = conn_find_joined_by(c, req);

	if (j == NULL)
		return may_join_beside(c, req);
	if (j->busy)
		return false;
	return op_is_write(req->op) || req->op == OP_TYPING || j->n_writes == 0;
}

static void refuse(struct conn *c, struct request *req, enum proto_error e, const char *why)
{
	conn_reply_error(c, &req->id, e, why, 0);
	request_free(req);
}

static void start_of_no_room(struct conn *c, struct request *req)
{
	if (req->op == OP_ROOMS)
		start_rooms(c, req);
	else if (req->op == OP_PEOPLE)
		start_people(c, req);
	else
		start_create(c, req);
}

static void start(struct conn *c, struct request *req)
{
	const char *why;
	unsigned wait_ms = conn_take_request(c, req, &why);

	if (wait_ms > 0) {
		conn_send_error(c, &req->id, PROTO_E_RATE_LIMITED, why, wait_ms);
		request_free(req);
		return;
	}
	if (req->op == OP_HELLO) {
		start_hello(c, req);
		return;
	}
	if (c->user == 0) {
		refuse(c, req, PROTO_E_UNAUTHORIZED, "say hello first");
		return;
	}
	if (is_of_no_room(req->op)) {
		start_of_no_room(c, req);
		return;
	}
	if (req->op == OP_JOIN) {
		start_join(c, req);
		return;
	}
	struct joined *j = conn_find_joined_by(c, req);

	if (req->op == OP_LEAVE)
		start_leave(c, req, j);
	else if (j == NULL)
		refuse(c, req, PROTO_E_FORBIDDEN, "join the room first");
	else if (op_is_write(req->op))
		start_write(c, req, j);
	else if (req->op == OP_HISTORY)
		start_history(c, req, j);
	else if (req->op == OP_MEMBERS)
		start_members(c, req, j);
	else if (req->op == OP_READ)
		start_read(c, req, j);
	else
		start_typing(c, req, j);
}

void conn_pump(struct conn *c)
{
	if (c->pumping)
		return;
	c->pumping = true;
	while (c->phase == CONN_OPEN && !c->is_throttled && c->waiting != NULL &&
	       can_start(c, c->waiting->req)) {
		struct waiting *w = c->waiting;
		struct request *req = w->req;

		if (req->op == OP_JOIN && !hub_may_join(conn_hub(c), c))
			break;
		DL_DELETE(c->waiting, w);
		c->n_waiting--;
		free(w);
		start(c, req);
	}
	c->pumping = false;
	if (c->phase != CONN_OPEN)
		return;
	if (c->is_throttled || c->n_waiting > CONN_MAX_WAITING ||
	    c->reply_bytes > CONN_MAX_REPLY_BYTES)
		stream_pause(&c->stream);
	else
		stream_resume(&c->stream);
}

static struct waiting *new_waiting(struct conn *c, struct request *req)
{
	struct waiting *w = mem_zalloc(sizeof(*w));

	w->req = req;
	c->n_waiting++;
	return w;
}

void conn_wait_first(struct conn *c, struct request *req)
{
	struct waiting *w = new_waiting(c, req);

	DL_PREPEND(c->waiting, w);
}

void conn_on_text(struct conn *c, struct span text)
{
	struct request *req;
	const char *why = NULL;
	enum proto_error e = request_decode(&req, text, conn_hub(c)->cfg, &why);

	count_add(&conn_hub(c)->counters->requests, 1);
	if (e != PROTO_OK) {
		refuse(c, req, e, why);
		return;
	}
	if (req->op == OP_PONG) {
		c->n_pongs++;
		request_free(req);
		return;
	}
	struct waiting *w = new_waiting(c, req);

	DL_APPEND(c->waiting, w);
	conn_pump(c);
}

void conn_drop_requests(struct conn *c)
{
	struct waiting *w, *next;

	DL_FOREACH_SAFE(c->waiting, w, next)
	{
		request_free(w->req);
		free(w);
	}
	c->waiting = NULL;
	c->n_waiting = 0;
	while (c->pending_rooms != NULL)
		conn_remove_pending(c, c->pending_rooms);
}

static struct store_origin origin_of(const struct conn *c)
{
	return (struct store_origin){.worker = conn_hub(c)->worker->index, .conn = c->id};
}

static void op_done(struct conn *c, struct store_op *op)
{
	switch (op->kind) {
	case STORE_HELLO:
		hello_done(c, op);
		break;
	case STORE_JOIN:
		join_done(c, op);
		break;
	case STORE_CREATE:
		create_done(c, op);
		break;
	case STORE_WRITE:
		write_done(c, op);
		break;
	case STORE_MARK:
		read_done(c, op);
		break;
	case STORE_FORGET:
		leave_done(c, op);
		break;
	default:
		break;
	}
}

static void deliver_op(struct inbox_msg *msg, struct worker *w)
{
	struct store_op *op = (struct store_op *)msg;
	struct conn *c = hub_find_conn(hub_of(w), op->origin.conn);

	hub_of(w)->n_large -= op->kind == STORE_JOIN;
	if (c != NULL) {
		c->n_in_flight--;
		c->n_large -= op->kind == STORE_JOIN;
		op_done(c, op);
		conn_pump(c);
	}
	store_op_free(op);
}

static void events_done(struct conn *c, struct store_read *read)
{
	struct joined *j = conn_find_joined(c, read->room_id);

	bool is_history = read->req != NULL;

	/* Nothing else of this room could run meanwhile, so the room is joined still, unless the
	 * user was removed from it; then a join was answered already. */
	if (!is_history) {
		if (j != NULL && j->wait != NULL && j->wait->view.head == read->upto)
			join_events_done(c, j, read);
	} else if (j == NULL || j->wait != NULL) {
		conn_reply_error(c, &read->req->id, PROTO_E_NOT_FOUND, "There is no such room.", 0);
	} else {
		history_done(c, j, read);
	}
}

static void deliver_read(struct inbox_msg *msg, struct worker *w)
{
	struct store_read *read = (struct store_read *)msg;
	struct conn *c = hub_find_conn(hub_of(w), read->origin.conn);

	hub_of(w)->n_large--;
	if (c != NULL) {
		c->n_in_flight--;
		c->n_large--;
		if (read->kind == STORE_READ_EVENTS)
			events_done(c, read);
		else if (read->kind == STORE_READ_ROOMS)
			rooms_done(c, read);
		else if (read->kind == STORE_READ_PEOPLE || read->kind == STORE_READ_MEMBERS)
			people_done(c, read);
		else
			hello_rooms_done(c, read);
		conn_pump(c);
	}
	store_read_free(read);
}

void session_answer_read(struct session_env *env, struct store_read *read)
{
	if (!inbox_post(&env->workers[read->origin.worker].inbox, &read->msg))
		store_read_free(read);
}

struct store_op *conn_new_op(struct conn *c, enum store_op_kind kind, struct request *req)
{
	struct store_op *op = store_op_new(kind, origin_of(c));

	op->msg.deliver = deliver_op;
	op->user = c->user;
	op->req = req;
	return op;
}

struct store_read *conn_new_read(struct conn *c, enum store_read_kind kind, struct request *req)
{
	struct store_read *read = store_read_new(kind, origin_of(c));

	read->msg.deliver = deliver_read;
	read->user = c->user;
	read->req = req;
	return read;
}

static bool is_stopping(const struct conn *c)
{
	return atomic_load_explicit(&conn_hub(c)->env->stopping, memory_order_relaxed);
}

bool conn_submit(struct conn *c, struct store_op *op)
{
	bool is_join = op->kind == STORE_JOIN; /* once submitted, the op is not ours to look at */

	if (!is_stopping(c) && store_submit(conn_hub(c)->env->store, op)) {
		c->n_in_flight++;
		c->n_large += is_join;
		conn_hub(c)->n_large += is_join;
		return true;
	}
	conn_reply_unavailable(c, op->req);
	store_op_free(op);
	return false;
}

bool conn_submit_read(struct conn *c, struct store_read *read)
{
	if (!is_stopping(c) && store_submit_read(conn_hub(c)->env->store, read)) {
		c->n_in_flight++;
		c->n_large++;
		conn_hub(c)->n_large++;
		return true;
	}
	if (read->req != NULL)
		conn_reply_unavailable(c, read->req);
	store_read_free(read);
	return false;
}
