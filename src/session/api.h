#pragma once
/* What the files of the HTTP API share. */
#include "hubbub/password.h"
#include "session/conn.h"

/** One request of the API while its answer comes later.  One for a connection at most. */
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
void api_on_request(struct http *h, const struct http_request *req, struct conn *c);
/** Answer with @json (emptied); @headers as for http_respond().  Then go on with the connection. */
void api_answer(struct conn *c, int status, struct buf *json, const char *headers);
/** Answer with an error, by its status. */
void api_refuse(struct conn *c, enum proto_error e, const char *why, unsigned retry_ms);
/** Submit; a store that takes no more is answered for, and @op or @read freed. */
void api_submit(struct conn *c, struct store_op *op);
void api_submit_read(struct conn *c, struct store_read *read);
struct store_op *api_new_op(struct conn *c, enum store_op_kind kind, struct request *req);
struct store_read *api_new_read(struct conn *c, enum store_read_kind kind, struct request *req);
/** The connection whose request is @id's, if its answer is still owed. */
struct conn *api_find_conn(struct hub *hub, uint64_t id);
/** Hash or check call->req->password; @done is called with the connection there, or not at all. */
void api_hash(struct conn *c, struct api_call *call, const char *stored,
	      void (*done)(struct password_job *job, int err));
struct api_call *api_call_new(struct conn *c, struct request *req);
void api_call_free(struct api_call *call);

/* cookie.c */
/** The session's token in a Cookie field; p is NULL where there is none. */
struct span cookie_find_token(struct span cookie);
/** Append the field that sets it, or with an empty @token takes it away. */
void cookie_append(struct buf *out, struct span token);

/* api_account.c: each takes over what it is given; the answer comes later. */
void api_start_setup(struct conn *c, struct request *req);
void api_start_sign_in(struct conn *c, struct request *req);
void api_start_sign_out(struct conn *c);
void api_signed_in(struct conn *c, struct store_op *op);
void api_account_read(struct conn *c, struct store_read *read);
