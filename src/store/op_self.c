/*
 * What people do about themselves: name, password, second factor, devices.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "hubbub/totp.h"
#include "store/account.h"
#include <sodium.h>

#define N_RECOVERY_CODES 10
#define RECOVERY_CODE_CHARS 16 /* of 32 letters and digits: 80 bits */

int apply_set_name(struct writer *w, struct store_op *op, const struct actor *actor)
{
	const struct request *req = op->req;
	int64_t now = clock_wall_ms();
	const char *old;

	if (req->name.p == NULL)
		return op_refuse(op, PROTO_E_BAD_REQUEST, "A name is wanted.");
	int rc = op_claim_name(w, req->name, req->name_key, actor->user, now);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN,
				 "Somebody else has this name, or one that looks like it.");
	int err = writer_find_name(w, actor->user, &old);
	if (err != 0)
		return err;
	op->renamed = old == NULL || !span_equal(span_of(old), req->name);
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_RENAME);
	db_bind_int(s, 1, actor->user);
	db_bind_text(s, 2, req->name);
	db_bind_text(s, 3, req->name_key);
	db_bind_int(s, 4, now);
	err = db_run(s);
	if (err != 0)
		return err;
	writer_forget_name(w, actor->user);
	op->user = actor->user;
	op->name = mem_dup(req->name.p, req->name.len);
	return 0;
}

int account_check_again(struct writer *w, const struct store_op *op, int64_t user,
			sqlite3_stmt **out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT);

	db_bind_int(s, 1, user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	bool is_same = op->account->checked != NULL &&
		       span_equal(db_column(s, 3), span_of(op->account->checked));
	if (!is_same)
		sqlite3_reset(s);
	*out = s;
	return is_same;
}

static int refuse_changed(struct store_op *op)
{
	return op_refuse(op, PROTO_E_UNAUTHORIZED, "This is not your password.");
}

int apply_set_password(struct writer *w, struct store_op *op, const struct actor *actor)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s;
	int rc = account_check_again(w, op, actor->user, &s);

	if (rc <= 0)
		return rc < 0 ? rc : refuse_changed(op);
	sqlite3_reset(s);
	op->account->cut = (struct store_cut){.user = actor->user, .except = actor->session};
	s = db_stmt(&w->db, W_ACCOUNT_PASSWORD);
	db_bind_int(s, 1, actor->user);
	db_bind_text(s, 2, span_of(op->account->password));
	int err = db_run(s);
	if (err == 0)
		err = account_end_sessions(w, actor->user, actor->session);
	if (err == 0) { /* this device goes on under a new token */
		account_make_token(w, op, hash);
		s = db_stmt(&w->db, W_SESSION_RENEW);
		db_bind_int(s, 1, actor->session);
		db_bind_blob(s, 2, hash_span(hash));
		db_bind_int(s, 3, clock_wall_ms());
		err = db_run(s);
	}
	if (err == 0)
		err = account_audit(w, op, actor->user, "password", (struct span){0});
	return err;
}

int apply_totp_begin(struct writer *w, struct store_op *op, const struct actor *actor)
{
	uint8_t secret[TOTP_SECRET_BYTES];
	struct buf uri = {0};
	sqlite3_stmt *s;
	int rc = account_check_again(w, op, actor->user, &s);

	if (rc <= 0)
		return rc < 0 ? rc : refuse_changed(op);
	struct span login = db_column(s, 5);
	sqlite3_stmt *team = db_stmt(&w->db, W_TEAM);
	rc = db_step(team);
	totp_make_secret(secret);
	if (rc > 0) {
		buf_append_str(&op->scratch, "{\"secret\":\"");
		totp_append_base32(&op->scratch, secret);
		totp_append_uri(&uri, secret, db_column(team, 0),
				login.p != NULL ? login : SPAN(""));
		buf_append_str(&op->scratch, "\",\"uri\":");
		buf_append_json(&op->scratch, buf_span(&uri));
		buf_append_char(&op->scratch, '}');
		sqlite3_reset(team);
	}
	buf_deinit(&uri);
	sqlite3_reset(s);
	if (rc <= 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_INTERNAL, "There is no team.");
	s = db_stmt(&w->db, W_ACCOUNT_TOTP_NEW);
	db_bind_int(s, 1, actor->user);
	db_bind_blob(s, 2, (struct span){.p = (const char *)secret, .len = sizeof(secret)});
	return db_run(s);
}

static int make_recovery_codes(struct writer *w, struct store_op *op, int64_t user)
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz023456789";
	sqlite3_stmt *s = db_stmt(&w->db, W_RECOVERY_CLEAR);

	db_bind_int(s, 1, user);
	int err = db_run(s);
	buf_append_str(&op->scratch, "{\"recovery\":[");
	for (int i = 0; err == 0 && i < N_RECOVERY_CODES; i++) {
		unsigned char hash[SECRET_TOKEN_HASH_BYTES];
		char code[RECOVERY_CODE_CHARS + 1] = "";

		for (int k = 0; k < RECOVERY_CODE_CHARS; k++)
			code[k] = letters[randombytes_uniform(sizeof(letters) - 1)];
		secret_hash_token(hash, w->hash_key, span_of(code));
		buf_printf(&op->scratch, "%s\"%s\"", i > 0 ? "," : "", code);
		s = db_stmt(&w->db, W_RECOVERY_NEW);
		db_bind_int(s, 1, user);
		db_bind_blob(s, 2, hash_span(hash));
		err = db_run(s);
	}
	buf_append_str(&op->scratch, "]}");
	return err;
}

int apply_totp_confirm(struct writer *w, struct store_op *op, const struct actor *actor)
{
	uint8_t secret[TOTP_SECRET_BYTES];
	uint64_t step = 0;
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT);

	db_bind_int(s, 1, actor->user);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	struct span found = rc > 0 ? db_column(s, 4) : (struct span){0};
	bool is_begun = found.len == sizeof(secret);
	if (is_begun)
		memcpy(secret, found.p, sizeof(secret));
	sqlite3_reset(s);
	if (!is_begun)
		return op_refuse(op, PROTO_E_NOT_FOUND, "No second factor was begun.");
	if (op->req->code.p == NULL ||
	    !totp_check(secret, op->req->code, (uint64_t)clock_wall_ms() / 1000, 0, &step))
		return op_refuse(op, PROTO_E_SECOND_FACTOR, "This code is not the right one.");
	s = db_stmt(&w->db, W_ACCOUNT_TOTP_ON);
	db_bind_int(s, 1, actor->user);
	db_bind_int(s, 2, (int64_t)step);
	int err = db_run(s);
	if (err == 0)
		err = make_recovery_codes(w, op, actor->user);
	if (err == 0)
		err = account_audit(w, op, actor->user, "second-factor-on", (struct span){0});
	return err;
}

int apply_totp_end(struct writer *w, struct store_op *op, const struct actor *actor)
{
	sqlite3_stmt *s;
	int rc = account_check_again(w, op, actor->user, &s);

	if (rc <= 0)
		return rc < 0 ? rc : refuse_changed(op);
	sqlite3_reset(s);
	s = db_stmt(&w->db, W_ACCOUNT_TOTP_OFF);
	db_bind_int(s, 1, actor->user);
	int err = db_run(s);
	if (err == 0) {
		s = db_stmt(&w->db, W_RECOVERY_CLEAR);
		db_bind_int(s, 1, actor->user);
		err = db_run(s);
	}
	if (err == 0)
		err = account_audit(w, op, actor->user, "second-factor-off", (struct span){0});
	return err;
}

int apply_session_end(struct writer *w, struct store_op *op, const struct actor *actor)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_SESSION_DROP);

	db_bind_int(s, 1, actor->user);
	db_bind_int(s, 2, (int64_t)op->req->target);
	int err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such device.");
	op->account->cut =
		(struct store_cut){.user = actor->user, .session = (int64_t)op->req->target};
	return 0;
}

int apply_sessions_end(struct writer *w, struct store_op *op, const struct actor *actor)
{
	op->account->cut = (struct store_cut){.user = actor->user, .except = actor->session};
	return account_end_sessions(w, actor->user, actor->session);
}
