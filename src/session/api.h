#pragma once
/* What the files of the HTTP API share. */
#include "hubbub/password.h"
#include "session/conn.h"

/** One request of the API while a password is hashed for it.  One for a connection at most. */
struct api_call {
	struct password_job job; /* first: a job's call is found by a cast */
	struct hub *hub;
	uint64_t conn;
	struct request *req;           /* owned */
	struct store_account *account; /* owned */
	int64_t user;
};

/* http_api.c */
/** Answer a request under /api/v1/. */
void api_on_request(struct conn *c, const struct http_request *req);
/** Answer with @json (emptied); @headers as for http_respond().  Then go on with the connection. */
void api_answer(struct conn *c, int status, struct buf *json, const char *headers);
/** Answer with an error, by its status. */
void api_refuse(struct conn *c, enum proto_error e, const char *why, unsigned retry_ms);

/* api_store.c */
/** Submit; a store that takes no more is answered for, and @op or @read freed. */
void api_submit(struct conn *c, struct store_op *op);
void api_submit_read(struct conn *c, struct store_read *read);
struct store_op *api_new_op(struct conn *c, enum store_op_kind kind, struct request *req);
struct store_read *api_new_read(struct conn *c, enum store_read_kind kind, struct request *req);
/** The connection whose request is @id's, if its answer is still owed. */
struct conn *api_find_conn(struct hub *hub, uint64_t id);
/** What the request under way tells of the device, its session's token included. */
struct store_account *api_new_account(const struct conn *c);
/** The session's token in a handshake or request, by cookie or as a bearer token; p may be NULL. */
struct span api_find_token(const struct http_request *http);

/** Append the field that sets the session's cookie to @token; empty: takes it away. */
void api_append_session(struct buf *headers, const struct conn *c, struct span token);

/* cookie.c */
#define COOKIE_SESSION "hubbub_session"
#define COOKIE_SESSION_S (180 * 24 * 60 * 60) /* the store ends it sooner where it is not used */
#define COOKIE_SSO "hubbub_sso"
/** The value of the cookie @name in a Cookie field; p is NULL where there is none.  Over https only
 * one that came so counts. */
struct span cookie_find(struct span cookie, const char *name, bool is_tls);
/** Append the field that sets it, or with an empty @value takes it away. */
void cookie_append(struct buf *out, const char *name, struct span value, unsigned max_age_s,
		   bool is_tls);

/* Each takes over the request that it is given; the answer comes later, or was given. */
typedef void api_starter(struct conn *c, struct request *req);
api_starter api_start_server, api_start_setup; /* api_setup.c */
api_starter api_start_sign_in, api_start_checked, api_start_new_password,
	api_start_leave_team;                                 /* api_password.c */
api_starter api_start_op, api_start_list, api_start_sign_out; /* api_store.c */

/* api_oidc.c */
api_starter api_start_oidc, api_start_oidc_callback;
/** Send @c's browser to the provider, to be linked to @user. */
void api_link_oidc(struct conn *c, const struct request *req, int64_t user);
/** OP_OIDC_ENTER was done. */
void api_answer_oidc(struct conn *c, const struct store_op *op);

/* api_passkey.c */
api_starter api_start_passkey_new, api_start_passkey_challenge, api_start_passkey_enter;
/** The password was right: give @user a challenge for a new passkey. */
void api_begin_passkey(struct conn *c, int64_t user);
/** STORE_READ_ACCOUNT was answered for OP_PASSKEY_NEW; STORE_READ_PASSKEY was. */
void api_add_passkey(struct conn *c, struct store_read *read);
void api_check_passkey(struct conn *c, struct store_read *read);

/* api_mail.c */
api_starter api_start_reset_mail;

/* api_password.c */
/** Have @password hashed, or with @stored checked; @done finds the connection, or that it went. */
void api_hash(struct conn *c, struct api_call *call, struct span password, const char *stored,
	      void (*done)(struct password_job *job, int err));
struct api_call *api_call_new(struct conn *c, struct request *req);
void api_call_free(struct api_call *call);
/** Hash the password of @call's request, then have @kind done with it. */
void api_submit_hashed(struct conn *c, struct api_call *call, enum store_op_kind kind);
/** STORE_READ_ACCOUNT was answered. */
void api_check_password(struct conn *c, struct store_read *read);

/* api_setup.c */
/** STORE_READ_TEAM was answered. */
void api_answer_server(struct conn *c, const struct store_read *read);

/* guesses.c */
/** Milliseconds until the login or the address of the request may be tried; 0: now. */
unsigned api_guess_wait(const struct conn *c, struct span login_key);
/** The password or code was wrong. */
void api_count_guess(const struct conn *c, struct span login_key);
