/*
 * The API over HTTP: what cannot go over the WebSocket, since it decides who one is there.
 *
 * Bodies and answers are JSON.  What changes something wants that as its content type, which no
 * form of another site can send unasked, beside the check of Origin that every request has.
 */
#include "session/api.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <strings.h>

#define JSON "application/json; charset=utf-8"

static int status_of(enum proto_error e)
{
	switch (e) {
	case PROTO_E_BAD_REQUEST:
		return 400;
	case PROTO_E_UNAUTHORIZED:
		return 401;
	case PROTO_E_FORBIDDEN:
		return 403;
	case PROTO_E_NOT_FOUND:
		return 404;
	case PROTO_E_NAME_TAKEN:
	case PROTO_E_KEY_CONFLICT:
		return 409;
	case PROTO_E_TOO_LARGE:
		return 413;
	case PROTO_E_RATE_LIMITED:
		return 429;
	case PROTO_E_UNAVAILABLE:
		return 503;
	default:
		return 500;
	}
}

void api_answer(struct conn *c, int status, struct buf *json, const char *headers)
{
	bool was_deferred = http_is_deferred(c->http);

	http_respond(c->http, status, JSON, buf_span(json), headers);
	buf_deinit(json);
	if (was_deferred)
		conn_http_answered(c);
}

void api_refuse(struct conn *c, enum proto_error e, const char *why, unsigned retry_ms)
{
	struct buf json = {0}, headers = {0};

	buf_printf(&json, "{\"err\":{\"code\":\"%s\",\"msg\":", proto_error_name(e));
	buf_append_json(&json, span_of(why));
	if (retry_ms != 0) {
		buf_printf(&json, ",\"retry_ms\":%u", retry_ms);
		buf_printf(&headers, "Retry-After: %u\r\n", (retry_ms + 999) / 1000);
	}
	buf_append_str(&json, "}}");
	buf_append_char(&headers, '\0');
	api_answer(c, status_of(e), &json, headers.p);
	buf_deinit(&headers);
}

struct conn *api_find_conn(struct hub *hub, uint64_t id)
{
	struct conn *c = idmap_get(&hub->conns, id);

	return c != NULL && c->phase == CONN_HTTP && http_is_deferred(c->http) ? c : NULL;
}

static void deliver_op(struct inbox_msg *msg, struct worker *w)
{
	struct store_op *op = (struct store_op *)msg;
	struct conn *c = api_find_conn(hub_of(w), op->origin.conn);

	if (c != NULL)
		api_signed_in(c, op);
	store_op_free(op);
}

static void deliver_read(struct inbox_msg *msg, struct worker *w)
{
	struct store_read *read = (struct store_read *)msg;
	struct conn *c = api_find_conn(hub_of(w), read->origin.conn);

	if (c != NULL)
		api_account_read(c, read);
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

	read->msg.deliver = deliver_read;
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

struct api_call *api_call_new(struct conn *c, struct request *req)
{
	struct api_call *call = mem_zalloc(sizeof(*call));

	call->hub = conn_hub(c);
	call->conn = c->id;
	call->req = req;
	return call;
}

void api_call_free(struct api_call *call)
{
	request_free(call->req);
	store_account_free(call->account);
	free(call);
}

void api_hash(struct conn *c, struct api_call *call, const char *stored,
	      void (*done)(struct password_job *job, int err))
{
	call->job.done = done;
	if (password_submit(&call->hub->worker->loop, &call->job, call->req->password, stored) == 0)
		return;
	api_refuse(c, PROTO_E_RATE_LIMITED, "Too many sign in at once: try again in a moment.",
		   2000);
	api_call_free(call);
}

/* GET /api/v1/server: what a page has to know before anybody is signed in. */
static void start_server(struct conn *c)
{
	http_defer(c->http);
	api_submit_read(c, api_new_read(c, STORE_READ_TEAM, NULL));
}

static void start_body(struct conn *c, const struct http_request *http, enum op op)
{
	struct request *req;
	const char *why = NULL;
	enum proto_error e;

	if (http->content_type.p == NULL ||
	    strncasecmp(http->content_type.p, "application/json", 16) != 0) {
		struct buf none = {0};

		api_answer(c, 415, &none, NULL);
		return;
	}
	e = request_decode_body(&req, op, http->body, conn_hub(c)->env->cfg, &why);
	if (e != PROTO_OK) {
		api_refuse(c, e, why, 0);
		request_free(req);
		return;
	}
	http_defer(c->http);
	if (op == OP_SETUP)
		api_start_setup(c, req);
	else
		api_start_sign_in(c, req);
}

static bool is(const struct http_request *http, const char *method, const char *path)
{
	return strcmp(http->method, method) == 0 && span_equal(http->path, span_of(path));
}

void api_on_request(struct http *h, const struct http_request *req, struct conn *c)
{
	(void)h;
	if (is(req, "GET", "/api/v1/server")) {
		start_server(c);
	} else if (conn_hub(c)->env->cfg->open) {
		api_refuse(c, PROTO_E_NOT_FOUND, "In open mode there are no accounts.", 0);
	} else if (is(req, "POST", "/api/v1/setup")) {
		start_body(c, req, OP_SETUP);
	} else if (is(req, "POST", "/api/v1/session")) {
		start_body(c, req, OP_SIGN_IN);
	} else if (is(req, "DELETE", "/api/v1/session")) {
		http_defer(c->http);
		api_start_sign_out(c);
	} else {
		api_refuse(c, PROTO_E_NOT_FOUND, "There is nothing here.", 0);
	}
}
