/*
 * Whom an identity provider vouches for.
 *
 * An account is found by issuer and subject alone.  Nothing else that a provider says makes it
 * somebody's: an e-mail address or a name may be given to another there, or be made up.  So who has
 * an account already links it while signed in, and who has none needs an invitation, or a team
 * whose setting lets in everybody whom the provider knows.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "hubbub/names.h"
#include "store/account.h"

#define MAX_NAMESAKES 100

/* *@user: 0 where nobody is it. */
static int find_identity(struct writer *w, const struct store_account *a, int64_t *user)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_IDENTITY);

	db_bind_text(s, 1, span_of(a->issuer));
	db_bind_text(s, 2, span_of(a->subject));
	int rc = db_step(s);
	*user = rc > 0 ? sqlite3_column_int64(s, 0) : 0;
	if (rc > 0)
		sqlite3_reset(s);
	return rc < 0 ? rc : 0;
}

static int add_identity(struct writer *w, const struct store_op *op, int64_t user)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_IDENTITY_NEW);

	db_bind_text(s, 1, span_of(op->account->issuer));
	db_bind_text(s, 2, span_of(op->account->subject));
	db_bind_int(s, 3, user);
	db_bind_int(s, 4, clock_wall_ms());
	return db_run(s);
}

/* The name that the provider says, or with a number where somebody has it.  1, 0 or negative. */
static int claim_free_name(struct writer *w, struct store_op *op)
{
	struct store_account *a = op->account;
	struct request *req = op->req;
	struct buf wish = {0}, name = {0}, key = {0};
	int rc = 0;

	for (int i = 1; rc == 0 && i <= MAX_NAMESAKES; i++) {
		wish.len = name.len = key.len = 0;
		buf_append_span(&wish, req->name);
		if (i > 1)
			buf_printf(&wish, " %d", i);
		rc = name_clean_user(buf_span(&wish), &name, &key)
			     ? op_claim_name(w, buf_span(&name), buf_span(&key), 0, clock_wall_ms())
			     : 0;
	}
	if (rc > 0) {
		a->free_name = mem_dup(name.p, name.len);
		a->free_name_key = mem_dup(key.p, key.len);
		req->name = span_of(a->free_name);
		req->name_key = (struct span){.p = a->free_name_key, .len = key.len};
	} else if (rc == 0) {
		op_refuse(op, PROTO_E_NAME_TAKEN,
			  "Somebody else has this name, or one that looks like it.");
	}
	buf_deinit(&wish);
	buf_deinit(&name);
	buf_deinit(&key);
	return rc;
}

static int sign_in(struct writer *w, struct store_op *op, int64_t user)
{
	enum team_role role;
	bool is_disabled = true;
	const char *name;
	int rc = account_find(w, user, &role, &is_disabled);

	if (rc < 0)
		return rc;
	if (rc == 0 || is_disabled)
		return op_refuse(op, PROTO_E_FORBIDDEN, "This account was disabled.");
	rc = writer_find_name(w, user, &name);
	if (rc < 0)
		return rc;
	op->user = user;
	op->name = mem_strdup(name != NULL ? name : "");
	return account_make_session(w, op);
}

/* By who was signed in when it began, and is so still. */
static int link_to(struct writer *w, struct store_op *op, const struct actor *actor, int64_t user)
{
	if (actor->user == 0 || actor->user != op->account->linked)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "You are not signed in.");
	if (user == actor->user)
		return 0;
	if (user != 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN, "That sign-in is somebody else's.");
	sqlite3_stmt *s = db_stmt(&w->db, W_IDENTITY_OF);

	db_bind_int(s, 1, actor->user);
	db_bind_text(s, 2, span_of(op->account->issuer));
	int rc = db_step(s);
	if (rc > 0) {
		sqlite3_reset(s);
		return op_refuse(op, PROTO_E_NAME_TAKEN, "You are linked already.");
	}
	if (rc == 0)
		rc = add_identity(w, op, actor->user);
	return rc != 0 ? rc
		       : account_audit(w, op, actor->user, "sso-link",
				       span_of(op->account->issuer));
}

static int accept_invite(struct writer *w, struct store_op *op)
{
	struct link link;
	int rc = account_find_link(w, op, LINK_INVITE, &link);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND,
				 "This invitation does not work any longer.");
	rc = claim_free_name(w, op);
	if (rc <= 0)
		return rc;
	int err = account_accept(w, op, &link);
	return err != 0 ? err : add_identity(w, op, op->user);
}

static int become_member(struct writer *w, struct store_op *op)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNTS);
	int rc = db_step(s);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_FORBIDDEN, "This team was not set up yet.");
	sqlite3_reset(s);
	if (!op->account->makes_member)
		return op_refuse(op, PROTO_E_NOT_FOUND, "Nobody here is known by this sign-in.");
	rc = claim_free_name(w, op);
	if (rc <= 0)
		return rc;
	int err = account_make_user(w, op);
	if (err == 0)
		err = account_make(w, op, ROLE_MEMBER);
	if (err == 0)
		err = add_identity(w, op, op->user);
	if (err == 0)
		err = account_make_session(w, op);
	if (err == 0)
		err = account_audit(w, op, op->user, "sso-join", span_of(op->name));
	return err;
}

int apply_oidc_enter(struct writer *w, struct store_op *op, const struct actor *actor)
{
	int64_t user;
	int err = find_identity(w, op->account, &user);

	if (err != 0)
		return err;
	if (op->account->linked != 0)
		return link_to(w, op, actor, user);
	if (user != 0)
		return sign_in(w, op, user);
	return op->req->token.p != NULL ? accept_invite(w, op) : become_member(w, op);
}

/* Nobody locks themselves out: the password, which was checked, is a way in. */
int apply_oidc_unlink(struct writer *w, struct store_op *op, const struct actor *actor)
{
	sqlite3_stmt *s;
	int rc = account_check_again(w, op, actor->user, &s);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "This is not your password.");
	sqlite3_reset(s);
	s = db_stmt(&w->db, W_IDENTITY_DROP);
	db_bind_int(s, 1, actor->user);
	int err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "You are not linked.");
	return account_audit(w, op, actor->user, "sso-unlink", (struct span){0});
}
