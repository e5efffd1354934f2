/*
 * What a page asks before anybody is signed in, and the first account.
 */
#include "session/api.h"

#include <sodium.h>

/* The name in Host: a page of another name that leads here must not count as ours. */
static bool is_local_name(struct span host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if (host.len >= n && memcmp(host.p, names[i], n) == 0 &&
		    (host.len == n || host.p[n] == ':'))
			return true;
	}
	return false;
}

/* Whether the first account may be made from where the request comes from, without the token. */
static bool is_at_home(const struct conn *c)
{
	const struct http_request *http = http_deferred_request(c->http);
	struct addr addr;

	if (http->x_forwarded_for.p != NULL || http->x_forwarded_proto.p != NULL ||
	    http->forwarded.p != NULL)
		return false;
	conn_find_client(c, http, &addr);
	return addr_is_loopback(&addr) && is_local_name(http->host);
}

static bool has_setup_token(const struct conn *c, const struct request *req)
{
	const char *token = conn_hub(c)->env->setup_token;

	return req->token.p != NULL && req->token.len == strlen(token) &&
	       sodium_memcmp(req->token.p, token, req->token.len) == 0;
}

void api_start_setup(struct conn *c, struct request *req)
{
	const char *why = NULL;
	enum proto_error e = PROTO_E_BAD_REQUEST;

	if (req->name.p == NULL || req->login.p == NULL || req->password.p == NULL)
		why = "The owner needs a name, a login and a password.";
	else
		why = password_judge(req->password);
	if (why == NULL && !is_at_home(c) && !has_setup_token(c, req)) {
		e = PROTO_E_FORBIDDEN;
		why = "From another machine the first account needs the token that the server "
		      "printed when it was started.";
	}
	if (why != NULL) {
		api_refuse(c, e, why, 0);
		request_free(req);
		return;
	}
	struct api_call *call = api_call_new(c, req);

	call->account = api_new_account(c);
	api_submit_hashed(c, call, STORE_SETUP);
}

void api_answer_server(struct conn *c, const struct store_read *read)
{
	const struct config *cfg = conn_hub(c)->cfg;
	struct buf json = {0};

	buf_printf(&json, "{\"version\":\"%s\",\"mode\":\"%s\"", HUBBUB_VERSION,
		   cfg->open ? "open" : "accounts");
	if (!cfg->open) {
		buf_append_str(&json, ",\"team\":");
		if (read->name != NULL)
			buf_append_json(&json, span_of(read->name));
		else
			buf_append_str(&json, "null");
		buf_printf(&json, ",\"setup\":\"%s\"",
			   read->name != NULL ? "done"
			   : is_at_home(c)    ? "open"
					      : "token");
	}
	if (conn_hub(c)->env->mailer != NULL && !cfg->oidc_only)
		buf_append_str(&json, ",\"mail\":true");
	if (conn_hub(c)->env->oidc != NULL) {
		buf_append_str(&json, ",\"sso\":");
		buf_append_json(&json, span_of(cfg->oidc_name));
		buf_printf(&json, ",\"sso_only\":%s", cfg->oidc_only ? "true" : "false");
	}
	buf_append_char(&json, '}');
	api_answer(c, 200, &json, NULL);
}

void api_start_server(struct conn *c, struct request *req)
{
	api_submit_read(c, api_new_read(c, STORE_READ_TEAM, req));
}
