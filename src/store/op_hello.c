/*
 * hello: new guests, renames, and when they were last here.
 *
 * A guest's name is theirs for 30 days after their last visit.  After that another may take it:
 * the old row loses its key and keeps its name for the log.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/secret.h"
#include "store/store_internal.h"
#include "store/writer.h"

static const int64_t NAME_KEPT_MS = INT64_C(30) * 24 * 60 * 60 * 1000;

static int find_lookalike(struct writer *w, unsigned stmt, struct span name, int64_t self)
{
	sqlite3_stmt *s = db_stmt(&w->db, stmt);

	db_bind_text(s, 1, name);
	db_bind_int(s, 2, self);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

int op_has_lookalike(struct writer *w, struct span title, int64_t room)
{
	return find_lookalike(w, W_ROOM_LOOKALIKE, title, room);
}

int op_claim_name(struct writer *w, struct span name, struct span key, int64_t self, int64_t now)
{
	int rc = find_lookalike(w, W_USER_LOOKALIKE, name, self);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_BY_KEY);
	db_bind_text(s, 1, key);
	rc = db_step(s);
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	int64_t owner = sqlite3_column_int64(s, 0);
	int64_t last_seen = sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	if (owner == self)
		return 1;
	if (now - last_seen <= NAME_KEPT_MS)
		return 0;
	s = db_stmt(&w->db, W_USER_FREE_KEY);
	db_bind_int(s, 1, owner);
	int err = db_run(s);
	return err != 0 ? err : 1;
}

static int make_guest(struct writer *w, struct store_op *op, int64_t now)
{
	const struct request *req = op->req;
	int rc = op_claim_name(w, req->name, req->name_key, 0, now);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN,
				 "Somebody else has this name, or one that looks like it.");

	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	op->token = mem_alloc(SECRET_TOKEN_SIZE);
	secret_make_token(op->token);
	secret_hash_token(hash, w->hash_key, span_of(op->token));

	sqlite3_stmt *s = db_stmt(&w->db, W_USER_NEW);
	db_bind_text(s, 1, req->name);
	db_bind_text(s, 2, req->name_key);
	db_bind_blob(s, 3, (struct span){.p = (const char *)hash, .len = sizeof(hash)});
	db_bind_int(s, 4, now);
	int err = db_run(s);
	if (err != 0)
		return err;
	op->user = sqlite3_last_insert_rowid(w->db.h);
	op->name = mem_dup(req->name.p, req->name.len);
	w->batch_user = op->user;
	return 0;
}

static int rename_user(struct writer *w, struct store_op *op, int64_t now)
{
	const struct request *req = op->req;
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];

	secret_hash_token(hash, w->hash_key, req->token);
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_BY_TOKEN);
	db_bind_blob(s, 1, (struct span){.p = (const char *)hash, .len = sizeof(hash)});
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "This token is not known.");
	int64_t user = sqlite3_column_int64(s, 0);
	bool same = span_equal(db_column(s, 1), req->name);
	sqlite3_reset(s);

	rc = op_claim_name(w, req->name, req->name_key, user, now);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN,
				 "Somebody else has this name, or one that looks like it.");
	s = db_stmt(&w->db, W_USER_RENAME);
	db_bind_int(s, 1, user);
	db_bind_text(s, 2, req->name);
	db_bind_text(s, 3, req->name_key);
	db_bind_int(s, 4, now);
	int err = db_run(s);
	if (err != 0)
		return err;
	writer_forget_name(w, user);
	op->user = user;
	op->name = mem_dup(req->name.p, req->name.len);
	op->renamed = !same;
	return 0;
}

int op_apply_hello(struct writer *w, struct store_op *op)
{
	int64_t now = clock_wall_ms();

	if (op->req->name.p == NULL)
		return op_refuse(op, PROTO_E_BAD_REQUEST, "hello wants a name.");
	return op->req->token.p != NULL ? rename_user(w, op, now) : make_guest(w, op, now);
}

int op_apply_touch(struct writer *w, struct store_op *op)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_SEEN);

	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, clock_wall_ms());
	int err = db_run(s);
	if (err != 0 || op->session == 0)
		return err;
	s = db_stmt(&w->db, W_SESSION_USED);
	db_bind_int(s, 1, op->session);
	db_bind_int(s, 2, clock_wall_ms());
	return db_run(s);
}
