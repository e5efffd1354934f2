/*
 * Single sign-on: the browser is sent to the provider, and comes back with a code that only this
 * server can use, and only for the browser that was sent.
 *
 * What belongs to one sign-in is in a sealed cookie of the browser, so nothing is kept here
 * meanwhile.  The callback is a page that the browser goes to: it is answered by sending it on,
 * with what went wrong behind the #, for the client to say.
 */
#include "session/api.h"

#include "hubbub/errands.h"
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "hubbub/oidc.h"
#include <errno.h>
#include <stdlib.h>

#define CALLBACK "/api/v1/oidc/callback"
#define MAX_CODE 2048

/* A provider that is asked. */
struct oidc_errand {
	struct errand errand; /* first */
	uint64_t conn;
	struct oidc *oidc;
	struct oidc_flow flow;
	char *redirect_uri;
	char *code; /* NULL: this is the start */
	/* Results. */
	int err;
	struct buf url, why;
	struct oidc_identity identity;
};

static void free_errand(struct errand *e)
{
	struct oidc_errand *oe = (struct oidc_errand *)e;

	oidc_identity_deinit(&oe->identity);
	buf_deinit(&oe->url);
	buf_deinit(&oe->why);
	free(oe->redirect_uri);
	free(oe->code);
	free(oe);
}

static void run(struct errand *e, const atomic_bool *stopping)
{
	struct oidc_errand *oe = (struct oidc_errand *)e;

	oe->err = oe->code == NULL ? oidc_append_url(oe->oidc, &oe->flow, oe->redirect_uri,
						     stopping, &oe->url, &oe->why)
				   : oidc_redeem(oe->oidc, &oe->flow, oe->code, oe->redirect_uri,
						 stopping, &oe->identity, &oe->why);
}

/* The first of the origins is the one that people use; where none is set, the request's own. */
static char *make_redirect_uri(const struct conn *c)
{
	const struct http_request *http = http_deferred_request(c->http);
	const struct config *cfg = conn_hub(c)->cfg;
	struct buf uri = {0};

	if (cfg->n_origins > 0) {
		buf_append_str(&uri, cfg->origins[0]);
	} else {
		buf_append_str(&uri, http->is_tls ? "https://" : "http://");
		buf_append_span(&uri, http->host);
	}
	buf_append_str(&uri, CALLBACK);
	return buf_take(&uri, NULL);
}

static void send_on(struct conn *c, const char *to, const char *problem, const struct buf *more)
{
	struct buf headers = {0}, none = {0};
	bool is_tls = http_deferred_request(c->http)->is_tls;

	buf_printf(&headers, "Location: %s%s%s\r\n", to, problem != NULL ? "#sso=" : "",
		   problem != NULL ? problem : "");
	cookie_append(&headers, COOKIE_SSO, SPAN(""), 0, is_tls);
	if (more != NULL)
		buf_append_span(&headers, buf_span(more));
	buf_append_char(&headers, '\0');
	api_answer(c, 303, &none, headers.p);
	buf_deinit(&headers);
}

static const char *page_of(const struct oidc_flow *flow)
{
	return flow->user != 0 ? "/settings" : "/";
}

static void answer_start(struct conn *c, const struct oidc_errand *oe)
{
	char sealed[OIDC_FLOW_SIZE];
	struct buf json = {0}, headers = {0};

	oidc_seal(oe->oidc, &oe->flow, sealed);
	cookie_append(&headers, COOKIE_SSO, span_of(sealed), OIDC_FLOW_MS / 1000,
		      http_deferred_request(c->http)->is_tls);
	buf_append_char(&headers, '\0');
	buf_append_str(&json, "{\"location\":");
	buf_append_json(&json, buf_span(&oe->url));
	buf_append_char(&json, '}');
	api_answer(c, 200, &json, headers.p);
	buf_deinit(&headers);
}

/* Who came back, as a request of theirs.  A name that cannot be one is left out. */
static struct request *make_request(const struct conn *c, const struct oidc_errand *oe)
{
	const char *names[] = {oe->identity.name, "New member"};
	struct request *req = NULL;

	for (int i = 0; i < 2; i++) {
		struct buf json = {0};
		const char *why;

		if (names[i] == NULL)
			continue;
		buf_append_str(&json, "{\"name\":");
		buf_append_json(&json, span_of(names[i]));
		if (oe->flow.invite[0] != '\0') {
			buf_append_str(&json, ",\"token\":");
			buf_append_json(&json, span_of(oe->flow.invite));
		}
		buf_append_char(&json, '}');
		request_free(req);
		enum proto_error e = request_decode_body(&req, OP_OIDC_ENTER, buf_span(&json),
							 conn_hub(c)->cfg, &why);
		buf_deinit(&json);
		if (e == PROTO_OK)
			break;
	}
	return req;
}

static void enter(struct conn *c, struct oidc_errand *oe)
{
	struct store_op *op = api_new_op(c, STORE_ACCOUNT, make_request(c, oe));

	op->account = api_new_account(c);
	op->account->issuer = mem_strdup(oidc_issuer(oe->oidc));
	op->account->subject = oe->identity.subject;
	oe->identity.subject = NULL;
	op->account->linked = oe->flow.user;
	op->account->makes_member = conn_hub(c)->cfg->oidc_create;
	api_submit(c, op);
}

static void answer_failed(struct conn *c, const struct oidc_errand *oe)
{
	if (oe->code == NULL)
		api_refuse(c, PROTO_E_UNAVAILABLE,
			   "The sign-in service cannot be reached: try again in a moment.", 5000);
	else
		send_on(c, page_of(&oe->flow), oe->err == -EACCES ? "refused" : "unreachable",
			NULL);
}

static void deliver(struct inbox_msg *msg, struct worker *w)
{
	struct oidc_errand *oe = (struct oidc_errand *)msg;
	struct conn *c = api_find_conn(hub_of(w), oe->conn);

	if (oe->err != 0)
		log_warn("single sign-on: %.*s", (int)oe->why.len, oe->why.p);
	if (c != NULL && oe->err != 0)
		answer_failed(c, oe);
	else if (c != NULL && oe->code == NULL)
		answer_start(c, oe);
	else if (c != NULL)
		enter(c, oe);
	free_errand(&oe->errand);
}

/* False: too many are under way; @oe is gone. */
static bool submit(struct conn *c, struct oidc_errand *oe)
{
	struct hub *hub = conn_hub(c);

	oe->errand.msg.deliver = deliver;
	oe->errand.run = run;
	oe->errand.drop = free_errand;
	oe->errand.worker = hub->worker->index;
	oe->conn = c->id;
	oe->oidc = hub->env->oidc;
	oe->redirect_uri = make_redirect_uri(c);
	if (errands_submit(hub->env->errands, &oe->errand))
		return true;
	free_errand(&oe->errand);
	return false;
}

static bool refuse_without(struct conn *c)
{
	if (conn_hub(c)->env->oidc == NULL)
		api_refuse(c, PROTO_E_NOT_FOUND, "There is no single sign-on here.", 0);
	return conn_hub(c)->env->oidc == NULL;
}

/* Send the browser to the provider; to be linked to @user, if it is not 0. */
static void begin(struct conn *c, const struct request *req, int64_t user)
{
	struct oidc_errand *oe = mem_zalloc(sizeof(*oe));

	oidc_begin(&oe->flow);
	oe->flow.user = user;
	if (req->token.p != NULL && req->token.len < sizeof(oe->flow.invite))
		memcpy(oe->flow.invite, req->token.p, req->token.len);
	if (!submit(c, oe))
		api_refuse(c, PROTO_E_RATE_LIMITED,
			   "Too many sign in at once: try again in a moment.", 2000);
}

void api_start_oidc(struct conn *c, struct request *req)
{
	if (!refuse_without(c))
		begin(c, req, 0);
	request_free(req);
}

void api_link_oidc(struct conn *c, const struct request *req, int64_t user)
{
	if (!refuse_without(c))
		begin(c, req, user);
}

/* The value of @name in @query, decoded; NULL where it is missing or no text.  The caller's. */
static char *query_value(struct span query, struct span name)
{
	while (query.len > 0) {
		const char *end = memchr(query.p, '&', query.len);
		struct span pair = {.p = query.p,
				    .len = end != NULL ? (size_t)(end - query.p) : query.len};
		struct buf value = {0};

		query.p += pair.len + (end != NULL);
		query.len -= pair.len + (end != NULL);
		if (pair.len <= name.len || memcmp(pair.p, name.p, name.len) != 0 ||
		    pair.p[name.len] != '=')
			continue;
		pair.p += name.len + 1;
		pair.len -= name.len + 1;
		if (pair.len > 0 && pair.len <= MAX_CODE && http_decode_component(pair, &value))
			return buf_take(&value, NULL);
		buf_deinit(&value);
		return NULL;
	}
	return NULL;
}

/* RFC 6749, 4.1.2, and RFC 9207: the answer is to what this browser asked, from whom it asked. */
static bool is_answer(const struct conn *c, struct span query, struct oidc_flow *flow)
{
	const struct http_request *http = http_deferred_request(c->http);
	struct oidc *oidc = conn_hub(c)->env->oidc;
	char *state = query_value(query, SPAN("state")), *iss = query_value(query, SPAN("iss"));
	bool is_ours =
		state != NULL &&
		oidc_unseal(oidc, cookie_find(http->cookie, COOKIE_SSO, http->is_tls), flow) &&
		strcmp(state, flow->state) == 0 &&
		(iss == NULL || strcmp(iss, oidc_issuer(oidc)) == 0);

	free(state);
	free(iss);
	return is_ours;
}

void api_start_oidc_callback(struct conn *c, struct request *req)
{
	struct span query = http_deferred_request(c->http)->query;
	struct oidc_flow flow;

	request_free(req);
	if (refuse_without(c))
		return;
	if (!is_answer(c, query, &flow)) {
		send_on(c, "/", "expired", NULL);
		return;
	}
	char *code = query_value(query, SPAN("code"));
	if (code == NULL) {
		send_on(c, page_of(&flow), "refused", NULL);
		return;
	}
	struct oidc_errand *oe = mem_zalloc(sizeof(*oe));

	oe->flow = flow;
	oe->code = code;
	if (!submit(c, oe))
		send_on(c, page_of(&flow), "busy", NULL);
}

void api_answer_oidc(struct conn *c, const struct store_op *op)
{
	const char *page = op->account->linked != 0 ? "/settings" : "/";
	struct buf headers = {0};

	if (op->err != PROTO_OK) {
		send_on(c, page, proto_error_name(op->err), NULL);
		return;
	}
	if (op->token != NULL)
		api_append_session(&headers, c, span_of(op->token));
	send_on(c, page, op->account->linked != 0 ? "linked" : NULL, &headers);
	buf_deinit(&headers);
}
