/*
 * Passkeys: what was checked of one before (auth/webauthn.c) is kept here, and lets in.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/account.h"

#define MAX_PASSKEYS 20

static struct span id_of(const struct webauthn_key *key)
{
	return (struct span){.p = (const char *)key->id, .len = key->id_len};
}

int apply_passkey_new(struct writer *w, struct store_op *op, const struct actor *actor)
{
	const struct webauthn_key *key = op->account->passkey;
	sqlite3_stmt *s = db_stmt(&w->db, W_PASSKEYS);

	if (actor->user != op->account->linked)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "You are not signed in.");
	db_bind_int(s, 1, actor->user);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	int64_t n = rc > 0 ? sqlite3_column_int64(s, 0) : 0;
	if (rc > 0)
		sqlite3_reset(s);
	if (n >= MAX_PASSKEYS)
		return op_refuse(op, PROTO_E_TOO_LARGE, "You have 20 passkeys already.");
	s = db_stmt(&w->db, W_PASSKEY_NEW);
	db_bind_int(s, 1, actor->user);
	db_bind_blob(s, 2, id_of(key));
	db_bind_int(s, 3, key->cose);
	db_bind_blob(s, 4, (struct span){.p = (const char *)key->key, .len = key->key_len});
	db_bind_int(s, 5, key->count);
	db_bind_text(s, 6, op->req->text.p != NULL ? op->req->text : SPAN("Passkey"));
	db_bind_int(s, 7, clock_wall_ms());
	int err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) == 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN, "This passkey is somebody's already.");
	return account_audit(w, op, actor->user, "passkey-add", (struct span){0});
}

int apply_passkey_end(struct writer *w, struct store_op *op, const struct actor *actor)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_PASSKEY_DROP);

	db_bind_int(s, 1, actor->user);
	db_bind_int(s, 2, (int64_t)op->req->target);
	int err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such passkey.");
	return account_audit(w, op, actor->user, "passkey-remove", (struct span){0});
}

/* Its signature was checked; since then it may have been taken away, or used. */
int apply_passkey_enter(struct writer *w, struct store_op *op, const struct actor *actor)
{
	const struct webauthn_key *key = op->account->passkey;
	enum team_role role;
	bool is_disabled = true;
	const char *name;
	sqlite3_stmt *s = db_stmt(&w->db, W_PASSKEY_USED);

	(void)actor;
	db_bind_blob(s, 1, id_of(key));
	db_bind_int(s, 2, op->user);
	db_bind_int(s, 3, key->count);
	db_bind_int(s, 4, clock_wall_ms());
	int err = db_run(s);
	if (err != 0)
		return err;
	int rc = sqlite3_changes(w->db.h) > 0 ? account_find(w, op->user, &role, &is_disabled) : 0;
	if (rc < 0)
		return rc;
	if (rc == 0 || is_disabled)
		return op_refuse(op, PROTO_E_UNAUTHORIZED, "This passkey did not let you in.");
	err = writer_find_name(w, op->user, &name);
	if (err != 0)
		return err;
	op->name = mem_strdup(name != NULL ? name : "");
	return account_make_session(w, op);
}
