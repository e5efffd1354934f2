/*
 * Ways in: the first account, a password, an invitation, a link to choose a new password.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/account.h"

static const char name_taken[] = "Somebody else has this name, or one that looks like it.";

/* 1: the name is free, and was made so; 0: refused; or negative. */
static int claim_name(struct writer *w, struct store_op *op)
{
	int rc = op_claim_name(w, op->req->name, op->req->name_key, 0, clock_wall_ms());

	if (rc == 0)
		op_refuse(op, PROTO_E_NAME_TAKEN, name_taken);
	return rc;
}

int op_apply_setup(struct writer *w, struct store_op *op)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNTS);
	int rc = db_step(s);

	if (rc < 0)
		return rc;
	if (rc > 0) {
		sqlite3_reset(s);
		return op_refuse(op, PROTO_E_FORBIDDEN, "This team was set up already.");
	}
	rc = claim_name(w, op);
	if (rc <= 0)
		return rc;
	s = db_stmt(&w->db, W_TEAM_SET);
	db_bind_blob(s, 1, op->req->team);
	int err = db_run(s);
	if (err == 0)
		err = account_make_user(w, op);
	if (err == 0)
		err = account_make(w, op, ROLE_OWNER);
	if (err == 0)
		err = account_make_session(w, op);
	if (err == 0)
		err = account_audit(w, op, op->user, "setup", op->req->team);
	return err;
}

/* Take the recovery code away.  1: it was one; 0: it was none; or negative. */
static int use_recovery_code(struct writer *w, const struct store_op *op)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s = db_stmt(&w->db, W_RECOVERY_USE);

	secret_hash_token(hash, w->hash_key, op->req->code);
	db_bind_int(s, 1, op->user);
	db_bind_blob(s, 2, hash_span(hash));
	int err = db_run(s);
	return err != 0 ? err : sqlite3_changes(w->db.h);
}

/* What was read before the password was checked may have changed meanwhile.  1, 0 or negative. */
static int may_sign_in(struct writer *w, const struct store_op *op)
{
	const struct store_account *a = op->account;
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT);

	db_bind_int(s, 1, op->user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	bool may = sqlite3_column_int64(s, 0) == 0 &&
		   (!a->has_totp || a->by_recovery ||
		    a->totp_step > (uint64_t)sqlite3_column_int64(s, 1)) &&
		   span_equal(db_column(s, 3), span_of(a->checked));
	sqlite3_reset(s);
	return may && a->by_recovery ? use_recovery_code(w, op) : may;
}

static int set_password(struct writer *w, int64_t user, const char *hash)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_PASSWORD);

	db_bind_int(s, 1, user);
	db_bind_text(s, 2, span_of(hash));
	return db_run(s);
}

int op_apply_sign_in(struct writer *w, struct store_op *op)
{
	struct store_account *a = op->account;
	int rc = may_sign_in(w, op);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "This did not let you in.");
	const char *name;
	int err = writer_find_name(w, op->user, &name);
	if (err == 0)
		op->name = mem_strdup(name != NULL ? name : "");
	if (err == 0 && a->has_totp && !a->by_recovery) {
		sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_TOTP_STEP);

		db_bind_int(s, 1, op->user);
		db_bind_int(s, 2, (int64_t)a->totp_step);
		err = db_run(s);
	}
	if (err == 0 && a->password != NULL)
		err = set_password(w, op->user, a->password);
	if (err == 0 && a->by_recovery)
		err = account_audit(w, op, op->user, "recovery-code", (struct span){0});
	return err == 0 ? account_make_session(w, op) : err;
}

static int use_link(struct writer *w, const struct link *link)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_LINK_USE);

	db_bind_int(s, 1, link->id);
	return db_run(s);
}

/* The room's people see who came. */
static int join_room(struct writer *w, struct store_op *op, int64_t id)
{
	struct writer_room *room;
	int rc = writer_find_room(w, id, &room);

	if (rc <= 0)
		return rc;
	rc = op_add_member(w, op->user, room, ROOM_ROLE_MEMBER);
	return rc != 0 ? rc : op_append_own(w, op, room, MEMBER_ADD, 0, NULL);
}

int account_accept(struct writer *w, struct store_op *op, const struct link *link)
{
	int err = use_link(w, link);

	if (err == 0)
		err = account_make_user(w, op);
	if (err == 0)
		err = account_make(w, op, link->role);
	if (err == 0 && link->room != 0)
		err = join_room(w, op, link->room);
	if (err == 0)
		err = account_make_session(w, op);
	if (err == 0)
		err = account_audit(w, op, op->user, "invite-accept", span_of(op->name));
	return err;
}

int apply_invite_accept(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct link link;
	int rc = account_find_link(w, op, LINK_INVITE, &link);

	(void)actor;
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND,
				 "This invitation does not work any longer.");
	bool has_login = op->req->login.p != NULL && op->account->password != NULL;
	if (!has_login && link.role != ROLE_GUEST)
		return op_refuse(op, PROTO_E_BAD_REQUEST, "A login and a password are wanted.");
	rc = has_login ? account_login_taken(w, op) : 0;
	if (rc < 0)
		return rc;
	if (rc > 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN, "Somebody else has this login.");
	rc = claim_name(w, op);
	return rc <= 0 ? rc : account_accept(w, op, &link);
}

int apply_reset(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct link link;
	enum team_role role;
	bool is_disabled;
	int rc = account_find_link(w, op, LINK_RESET, &link);

	(void)actor;
	if (rc > 0)
		rc = account_find(w, link.user, &role, &is_disabled);
	if (rc < 0)
		return rc;
	if (rc == 0 || is_disabled)
		return op_refuse(op, PROTO_E_NOT_FOUND, "This link does not work any longer.");
	const char *name;
	int err = writer_find_name(w, link.user, &name);
	if (err != 0)
		return err;
	op->user = link.user;
	op->name = mem_strdup(name != NULL ? name : "");
	op->account->cut = (struct store_cut){.user = op->user};
	sqlite3_stmt *s = db_stmt(&w->db, W_LINKS_DROP);
	db_bind_int(s, 1, op->user);
	err = db_run(s);
	if (err == 0)
		err = set_password(w, op->user, op->account->password);
	if (err == 0)
		err = account_end_sessions(w, op->user, 0);
	if (err == 0)
		err = account_make_session(w, op);
	if (err == 0)
		err = account_audit(w, op, op->user, "password-reset", (struct span){0});
	return err;
}
