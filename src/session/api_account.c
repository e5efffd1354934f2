/*
 * The first account, signing in, and signing out.
 *
 * An unknown login, one without a password, a disabled one and a wrong password get the same answer
 * after the same time: each has a hash checked, and only then is it looked at what it was.
 */
#include "session/api.h"

#include "hubbub/mem.h"
#include "hubbub/totp.h"
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#define MAX_AGENT 200

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

	if (http->x_forwarded_for.p != NULL || http->forwarded.p != NULL)
		return false;
	conn_find_client(c, http, &addr);
	return addr_is_loopback(&addr) && is_local_name(http->host);
}

/* What the request tells of the device. */
static struct store_account *new_account(const struct conn *c)
{
	const struct http_request *http = http_deferred_request(c->http);
	struct store_account *a = mem_zalloc(sizeof(*a));
	char text[ADDR_TEXT_SIZE];
	struct addr addr;
	size_t len = http->user_agent.len < MAX_AGENT ? http->user_agent.len : MAX_AGENT;

	conn_find_client(c, http, &addr);
	a->agent = mem_dup(http->user_agent.p != NULL ? http->user_agent.p : "", len);
	a->address = mem_strdup(addr_format(&addr, text));
	return a;
}

/* The hash is there: have the account made. */
static void on_setup_hashed(struct password_job *job, int err)
{
	struct api_call *call = (struct api_call *)job;
	struct conn *c = api_find_conn(call->hub, call->conn);

	if (c != NULL && err != 0) {
		api_refuse(c, PROTO_E_UNAVAILABLE, "The password could not be hashed.", 1000);
	} else if (c != NULL) {
		struct store_op *op = api_new_op(c, STORE_SETUP, call->req);

		op->account = call->account;
		op->account->password = mem_strdup(job->hash);
		call->req = NULL;
		call->account = NULL;
		api_submit(c, op);
	}
	api_call_free(call);
}

static bool has_setup_token(const struct conn *c, const struct request *req)
{
	const char *token = conn_hub(c)->env->setup_token;

	return req->token.p != NULL && req->token.len == strlen(token) &&
	       sodium_memcmp(req->token.p, token, req->token.len) == 0;
}

void api_start_setup(struct conn *c, struct request *req)
{
	const char *why = password_judge(req->password);
	enum proto_error e = PROTO_E_BAD_REQUEST;

	if (why == NULL && req->name.p == NULL)
		why = "The owner needs a name.";
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

	call->account = new_account(c);
	api_hash(c, call, NULL, on_setup_hashed);
}

void api_start_sign_in(struct conn *c, struct request *req)
{
	api_submit_read(c, api_new_read(c, STORE_READ_ACCOUNT, req));
}

static void sign_in(struct conn *c, struct api_call *call)
{
	struct store_op *op = api_new_op(c, STORE_SIGN_IN, call->req);

	op->user = call->user;
	op->account = call->account;
	call->req = NULL;
	call->account = NULL;
	api_submit(c, op);
}

/* The second factor, where there is one. */
static bool check_code(struct api_call *call)
{
	struct store_account *a = call->account;
	uint64_t step = 0;

	if (!a->has_totp)
		return true;
	if (call->req->code.p == NULL ||
	    !totp_check(a->totp, call->req->code, (uint64_t)time(NULL), a->totp_step, &step))
		return false;
	a->totp_step = step;
	return true;
}

static void on_rehashed(struct password_job *job, int err)
{
	struct api_call *call = (struct api_call *)job;
	struct conn *c = api_find_conn(call->hub, call->conn);

	if (c != NULL) {
		if (err == 0)
			call->account->password = mem_strdup(job->hash);
		sign_in(c, call);
	}
	api_call_free(call);
}

static void on_checked(struct password_job *job, int err)
{
	struct api_call *call = (struct api_call *)job;
	struct conn *c = api_find_conn(call->hub, call->conn);

	if (c != NULL && err != 0) {
		api_refuse(c, PROTO_E_UNAVAILABLE, "The password could not be checked.", 1000);
	} else if (c != NULL && (!job->matches || call->account->is_disabled)) {
		api_refuse(c, PROTO_E_UNAUTHORIZED, "This login and password do not match.", 0);
	} else if (c != NULL && !check_code(call)) {
		api_refuse(c, PROTO_E_UNAUTHORIZED,
			   call->req->code.p != NULL
				   ? "This code is not the right one, or was used."
				   : "A code of the second factor is needed.",
			   0);
	} else if (c != NULL && job->is_outdated) {
		api_hash(c, call, NULL, on_rehashed);
		return;
	} else if (c != NULL) {
		sign_in(c, call);
	}
	api_call_free(call);
}

/* STORE_READ_ACCOUNT was answered. */
static void check_password(struct conn *c, struct store_read *read)
{
	struct api_call *call = api_call_new(c, read->req);
	struct store_account *device = new_account(c);
	char *stored = NULL;

	read->req = NULL;
	call->account = device;
	call->user = read->user;
	if (read->account != NULL) {
		stored = read->account->password;
		read->account->password = NULL;
		device->is_disabled = read->account->is_disabled;
		device->has_totp = read->account->has_totp;
		memcpy(device->totp, read->account->totp, sizeof(device->totp));
		device->totp_step = read->account->totp_step;
	}
	api_hash(c, call, stored != NULL ? stored : "", on_checked);
	free(stored);
}

static void answer_server(struct conn *c, const struct store_read *read)
{
	const struct config *cfg = conn_hub(c)->env->cfg;
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
	buf_append_char(&json, '}');
	api_answer(c, 200, &json, NULL);
}

void api_account_read(struct conn *c, struct store_read *read)
{
	if (read->err != PROTO_OK)
		api_refuse(c, read->err, read->why, read->retry_ms);
	else if (read->kind == STORE_READ_TEAM)
		answer_server(c, read);
	else
		check_password(c, read);
}

void api_start_sign_out(struct conn *c)
{
	struct span token = cookie_find_token(http_deferred_request(c->http)->cookie);
	struct store_op *op = api_new_op(c, STORE_SIGN_OUT, NULL);

	op->token = mem_dup(token.p != NULL ? token.p : "", token.len);
	api_submit(c, op);
}

void api_signed_in(struct conn *c, struct store_op *op)
{
	struct buf json = {0}, headers = {0};

	if (op->err != PROTO_OK) {
		api_refuse(c, op->err, op->why, op->retry_ms);
		return;
	}
	bool is_out = op->kind == STORE_SIGN_OUT;

	cookie_append(&headers, is_out ? SPAN("") : span_of(op->token));
	buf_append_char(&headers, '\0');
	if (!is_out) {
		buf_append_str(&json, "{\"me\":");
		user_encode(&json, op->user, span_of(op->name));
		buf_append_char(&json, '}');
	}
	api_answer(c, is_out ? 204 : op->kind == STORE_SETUP ? 201 : 200, &json, headers.p);
	buf_deinit(&headers);
}
