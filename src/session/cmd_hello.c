/*
 * hello: who is this?
 *
 * A known token alone is a read; a name makes a guest or renames one, which is a write and so is
 * answered after its commit.  Then the rooms are read that the user belongs to; a new guest has
 * none.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>

#define PROTOCOL_VERSION 1
#define FULL_RETRY_MS 10000

static void encode_rate(struct buf *b, const char *name, struct rate rate)
{
	buf_printf(b, ",\"%s\":{\"n\":%u,\"per_ms\":%u}", name, rate.n, rate.per_ms);
}

static void encode_limits(struct buf *b, const struct config *cfg)
{
	buf_append_str(b, ",\"heartbeat_ms\":");
	buf_append_u64(b, cfg->heartbeat_ms);
	buf_append_str(b, ",\"limits\":{\"frame\":");
	buf_append_u64(b, cfg->max_frame);
	buf_append_str(b, ",\"text\":");
	buf_append_u64(b, cfg->max_text);
	encode_rate(b, "send", cfg->send_limit);
	if (!cfg->no_limits) {
		encode_rate(b, "request", cfg->request_limit);
		encode_rate(b, "failed", cfg->failed_limit);
		buf_append_str(b, ",\"connections\":");
		buf_append_u64(b, cfg->user_connections);
	}
	buf_append_char(b, '}');
}

static void encode_belong(struct buf *b, const struct store_belong *r, const char *epoch)
{
	char label[STORE_RID_SIZE + 1] = "~";
	struct room_entry e = {
		.rid = span_of(r->rid),
		.title = span_of(r->title),
		.kind = r->kind,
		.is_archived = r->is_archived,
	};

	memcpy(label + 1, r->rid, sizeof(r->rid));
	e.room = span_of(r->name != NULL ? r->name : label);
	if (r->kind == ROOM_DIRECT)
		e.people = r->people.len > 0 ? buf_span(&r->people) : SPAN("");
	room_entry_encode_open(b, &e);
	buf_append_str(b, ",\"head\":");
	buf_append_u64(b, r->head);
	buf_append_str(b, ",\"epoch\":");
	buf_append_json(b, span_of(epoch));
	buf_append_str(b, ",\"read\":");
	buf_append_u64(b, r->read);
	buf_append_str(b, ",\"unread\":");
	buf_append_u64(b, r->unread);
	buf_append_str(b, ",\"mentions\":");
	buf_append_u64(b, r->mentions);
	room_entry_encode_role(b, r->role, r->muted_until);
	buf_append_char(b, '}');
}

static void fail(struct conn *c, const struct request *req, enum proto_error e, const char *why,
		 unsigned retry_ms)
{
	c->hello_pending = false;
	c->user = 0;
	free(c->name);
	c->name = NULL;
	conn_set_timer(c, TIMER_HELLO);
	conn_count_failed_hello(c, e);
	conn_reply_error(c, &req->id, e, why, retry_ms);
}

/* The connection is @c->user's from now on, unless they have too many. */
static void welcome(struct conn *c, const struct request *req, struct span token,
		    const struct store_belong *rooms, size_t n_rooms)
{
	struct session_env *env = conn_hub(c)->env;
	struct buf b = {0};

	if (limits_enter_user(env->limits, c->user, &c->of_user) == LIMIT_FULL) {
		fail(c, req, PROTO_E_RATE_LIMITED, "you have too many connections open",
		     FULL_RETRY_MS);
		return;
	}
	c->hello_pending = false;
	conn_set_timer(c, TIMER_BEAT);
	c->touched_s = (uint32_t)(conn_hub(c)->worker->now_ms / 1000);
	hub_add_user_conn(conn_hub(c), c);

	reply_encode_open(&b, &req->id);
	buf_printf(&b, ",\"v\":%d,\"me\":", PROTOCOL_VERSION);
	user_encode(&b, c->user, span_of(c->name));
	if (c->session != 0) {
		b.len--; /* the brace */
		buf_printf(&b, ",\"role\":\"%s\"}", team_role_name((enum team_role)c->role));
	}
	if (token.p != NULL) {
		buf_append_str(&b, ",\"token\":");
		buf_append_json(&b, token);
	}
	encode_limits(&b, conn_hub(c)->cfg);
	buf_append_str(&b, ",\"rooms\":[");
	if (n_rooms > 0)
		c->belongs = mem_alloc(n_rooms * sizeof(c->belongs[0])); /* each is there once */
	for (size_t i = 0; i < n_rooms; i++) {
		if (i > 0)
			buf_append_char(&b, ',');
		encode_belong(&b, &rooms[i], store_epoch(env->store));
		c->belongs[c->n_belongs++] = rooms[i].id;
	}
	buf_append_str(&b, "]}");
	conn_send_reply(c, &b);
}

/* @token is taken over. */
static void ask_session(struct conn *c, struct request *req, char *token)
{
	struct store_read *read = conn_new_read(c, STORE_READ_SESSION, req);

	read->token = token;
	c->n_cuts = conn_hub(c)->n_cuts;
	c->hello_pending = conn_submit_read(c, read);
}

static void start_session(struct conn *c, struct request *req)
{
	char *token = c->credential;

	if (token == NULL) {
		fail(c, req, PROTO_E_UNAUTHORIZED, "You are not signed in.", 0);
		request_free(req);
		return;
	}
	c->credential = NULL;
	ask_session(c, req, token);
}

void start_hello(struct conn *c, struct request *req)
{
	if (c->user != 0) {
		conn_reply_error(c, &req->id, PROTO_E_BAD_REQUEST, "hello was said already", 0);
		request_free(req);
		return;
	}
	if (!conn_hub(c)->cfg->open) {
		start_session(c, req);
		return;
	}
	if (req->name.p != NULL)
		c->hello_pending = conn_submit(c, conn_new_op(c, STORE_HELLO, req));
	else
		c->hello_pending = conn_submit_read(c, conn_new_read(c, STORE_READ_HELLO, req));
}

void conn_touch(struct conn *c)
{
	struct store_op *touch = store_op_new(STORE_TOUCH, (struct store_origin){.conn = 0});

	c->touched_s = (uint32_t)(conn_hub(c)->worker->now_ms / 1000);
	touch->user = c->user;
	touch->session = c->session;
	if (!store_submit(conn_hub(c)->env->store, touch))
		store_op_free(touch); /* the next hello or heartbeat notes the visit */
}

void hello_done(struct conn *c, struct store_op *op)
{
	if (op->err != PROTO_OK) {
		fail(c, op->req, op->err, op->why, op->retry_ms);
		return;
	}
	c->user = op->user;
	c->role = ROLE_MEMBER;
	c->name = mem_strdup(op->name);
	if (op->renamed)
		hub_tell_rename(conn_hub(c), op->user, op->name);
	if (op->token != NULL) {
		welcome(c, op->req, span_of(op->token), NULL, 0);
		return;
	}
	struct store_read *read = conn_new_read(c, STORE_READ_BELONG, op->req);

	op->req = NULL;
	if (!conn_submit_read(c, read)) {
		c->hello_pending = false;
		c->user = 0;
		free(c->name);
		c->name = NULL;
	}
}

void hello_rooms_done(struct conn *c, struct store_read *read)
{
	if (read->err != PROTO_OK) {
		fail(c, read->req, read->err, read->why, read->retry_ms);
		return;
	}
	/* A sign-out that was told while this was read may have been for it. */
	if (read->kind == STORE_READ_SESSION && c->n_cuts != conn_hub(c)->n_cuts) {
		ask_session(c, read->req, read->token);
		read->req = NULL;
		read->token = NULL;
		return;
	}
	if (read->kind != STORE_READ_BELONG) {
		c->user = read->user;
		c->name = mem_strdup(read->name);
		c->role = (uint8_t)(read->account != NULL ? read->account->role : ROLE_MEMBER);
	}
	c->session = read->session;
	if (read->stale)
		conn_touch(c);
	welcome(c, read->req, c->session == 0 ? read->req->token : (struct span){0}, read->belong,
		read->n_belong);
}
