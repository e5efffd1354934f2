/*
 * What wants a password: signing in, changing what protects an account, choosing a new one.
 *
 * An unknown login, one without a password, a disabled one and a wrong password get the same answer
 * after the same time: each has a hash checked, and only then is it looked at what it was.
 */
#include "session/api.h"

#include "hubbub/mem.h"
#include "hubbub/totp.h"
#include <stdlib.h>
#include <time.h>

static const char no_match[] = "This login and password do not match.";

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

void api_hash(struct conn *c, struct api_call *call, struct span password, const char *stored,
	      void (*done)(struct password_job *job, int err))
{
	call->job.done = done;
	if (password_submit(&call->hub->worker->loop, &call->job, password, stored) == 0)
		return;
	api_refuse(c, PROTO_E_RATE_LIMITED, "Too many sign in at once: try again in a moment.",
		   2000);
	api_call_free(call);
}

/* @call's request, with what was found out about its password, goes to the writer. */
static void submit(struct conn *c, struct api_call *call, enum store_op_kind kind)
{
	struct store_op *op = api_new_op(c, kind, call->req);

	op->user = call->user;
	op->account = call->account;
	call->req = NULL;
	call->account = NULL;
	api_submit(c, op);
}

static void on_hashed(struct password_job *job, int err, enum store_op_kind kind)
{
	struct api_call *call = (struct api_call *)job;
	struct conn *c = api_find_conn(call->hub, call->conn);

	if (c != NULL && err != 0) {
		api_refuse(c, PROTO_E_UNAVAILABLE, "The password could not be hashed.", 1000);
	} else if (c != NULL) {
		call->account->password = mem_strdup(job->hash);
		submit(c, call, kind);
	}
	api_call_free(call);
}

static void on_setup_hashed(struct password_job *job, int err)
{
	on_hashed(job, err, STORE_SETUP);
}

static void on_sign_in_hashed(struct password_job *job, int err)
{
	on_hashed(job, err, STORE_SIGN_IN);
}

static void on_account_hashed(struct password_job *job, int err)
{
	on_hashed(job, err, STORE_ACCOUNT);
}

void api_submit_hashed(struct conn *c, struct api_call *call, enum store_op_kind kind)
{
	const struct request *req = call->req;

	api_hash(c, call, req->new_password.p != NULL ? req->new_password : req->password, NULL,
		 kind == STORE_SETUP     ? on_setup_hashed
		 : kind == STORE_SIGN_IN ? on_sign_in_hashed
					 : on_account_hashed);
}

/* Where nobody comes in by a password. */
static bool refuse_password(struct conn *c)
{
	if (conn_hub(c)->cfg->oidc_only)
		api_refuse(c, PROTO_E_FORBIDDEN, "Here one signs in by single sign-on alone.", 0);
	return conn_hub(c)->cfg->oidc_only;
}

/* An invitation or a link for a new password is what lets in; the password is for later. */
void api_start_new_password(struct conn *c, struct request *req)
{
	const char *why = NULL;
	struct api_call *call;

	if (req->token.p == NULL)
		why = "The link's token is wanted.";
	else if (req->op == OP_INVITE_ACCEPT && req->name.p == NULL)
		why = "A name is wanted.";
	else if (req->password.p != NULL)
		why = password_judge(req->password);
	else if (req->op == OP_RESET || req->login.p != NULL)
		why = "A password is wanted.";
	if (why != NULL) {
		api_refuse(c, PROTO_E_BAD_REQUEST, why, 0);
		request_free(req);
		return;
	}
	if (req->password.p != NULL && refuse_password(c)) {
		request_free(req);
		return;
	}
	if (req->password.p == NULL) {
		api_start_op(c, req);
		return;
	}
	call = api_call_new(c, req);
	call->account = api_new_account(c);
	api_submit_hashed(c, call, STORE_ACCOUNT);
}

static bool may_guess(struct conn *c, const struct request *req)
{
	unsigned wait_ms = api_guess_wait(c, req->login_key);

	if (wait_ms > 0)
		api_refuse(c, PROTO_E_RATE_LIMITED, "Too many wrong passwords: wait a moment.",
			   wait_ms);
	return wait_ms == 0;
}

void api_start_sign_in(struct conn *c, struct request *req)
{
	if (req->login.p == NULL || req->password.p == NULL)
		api_refuse(c, PROTO_E_BAD_REQUEST, "A login and a password are wanted.", 0);
	else if (!refuse_password(c) && may_guess(c, req)) {
		api_submit_read(c, api_new_read(c, STORE_READ_ACCOUNT, req));
		return;
	}
	request_free(req);
}

void api_start_checked(struct conn *c, struct request *req)
{
	const char *why = NULL;

	if (req->password.p == NULL)
		why = "Your password is wanted.";
	else if (req->new_password.p != NULL)
		why = password_judge(req->new_password);
	if (why != NULL)
		api_refuse(c, PROTO_E_BAD_REQUEST, why, 0);
	else if (may_guess(c, req)) {
		api_submit_read(c, api_new_read(c, STORE_READ_ACCOUNT, req));
		return;
	}
	request_free(req);
}

/* Who has no password has none to show: the store sees to that. */
void api_start_leave_team(struct conn *c, struct request *req)
{
	if (req->password.p != NULL)
		api_start_checked(c, req);
	else
		api_start_op(c, req);
}

/* The second factor of who signs in, where there is one.  A code that is no code of now may be one
 * for recovery, which the writer knows. */
static bool check_code(struct api_call *call)
{
	struct store_account *a = call->account;
	uint64_t step = 0;

	if (!a->has_totp)
		return true;
	if (call->req->code.p == NULL)
		return false;
	if (call->req->code.len != TOTP_DIGITS) {
		a->by_recovery = true;
		return true;
	}
	if (!totp_check(a->totp, call->req->code, (uint64_t)time(NULL), a->totp_step, &step))
		return false;
	a->totp_step = step;
	return true;
}

static void refuse_guess(struct conn *c, const struct api_call *call, enum proto_error e,
			 const char *why)
{
	api_count_guess(c, call->req->login_key);
	api_refuse(c, e, why, 0);
}

static void on_checked(struct password_job *job, int err)
{
	struct api_call *call = (struct api_call *)job;
	struct conn *c = api_find_conn(call->hub, call->conn);
	bool signs_in = call->req->op == OP_SIGN_IN;

	if (c == NULL) {
		api_call_free(call);
		return;
	}
	if (err != 0) {
		api_refuse(c, PROTO_E_UNAVAILABLE, "The password could not be checked.", 1000);
	} else if (!job->matches || call->account->is_disabled) {
		refuse_guess(c, call, PROTO_E_UNAUTHORIZED, no_match);
	} else if (signs_in && !check_code(call)) {
		if (call->req->code.p == NULL)
			api_refuse(c, PROTO_E_SECOND_FACTOR,
				   "A code of the second factor is wanted.", 0);
		else
			refuse_guess(c, call, PROTO_E_SECOND_FACTOR,
				     "This code is not the right one, or was used.");
	} else if (call->req->op == OP_OIDC_LINK) {
		api_link_oidc(c, call->req, call->user);
	} else if (call->req->op == OP_PASSKEY_BEGIN) {
		api_begin_passkey(c, call->user);
	} else if (call->req->op == OP_SET_PASSWORD || (signs_in && job->is_outdated)) {
		api_submit_hashed(c, call, signs_in ? STORE_SIGN_IN : STORE_ACCOUNT);
		return;
	} else {
		submit(c, call, signs_in ? STORE_SIGN_IN : STORE_ACCOUNT);
	}
	api_call_free(call);
}

void api_check_password(struct conn *c, struct store_read *read)
{
	struct api_call *call = api_call_new(c, read->req);
	struct store_account *a = api_new_account(c);

	read->req = NULL;
	call->account = a;
	call->user = read->user;
	if (read->account != NULL) {
		a->checked = read->account->password;
		read->account->password = NULL;
		a->is_disabled = read->account->is_disabled;
		a->has_totp = read->account->has_totp;
		memcpy(a->totp, read->account->totp, sizeof(a->totp));
		a->totp_step = read->account->totp_step;
	}
	api_hash(c, call, call->req->password, a->checked != NULL ? a->checked : "", on_checked);
}
