/*
 * Whoever deletes their account, and the team's settings, which say what becomes of their messages.
 *
 * What lets them in goes at once, and their name; their rooms and, where it is so set, their
 * messages follow a little at a time (op_upkeep.c), also when the server ends meanwhile.
 */
#include "hubbub/api.h"
#include "hubbub/mem.h"
#include "store/account.h"
#include <stdio.h>

static const char nobody[] = "Deleted account";

/* Whether the op shows the password, where there is one.  1, 0 or negative. */
static int is_sure(struct writer *w, const struct store_op *op, int64_t user)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT);

	db_bind_int(s, 1, user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	struct span password = db_column(s, 3);
	bool is_same = password.p == NULL
			       ? true
			       : op->account->checked != NULL &&
					 span_equal(password, span_of(op->account->checked));
	sqlite3_reset(s);
	return is_same;
}

static int removes_messages(struct writer *w, bool *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_TEAM_SETTINGS);
	int rc = db_step(s);

	*out = rc > 0 && span_equal(db_column(s, 0), SPAN("remove"));
	if (rc > 0)
		sqlite3_reset(s);
	return rc < 0 ? rc : 0;
}

static int drop_rows(struct writer *w, int64_t user)
{
	static const unsigned stmts[] = {W_ACCOUNT_DROP, W_IDENTITY_DROP, W_RECOVERY_CLEAR,
					 W_LINKS_DROP,   W_LINKS_OF,      W_PASSKEYS_CLEAR,
					 W_BLOCKS_CLEAR, W_MENTIONS_OF};
	int err = account_end_sessions(w, user, 0);

	for (size_t i = 0; err == 0 && i < sizeof(stmts) / sizeof(stmts[0]); i++) {
		sqlite3_stmt *s = db_stmt(&w->db, stmts[i]);

		db_bind_int(s, 1, user);
		err = db_run(s);
	}
	return err;
}

static int take_name(struct writer *w, struct store_op *op, int64_t user)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_LEAVE);

	db_bind_int(s, 1, user);
	db_bind_text(s, 2, span_of(nobody));
	writer_forget_name(w, user);
	op->user = user;
	op->name = mem_strdup(nobody);
	op->renamed = true;
	return db_run(s);
}

int apply_leave_team(struct writer *w, struct store_op *op, const struct actor *actor)
{
	bool removes = false;
	int rc = is_sure(w, op, actor->user);

	if (rc == 0)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "This is not your password.");
	if (rc > 0 && actor->role == ROLE_OWNER)
		rc = account_has_other_owner(w, actor->user);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_FORBIDDEN,
				 "A team keeps an owner: make somebody else one first.");
	int err = removes_messages(w, &removes);
	if (err == 0)
		err = account_audit(w, op, actor->user, "account-delete", (struct span){0});
	if (err == 0)
		err = drop_rows(w, actor->user);
	if (err == 0)
		err = take_name(w, op, actor->user);
	if (err != 0)
		return err;
	op->account->cut = (struct store_cut){.user = actor->user};
	op_want_upkeep(w);
	sqlite3_stmt *s = db_stmt(&w->db, W_LEAVER_NEW);
	db_bind_int(s, 1, actor->user);
	db_bind_int(s, 2, removes);
	return db_run(s);
}

static int set(struct writer *w, const char *name, struct span value)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_TEAM_SETTING);

	db_bind_text(s, 1, span_of(name));
	db_bind_text(s, 2, value);
	return db_run(s);
}

int apply_team_set(struct writer *w, struct store_op *op, const struct actor *actor)
{
	const struct request *req = op->req;
	char days[24] = "", what[160];
	int err = 0;

	if (req->team.p != NULL) {
		sqlite3_stmt *s = db_stmt(&w->db, W_TEAM_SET);

		db_bind_blob(s, 1, req->team);
		err = db_run(s);
	}
	if (req->keep != 0)
		snprintf(days, sizeof(days), "%llu", (unsigned long long)req->keep - 1);
	if (err == 0 && req->keep != 0)
		err = set(w, "keep_days", span_of(days));
	op_want_upkeep(w);
	if (err == 0 && req->has_on)
		err = set(w, "leavers", req->on ? SPAN("remove") : SPAN("keep"));
	snprintf(what, sizeof(what), "%s%.*s%s%s%s", req->team.p != NULL ? "name " : "",
		 (int)req->team.len, req->team.p != NULL ? req->team.p : "",
		 req->keep != 0 ? " days " : "", days,
		 !req->has_on ? ""
		 : req->on    ? " leavers remove"
			      : " leavers keep");
	return err != 0 ? err : account_audit(w, op, actor->user, "team", span_of(what));
}
