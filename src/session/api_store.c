/*
 * The API's way to the store and back.  What an answer changes for others is told to all workers
 * whether or not who asked is still there.
 */
#include "session/api.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <strings.h>

#define MAX_AGENT 200

struct conn *api_find_conn(struct hub *hub, uint64_t id)
{
	struct conn *c = idmap_get(&hub->conns, id);

	return c != NULL && c->phase == CONN_HTTP && http_is_deferred(c->http) ? c : NULL;
}

struct span api_find_token(const struct http_request *http)
{
	static const char bearer[] = "Bearer ";
	size_t n = sizeof(bearer) - 1;

	if (http->authorization.len > n && strncasecmp(http->authorization.p, bearer, n) == 0)
		return (struct span){.p = http->authorization.p + n,
				     .len = http->authorization.len - n};
	return cookie_find(http->cookie, COOKIE_SESSION, http->is_tls);
}

struct store_account *api_new_account(const struct conn *c)
{
	const struct http_request *http = http_deferred_request(c->http);
	struct store_account *a = mem_zalloc(sizeof(*a));
	struct span agent = http->user_agent, token = api_find_token(http);
	char text[ADDR_TEXT_SIZE];
	struct addr addr;

	conn_find_client(c, http, &addr);
	a->agent = mem_dup(agent.p != NULL ? agent.p : "",
			   agent.len < MAX_AGENT ? agent.len : MAX_AGENT);
	a->address = mem_strdup(!c->is_shell ? addr_format(&addr, text) : "");
	a->is_shell = c->is_shell;
	if (token.p != NULL)
		a->credential = mem_dup(token.p, token.len);
	return a;
}

static bool is_sign_in(enum op op)
{
	return op == OP_SETUP || op == OP_SIGN_IN || op == OP_INVITE_ACCEPT || op == OP_RESET ||
	       op == OP_PASSKEY_ENTER;
}

static bool is_new_thing(enum op op)
{
	return op == OP_SETUP || op == OP_INVITE_ACCEPT || op == OP_INVITE_NEW ||
	       op == OP_USER_RESET || op == OP_USER_NEW;
}

void api_append_session(struct buf *headers, const struct conn *c, struct span token)
{
	cookie_append(headers, COOKIE_SESSION, token, COOKIE_SESSION_S,
		      http_deferred_request(c->http)->is_tls);
}

static void answer_op(struct conn *c, struct store_op *op)
{
	enum op asked = op->req->op;
	struct buf headers = {0};

	if (op->err != PROTO_OK) {
		if (op->err == PROTO_E_SECOND_FACTOR || op->err == PROTO_E_UNAUTHORIZED)
			api_count_guess(c, op->req->login_key);
		api_refuse(c, op->err, op->why, op->retry_ms);
		return;
	}
	if (is_sign_in(asked) || asked == OP_SET_PASSWORD)
		api_append_session(&headers, c, span_of(op->token));
	else if (asked == OP_SIGN_OUT || asked == OP_LEAVE_TEAM)
		api_append_session(&headers, c, SPAN(""));
	buf_append_char(&headers, '\0');
	if (op->name != NULL && op->scratch.len == 0 && asked != OP_LEAVE_TEAM) {
		buf_append_str(&op->scratch, "{\"me\":");
		user_encode(&op->scratch, op->user, span_of(op->name));
		buf_append_char(&op->scratch, '}');
	}
	api_answer(c,
		   is_new_thing(asked)   ? 201
		   : op->scratch.len > 0 ? 200
					 : 204,
		   &op->scratch, headers.p);
	buf_deinit(&headers);
}

static void tell_others(struct hub *hub, const struct store_op *op)
{
	const struct store_account *a = op->account;

	if (op->err != PROTO_OK || a == NULL)
		return;
	if (op->renamed)
		hub_tell_rename(hub, op->user, op->name);
	if (a->role_of != 0)
		hub_tell_role(hub, a->role_of, a->role);
	if (a->cut.user != 0)
		hub_tell_cut(hub, &a->cut);
}

static void deliver_op(struct inbox_msg *msg, struct worker *w)
{
	struct store_op *op = (struct store_op *)msg;
	struct conn *c = api_find_conn(hub_of(w), op->origin.conn);

	tell_others(hub_of(w), op);
	if (c != NULL && op->req->op == OP_OIDC_ENTER)
		api_answer_oidc(c, op);
	else if (c != NULL)
		answer_op(c, op);
	store_op_free(op);
}

static void answer_list(struct conn *c, struct store_read *read)
{
	if (read->req->op == OP_FIGURES)
		conn_hub(c)->env->write_figures(&read->events, conn_hub(c)->env->ctx);
	api_answer(c, 200, &read->events, NULL);
}

static void deliver_read(struct inbox_msg *msg, struct worker *w)
{
	struct store_read *read = (struct store_read *)msg;
	struct conn *c = api_find_conn(hub_of(w), read->origin.conn);

	if (c != NULL && read->err != PROTO_OK)
		api_refuse(c, read->err, read->why, read->retry_ms);
	else if (c != NULL && read->kind == STORE_READ_TEAM)
		api_answer_server(c, read);
	else if (c != NULL && read->kind == STORE_READ_PASSKEY)
		api_check_passkey(c, read);
	else if (c != NULL && read->req->op == OP_PASSKEY_NEW)
		api_add_passkey(c, read);
	else if (c != NULL && read->kind == STORE_READ_ACCOUNT)
		api_check_password(c, read);
	else if (c != NULL)
		answer_list(c, read);
	store_read_free(read);
}

struct store_op *api_new_op(struct conn *c, enum store_op_kind kind, struct request *req)
{
	struct store_op *op = conn_new_op(c, kind, req);

	op->msg.deliver = deliver_op;
	return op;
}

struct store_read *api_new_read(struct conn *c, enum store_read_kind kind, struct request *req)
{
	struct store_read *read = conn_new_read(c, kind, req);
	struct span token = api_find_token(http_deferred_request(c->http));

	read->msg.deliver = deliver_read;
	read->is_shell = c->is_shell;
	if (token.p != NULL)
		read->token = mem_dup(token.p, token.len);
	return read;
}

static bool is_stopping(const struct conn *c)
{
	return atomic_load_explicit(&conn_hub(c)->env->stopping, memory_order_relaxed);
}

static void refuse_busy(struct conn *c)
{
	api_refuse(c, PROTO_E_UNAVAILABLE,
		   is_stopping(c) ? "The server is stopping." : "The server is busy.", 1000);
}

void api_submit(struct conn *c, struct store_op *op)
{
	if (!is_stopping(c) && store_submit(conn_hub(c)->env->store, op))
		return;
	refuse_busy(c);
	store_op_free(op);
}

void api_submit_read(struct conn *c, struct store_read *read)
{
	if (!is_stopping(c) && store_submit_read(conn_hub(c)->env->store, read))
		return;
	refuse_busy(c);
	store_read_free(read);
}

void api_start_op(struct conn *c, struct request *req)
{
	struct store_op *op = api_new_op(c, STORE_ACCOUNT, req);

	op->account = api_new_account(c);
	api_submit(c, op);
}

void api_start_sign_out(struct conn *c, struct request *req)
{
	struct store_op *op = api_new_op(c, STORE_SIGN_OUT, req);

	op->account = api_new_account(c);
	api_submit(c, op);
}

void api_start_list(struct conn *c, struct request *req)
{
	api_submit_read(c, api_new_read(c, STORE_READ_LISTS, req));
}
