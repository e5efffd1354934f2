/*
 * Who may ask what about accounts, and what all such ops need: sessions, links, the audit log.
 */
#include "store/account.h"

#include "hubbub/api.h"
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/store_internal.h"

static account_applier *const appliers[N_OPS] = {
	[OP_SET_NAME] = apply_set_name,
	[OP_SET_PASSWORD] = apply_set_password,
	[OP_TOTP_BEGIN] = apply_totp_begin,
	[OP_TOTP_CONFIRM] = apply_totp_confirm,
	[OP_TOTP_END] = apply_totp_end,
	[OP_SESSION_END] = apply_session_end,
	[OP_SESSIONS_END] = apply_sessions_end,
	[OP_INVITE_NEW] = apply_invite_new,
	[OP_INVITE_END] = apply_invite_end,
	[OP_INVITE_ACCEPT] = apply_invite_accept,
	[OP_USER_NEW] = apply_user_new,
	[OP_USER_ROLE] = apply_user_role,
	[OP_USER_DISABLED] = apply_user_disabled,
	[OP_USER_SIGN_OUT] = apply_user_sign_out,
	[OP_USER_RESET] = apply_user_reset,
	[OP_RESET] = apply_reset,
	[OP_PASSKEY_NEW] = apply_passkey_new,
	[OP_PASSKEY_END] = apply_passkey_end,
	[OP_PASSKEY_ENTER] = apply_passkey_enter,
	[OP_BLOCK] = apply_block,
	[OP_REPORT] = apply_report,
	[OP_REPORT_CLOSE] = apply_report_close,
	[OP_RESET_MAIL] = apply_reset_mail,
	[OP_LEAVE_TEAM] = apply_leave_team,
	[OP_TEAM_SET] = apply_team_set,
	[OP_OIDC_ENTER] = apply_oidc_enter,
	[OP_OIDC_UNLINK] = apply_oidc_unlink,
};

int account_audit(struct writer *w, const struct store_op *op, int64_t actor, const char *act,
		  struct span object)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_AUDIT);

	db_bind_int(s, 1, clock_wall_ms());
	db_bind_int(s, 2, actor);
	db_bind_text(s, 3, span_of(act));
	db_bind_text(s, 4, object.p != NULL ? object : SPAN(""));
	db_bind_text(s, 5, span_of(op->account->address));
	return db_run(s);
}

void account_make_token(const struct writer *w, struct store_op *op,
			unsigned char hash[SECRET_TOKEN_HASH_BYTES])
{
	op->token = mem_alloc(SECRET_TOKEN_SIZE);
	secret_make_token(op->token);
	secret_hash_token(hash, w->hash_key, span_of(op->token));
}

int account_make_session(struct writer *w, struct store_op *op)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	int64_t now = clock_wall_ms();
	sqlite3_stmt *s = db_stmt(&w->db, W_SESSIONS_EXPIRE);

	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, now - SESSION_IDLE_MS);
	db_bind_int(s, 3, now - SESSION_MAX_MS);
	int err = db_run(s);
	if (err != 0)
		return err;
	account_make_token(w, op, hash);
	s = db_stmt(&w->db, W_SESSION_NEW);
	db_bind_blob(s, 1, hash_span(hash));
	db_bind_int(s, 2, op->user);
	db_bind_int(s, 3, now);
	db_bind_text(s, 4, span_of(op->account->agent));
	db_bind_text(s, 5, span_of(op->account->address));
	return db_run(s);
}

int account_make_user(struct writer *w, struct store_op *op)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_NEW);

	db_bind_text(s, 1, op->req->name);
	db_bind_text(s, 2, op->req->name_key);
	db_bind_blob(s, 3, (struct span){0});
	db_bind_int(s, 4, clock_wall_ms());
	int err = db_run(s);
	if (err != 0)
		return err;
	op->user = sqlite3_last_insert_rowid(w->db.h);
	op->name = mem_dup(op->req->name.p, op->req->name.len);
	w->batch_user = op->user;
	return 0;
}

int account_make(struct writer *w, const struct store_op *op, enum team_role role)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_NEW);
	struct span password = {0};

	if (op->account->password != NULL)
		password = span_of(op->account->password);
	db_bind_int(s, 1, op->user);
	db_bind_text(s, 2, op->req->login);
	db_bind_text(s, 3, op->req->login_key);
	db_bind_text(s, 4, password);
	db_bind_int(s, 5, role);
	db_bind_int(s, 6, clock_wall_ms());
	return db_run(s);
}

int account_end_sessions(struct writer *w, int64_t user, int64_t except)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_SESSIONS_DROP);

	db_bind_int(s, 1, user);
	db_bind_int(s, 2, except);
	return db_run(s);
}

int account_find(struct writer *w, int64_t user, enum team_role *role, bool *is_disabled)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT);

	db_bind_int(s, 1, user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	*is_disabled = sqlite3_column_int64(s, 0) != 0;
	*role = (enum team_role)sqlite3_column_int64(s, 2);
	sqlite3_reset(s);
	return 1;
}

int account_has_other_owner(struct writer *w, int64_t user)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_OTHER_OWNERS);

	db_bind_int(s, 1, user);
	db_bind_int(s, 2, ROLE_OWNER);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

int account_login_taken(struct writer *w, const struct store_op *op)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_BY_LOGIN);

	db_bind_text(s, 1, op->req->login_key);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

int account_find_link(struct writer *w, const struct store_op *op, enum link_kind kind,
		      struct link *out)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s = db_stmt(&w->db, W_LINK);

	secret_hash_token(hash, w->hash_key, op->req->token);
	db_bind_blob(s, 1, hash_span(hash));
	db_bind_int(s, 2, kind);
	db_bind_int(s, 3, clock_wall_ms());
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	*out = (struct link){
		.id = sqlite3_column_int64(s, 0),
		.role = (enum team_role)sqlite3_column_int64(s, 1),
		.room = sqlite3_column_int64(s, 2),
		.user = sqlite3_column_int64(s, 3),
	};
	sqlite3_reset(s);
	return 1;
}

/* 1: @actor is set; 0: nobody; or negative. */
static int authenticate(struct writer *w, const struct store_op *op, struct actor *actor)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	int64_t now = clock_wall_ms();

	if (op->account->is_shell) {
		*actor = (struct actor){.role = ROLE_OWNER};
		return api_permits_shell(op->req->op);
	}
	if (op->account->credential == NULL)
		return 0;
	secret_hash_token(hash, w->hash_key, span_of(op->account->credential));
	sqlite3_stmt *s = db_stmt(&w->db, W_SESSION);
	db_bind_blob(s, 1, hash_span(hash));
	db_bind_int(s, 2, now - SESSION_IDLE_MS);
	db_bind_int(s, 3, now - SESSION_MAX_MS);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	actor->session = sqlite3_column_int64(s, 0);
	actor->user = sqlite3_column_int64(s, 1);
	actor->role = (enum team_role)sqlite3_column_int64(s, 2);
	sqlite3_reset(s);
	return 1;
}

int op_apply_sign_out(struct writer *w, struct store_op *op)
{
	struct actor actor;
	int rc = authenticate(w, op, &actor);

	if (rc <= 0)
		return rc;
	op->account->cut = (struct store_cut){.user = actor.user, .session = actor.session};
	sqlite3_stmt *s = db_stmt(&w->db, W_SESSION_DROP);
	db_bind_int(s, 1, actor.user);
	db_bind_int(s, 2, actor.session);
	return db_run(s);
}

int op_apply_account(struct writer *w, struct store_op *op)
{
	struct actor actor = {0};
	enum op asked = op->req->op;

	if (!api_is_for_anyone(asked)) {
		int rc = authenticate(w, op, &actor);

		if (rc < 0)
			return rc;
		if (rc == 0)
			return op_refuse(op, PROTO_E_UNAUTHORIZED, "You are not signed in.");
		if (!api_permits(asked, actor.role))
			return op_refuse(op, PROTO_E_FORBIDDEN, "Your role does not allow this.");
	}
	if (asked == OP_OIDC_ENTER) {
		int rc = authenticate(w, op, &actor);

		if (rc < 0)
			return rc;
	}
	return appliers[asked](w, op, &actor);
}
