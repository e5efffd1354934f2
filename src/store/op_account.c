/*
 * Accounts and the sessions of their devices.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/account.h"
#include "store/secret.h"
#include "store/store_internal.h"
#include "store/writer.h"

static struct span hash_span(const unsigned char hash[SECRET_TOKEN_HASH_BYTES])
{
	return (struct span){.p = (const char *)hash, .len = SECRET_TOKEN_HASH_BYTES};
}

static int audit(struct writer *w, int64_t ts, int64_t actor, const char *act, struct span object,
		 const char *address)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_AUDIT);

	db_bind_int(s, 1, ts);
	db_bind_int(s, 2, actor);
	db_bind_text(s, 3, span_of(act));
	db_bind_text(s, 4, object);
	db_bind_text(s, 5, span_of(address));
	return db_run(s);
}

/* A session of op->user on the device; op->token is what it will show. */
static int make_session(struct writer *w, struct store_op *op, int64_t now)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s = db_stmt(&w->db, W_SESSIONS_EXPIRE);

	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, now - SESSION_IDLE_MS);
	db_bind_int(s, 3, now - SESSION_MAX_MS);
	int err = db_run(s);
	if (err != 0)
		return err;
	op->token = mem_alloc(SECRET_TOKEN_SIZE);
	secret_make_token(op->token);
	secret_hash_token(hash, w->hash_key, span_of(op->token));
	s = db_stmt(&w->db, W_SESSION_NEW);
	db_bind_blob(s, 1, hash_span(hash));
	db_bind_int(s, 2, op->user);
	db_bind_int(s, 3, now);
	db_bind_text(s, 4, span_of(op->account->agent));
	db_bind_text(s, 5, span_of(op->account->address));
	return db_run(s);
}

static int make_user(struct writer *w, struct store_op *op, int64_t now)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_NEW);

	db_bind_text(s, 1, op->req->name);
	db_bind_text(s, 2, op->req->name_key);
	db_bind_blob(s, 3, (struct span){0});
	db_bind_int(s, 4, now);
	int err = db_run(s);
	if (err != 0)
		return err;
	op->user = sqlite3_last_insert_rowid(w->db.h);
	op->name = mem_dup(op->req->name.p, op->req->name.len);
	w->batch_user = op->user;
	return 0;
}

static int make_account(struct writer *w, const struct store_op *op, enum team_role role,
			int64_t now)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_NEW);

	db_bind_int(s, 1, op->user);
	db_bind_text(s, 2, op->req->login);
	db_bind_text(s, 3, op->req->login_key);
	db_bind_text(s, 4, span_of(op->account->password));
	db_bind_int(s, 5, role);
	db_bind_int(s, 6, now);
	return db_run(s);
}

int op_apply_setup(struct writer *w, struct store_op *op)
{
	int64_t now = clock_wall_ms();
	int rc = db_step(db_stmt(&w->db, W_ACCOUNTS));

	if (rc < 0)
		return rc;
	if (rc > 0) {
		db_stmt(&w->db, W_ACCOUNTS);
		return op_refuse(op, PROTO_E_FORBIDDEN, "This team was set up already.");
	}
	rc = op_claim_name(w, op->req->name_key, 0, now);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN, "Somebody else has this name.");
	sqlite3_stmt *s = db_stmt(&w->db, W_TEAM_SET);
	db_bind_blob(s, 1, op->req->team);
	int err = db_run(s);
	if (err == 0)
		err = make_user(w, op, now);
	if (err == 0)
		err = make_account(w, op, ROLE_OWNER, now);
	if (err == 0)
		err = make_session(w, op, now);
	if (err == 0)
		err = audit(w, now, op->user, "setup", op->req->team, op->account->address);
	return err;
}

int op_apply_sign_in(struct writer *w, struct store_op *op)
{
	struct store_account *a = op->account;
	int64_t now = clock_wall_ms();
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT);

	/* What was read before the password was checked may have changed meanwhile. */
	db_bind_int(s, 1, op->user);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	bool may = rc > 0 && sqlite3_column_int64(s, 0) == 0 &&
		   (!a->has_totp || a->totp_step > (uint64_t)sqlite3_column_int64(s, 1));
	sqlite3_reset(s);
	if (!may)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "This did not let you in.");
	const char *name;
	int err = writer_find_name(w, op->user, &name);
	if (err == 0)
		op->name = mem_strdup(name != NULL ? name : "");
	if (err == 0 && a->has_totp) {
		s = db_stmt(&w->db, W_ACCOUNT_TOTP_STEP);
		db_bind_int(s, 1, op->user);
		db_bind_int(s, 2, (int64_t)a->totp_step);
		err = db_run(s);
	}
	if (err == 0 && a->password != NULL) {
		s = db_stmt(&w->db, W_ACCOUNT_PASSWORD);
		db_bind_int(s, 1, op->user);
		db_bind_text(s, 2, span_of(a->password));
		err = db_run(s);
	}
	return err == 0 ? make_session(w, op, now) : err;
}

int op_apply_sign_out(struct writer *w, struct store_op *op)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s = db_stmt(&w->db, W_SESSION_DROP);

	secret_hash_token(hash, w->hash_key, span_of(op->token));
	db_bind_blob(s, 1, hash_span(hash));
	return db_run(s);
}
