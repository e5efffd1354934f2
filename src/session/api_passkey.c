/*
 * Passkeys over HTTP: one asks for a challenge, and comes back with what the browser made of it.
 *
 * Who signs in with one shows what they have and, to it, who they are: no password and no second
 * factor besides.
 */
#include "session/api.h"

#include "hubbub/mem.h"
#include "hubbub/webauthn.h"
#include <stdlib.h>
#include <string.h>

/* Of the request's Host the name alone: what a browser calls the relying party. */
static struct span host_name(struct span host)
{
	const char *colon = host.len > 0 ? memrchr(host.p, ':', host.len) : NULL;

	if (colon != NULL && memchr(colon, ']', host.len - (size_t)(colon - host.p)) == NULL)
		host.len = (size_t)(colon - host.p);
	return host;
}

static struct webauthn_answer make_answer(const struct conn *c, const struct request *req,
					  struct buf *origin)
{
	const struct http_request *http = http_deferred_request(c->http);

	buf_append_str(origin, http->is_tls ? "https://" : "http://");
	buf_append_span(origin, http->host);
	return (struct webauthn_answer){
		.client_data = req->client_data,
		.authenticator_data = req->authenticator_data,
		.signature = req->signature,
		.origin = buf_span(origin),
		.host = host_name(http->host),
	};
}

static void answer_challenge(struct conn *c, enum webauthn_purpose purpose, int64_t user)
{
	const struct http_request *http = http_deferred_request(c->http);
	char challenge[WEBAUTHN_CHALLENGE_SIZE];
	struct buf json = {0};

	webauthn_challenge(conn_hub(c)->env->webauthn, purpose, user, challenge);
	buf_printf(&json, "{\"challenge\":\"%s\",\"rp_id\":", challenge);
	buf_append_json(&json, host_name(http->host));
	if (user != 0)
		buf_printf(&json, ",\"user\":\"u%lld\"", (long long)user);
	buf_append_char(&json, '}');
	api_answer(c, 200, &json, NULL);
}

void api_begin_passkey(struct conn *c, int64_t user)
{
	answer_challenge(c, WEBAUTHN_CREATE, user);
}

void api_start_passkey_challenge(struct conn *c, struct request *req)
{
	request_free(req);
	if (conn_hub(c)->cfg->oidc_only)
		api_refuse(c, PROTO_E_FORBIDDEN, "Here one signs in by single sign-on alone.", 0);
	else
		answer_challenge(c, WEBAUTHN_GET, 0);
}

/* Whose it is to be is known when the session was read. */
void api_start_passkey_new(struct conn *c, struct request *req)
{
	api_submit_read(c, api_new_read(c, STORE_READ_ACCOUNT, req));
}

void api_add_passkey(struct conn *c, struct store_read *read)
{
	struct webauthn_key *key = mem_zalloc(sizeof(*key));
	struct buf origin = {0};
	struct webauthn_answer answer = make_answer(c, read->req, &origin);
	const char *why = webauthn_check_new(conn_hub(c)->env->webauthn, &answer, read->user, key);

	buf_deinit(&origin);
	if (why != NULL) {
		api_refuse(c, PROTO_E_BAD_REQUEST, why, 0);
		free(key);
		return;
	}
	struct store_op *op = api_new_op(c, STORE_ACCOUNT, read->req);

	read->req = NULL;
	op->account = api_new_account(c);
	op->account->passkey = key;
	op->account->linked = read->user;
	api_submit(c, op);
}

void api_start_passkey_enter(struct conn *c, struct request *req)
{
	unsigned wait_ms = api_guess_wait(c, (struct span){0});

	if (conn_hub(c)->cfg->oidc_only)
		api_refuse(c, PROTO_E_FORBIDDEN, "Here one signs in by single sign-on alone.", 0);
	else if (wait_ms > 0)
		api_refuse(c, PROTO_E_RATE_LIMITED, "Too many tries: wait a moment.", wait_ms);
	else {
		api_submit_read(c, api_new_read(c, STORE_READ_PASSKEY, req));
		return;
	}
	request_free(req);
}

void api_check_passkey(struct conn *c, struct store_read *read)
{
	struct webauthn_key *key = read->account != NULL ? read->account->passkey : NULL;
	struct buf origin = {0};
	struct webauthn_answer answer = make_answer(c, read->req, &origin);
	const char *why = "This passkey is not known here.";

	if (key != NULL)
		why = webauthn_check(conn_hub(c)->env->webauthn, &answer, key);
	buf_deinit(&origin);
	if (why != NULL) {
		api_count_guess(c, (struct span){0});
		api_refuse(c, PROTO_E_UNAUTHORIZED, why, 0);
		return;
	}
	struct store_op *op = api_new_op(c, STORE_ACCOUNT, read->req);

	read->req = NULL;
	op->user = read->user;
	op->account = api_new_account(c);
	op->account->passkey = key;
	read->account->passkey = NULL;
	api_submit(c, op);
}
