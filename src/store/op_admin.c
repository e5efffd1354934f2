/*
 * What admins do: invitations, roles, shutting people out, links for new passwords.
 */
#include "hubbub/api.h"
#include "hubbub/clock.h"
#include "store/account.h"

#define RESET_AGAIN_MS (INT64_C(5) * 60 * 1000)
#define RESET_MS (INT64_C(24) * 60 * 60 * 1000)

static const char not_yours[] = "Your role does not allow this.";

static int make_link(struct writer *w, struct store_op *op, enum link_kind kind,
		     const struct link *link, int64_t made_by, int64_t lives_ms, unsigned uses)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	int64_t now = clock_wall_ms(), expires = now + lives_ms;
	sqlite3_stmt *s = db_stmt(&w->db, W_LINK_NEW);

	account_make_token(w, op, hash);
	db_bind_blob(s, 1, hash_span(hash));
	db_bind_int(s, 2, kind);
	db_bind_int(s, 3, link->role);
	if (link->room != 0)
		db_bind_int(s, 4, link->room);
	if (link->user != 0)
		db_bind_int(s, 5, link->user);
	db_bind_int(s, 6, made_by);
	db_bind_int(s, 7, now);
	db_bind_int(s, 8, expires);
	db_bind_int(s, 9, uses);
	int err = db_run(s);
	if (err == 0) {
		buf_printf(&op->scratch, "{\"id\":%lld,\"token\":\"%s\",\"expires\":%lld}",
			   (long long)sqlite3_last_insert_rowid(w->db.h), op->token,
			   (long long)expires);
	}
	return err;
}

/*
 * 1: *@out is the room that the request names, 0 where it names none; 0: there is no such room, or
 * none into which the actor may invite.
 */
static int find_room(struct writer *w, const struct request *req, const struct actor *actor,
		     int64_t *out)
{
	struct writer_room *room;
	enum room_role standing;

	*out = 0;
	if (req->rid.p == NULL && req->room.p == NULL)
		return 1;
	int rc = op_find_room(w, req, out);
	if (rc > 0)
		rc = writer_find_room(w, *out, &room);
	if (rc <= 0)
		return rc;
	if (room->kind == ROOM_DIRECT)
		return 0;
	if (room->kind != ROOM_PRIVATE)
		return 1;
	rc = op_find_standing(w, actor->user, room, &standing);
	return rc < 0 ? rc : standing != ROOM_ROLE_NONE;
}

int apply_invite_new(struct writer *w, struct store_op *op, const struct actor *actor)
{
	const struct request *req = op->req;
	struct link link = {.role = req->role};

	/* Nobody hands out more than they have; a second owner is made by the first. */
	if (req->role >= actor->role && actor->role != ROLE_OWNER)
		return op_refuse(op, PROTO_E_FORBIDDEN, not_yours);
	int rc = find_room(w, req, actor, &link.room);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	if (req->role == ROLE_GUEST && link.room == 0)
		return op_refuse(op, PROTO_E_BAD_REQUEST, "A guest is invited into a room.");
	int err = make_link(w, op, LINK_INVITE, &link, actor->user, (int64_t)req->expires_ms,
			    req->uses);
	if (err == 0)
		err = account_audit(w, op, actor->user, "invite",
				    span_of(team_role_name(req->role)));
	return err;
}

/* A team that was never set up in a browser gets a name that can be read. */
static int name_team(struct writer *w)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_TEAM);
	int rc = db_step(s);

	if (rc != 0) {
		sqlite3_reset(s);
		return rc < 0 ? rc : 0;
	}
	s = db_stmt(&w->db, W_TEAM_SET);
	db_bind_blob(s, 1, SPAN("Hubbub"));
	return db_run(s);
}

int apply_user_new(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct link link = {.role = op->req->role};

	if (op->req->name.p == NULL || op->req->login.p == NULL)
		return op_refuse(op, PROTO_E_BAD_REQUEST, "A name and a login are wanted.");
	if (op->req->role >= actor->role && actor->role != ROLE_OWNER)
		return op_refuse(op, PROTO_E_FORBIDDEN, not_yours);
	int rc = account_login_taken(w, op);
	if (rc < 0)
		return rc;
	if (rc > 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN, "Somebody else has this login.");
	rc = account_has_other_owner(w, 0);
	if (rc < 0)
		return rc;
	if (rc == 0 && op->req->role != ROLE_OWNER)
		return op_refuse(op, PROTO_E_FORBIDDEN, "The first account is the owner's.");
	rc = op_claim_name(w, op->req->name, op->req->name_key, 0, clock_wall_ms());
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN,
				 "Somebody else has this name, or one that looks like it.");
	int err = name_team(w);
	if (err == 0)
		err = account_make_user(w, op);
	if (err == 0)
		err = account_make(w, op, op->req->role);
	link.user = op->user;
	if (err == 0)
		err = make_link(w, op, LINK_RESET, &link, actor->user, RESET_MS, 1);
	return err != 0 ? err : account_audit(w, op, actor->user, "add", op->req->name);
}

int apply_invite_end(struct writer *w, struct store_op *op, const struct actor *actor)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_LINK_DROP);

	db_bind_int(s, 1, (int64_t)op->req->target);
	int err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such invitation.");
	return account_audit(w, op, actor->user, "invite-end", (struct span){0});
}

/* Whether @actor may act on the account req->target.  1; 0: refused; or negative. */
static int find_target(struct writer *w, struct store_op *op, const struct actor *actor,
		       enum team_role *role)
{
	bool is_disabled;
	int rc = account_find(w, (int64_t)op->req->target, role, &is_disabled);

	if (rc == 0) {
		op_refuse(op, PROTO_E_NOT_FOUND, "There is no such account.");
	} else if (rc > 0 && !api_may_act_on(actor->role, *role)) {
		op_refuse(op, PROTO_E_FORBIDDEN, not_yours);
		rc = 0;
	}
	return rc;
}

/* An audit line that names the account acted on. */
static int note(struct writer *w, const struct store_op *op, const struct actor *actor,
		const char *act)
{
	const char *name;
	int err = writer_find_name(w, (int64_t)op->req->target, &name);

	return err != 0 ? err
			: account_audit(w, op, actor->user, act, span_of(name != NULL ? name : ""));
}

int apply_user_role(struct writer *w, struct store_op *op, const struct actor *actor)
{
	int64_t user = (int64_t)op->req->target;
	enum team_role was;
	int rc = find_target(w, op, actor, &was);

	if (rc <= 0)
		return rc;
	if (op->req->role >= actor->role && actor->role != ROLE_OWNER)
		return op_refuse(op, PROTO_E_FORBIDDEN, not_yours);
	rc = was == ROLE_OWNER && op->req->role != ROLE_OWNER ? account_has_other_owner(w, user)
							      : 1;
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_FORBIDDEN, "A team keeps an owner.");
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_ROLE);
	db_bind_int(s, 1, user);
	db_bind_int(s, 2, op->req->role);
	int err = db_run(s);
	op->account->role = op->req->role;
	op->account->role_of = user;
	return err != 0 ? err : note(w, op, actor, team_role_name(op->req->role));
}

int apply_user_disabled(struct writer *w, struct store_op *op, const struct actor *actor)
{
	int64_t user = (int64_t)op->req->target;
	enum team_role role;
	int rc = find_target(w, op, actor, &role);

	if (rc <= 0)
		return rc;
	if (user == actor->user)
		return op_refuse(op, PROTO_E_FORBIDDEN, "Nobody shuts themselves out.");
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_DISABLE);
	db_bind_int(s, 1, user);
	db_bind_int(s, 2, op->req->on);
	int err = db_run(s);
	if (err == 0 && op->req->on) {
		op->account->cut = (struct store_cut){.user = user, .is_banned = true};
		err = account_end_sessions(w, user, 0);
	}
	return err != 0 ? err : note(w, op, actor, op->req->on ? "disable" : "enable");
}

int apply_user_sign_out(struct writer *w, struct store_op *op, const struct actor *actor)
{
	int64_t user = (int64_t)op->req->target;
	enum team_role role;
	int rc = find_target(w, op, actor, &role);

	if (rc <= 0)
		return rc;
	op->account->cut = (struct store_cut){.user = user};
	int err = account_end_sessions(w, user, 0);
	return err != 0 ? err : note(w, op, actor, "sign-out");
}

/* Whoever asks is nobody yet, and is told nothing; one link is made every few minutes. */
int apply_reset_mail(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct link link = {0};
	sqlite3_stmt *s = db_stmt(&w->db, W_ACCOUNT_TO_MAIL);

	(void)actor;
	db_bind_text(s, 1, op->req->login_key);
	db_bind_int(s, 2, clock_wall_ms() - RESET_AGAIN_MS);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	link.user = sqlite3_column_int64(s, 0);
	link.role = (enum team_role)sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	int err = make_link(w, op, LINK_RESET, &link, 0, RESET_MS, 1);
	return err != 0 ? err : account_audit(w, op, link.user, "reset-mail", (struct span){0});
}

int apply_user_reset(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct link link = {.user = (int64_t)op->req->target};
	int rc = find_target(w, op, actor, &link.role);

	if (rc <= 0)
		return rc;
	int err = make_link(w, op, LINK_RESET, &link, actor->user, RESET_MS, 1);
	return err != 0 ? err : note(w, op, actor, "reset-link");
}
