/*
 * Reads about accounts: who signs in, and whose session a token is.
 */
#include "hubbub/api.h"
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/account.h"
#include "store/reader.h"
#include "store/secret.h"
#include <errno.h>

/* A use is noted once an hour at most. */
enum {
	STALE_MS = 60 * 60 * 1000
};

int read_actor(struct reader *rd, struct store_read *r)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s = db_stmt(&rd->db, R_SESSION);
	int64_t now = clock_wall_ms();

	if (r->is_shell && api_permits_shell(r->req->op)) {
		r->account = mem_zalloc(sizeof(*r->account));
		r->account->role = ROLE_OWNER;
		return 0;
	}

	secret_hash_token(hash, rd->st->hash_key, span_of(r->token != NULL ? r->token : ""));
	db_bind_blob(s, 1, (struct span){.p = (const char *)hash, .len = sizeof(hash)});
	db_bind_int(s, 2, now - SESSION_IDLE_MS);
	db_bind_int(s, 3, now - SESSION_MAX_MS);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		r->err = PROTO_E_UNAUTHORIZED;
		r->why = "You are not signed in.";
		return 0;
	}
	r->user = sqlite3_column_int64(s, 0);
	if (!db_column_dup(s, 1, &r->name)) {
		sqlite3_reset(s);
		return -EUCLEAN;
	}
	r->stale = now - sqlite3_column_int64(s, 2) > STALE_MS;
	r->session = sqlite3_column_int64(s, 3);
	r->account = mem_zalloc(sizeof(*r->account));
	int64_t role = sqlite3_column_int64(s, 4);
	sqlite3_reset(s);
	if (role < 0 || role >= N_TEAM_ROLES)
		return -EUCLEAN;
	r->account->role = (enum team_role)role;
	return 0;
}

int read_session(struct reader *rd, struct store_read *r)
{
	int err = read_actor(rd, r);

	return err != 0 || r->err != PROTO_OK ? err : read_belong(rd, r);
}

int read_account(struct reader *rd, struct store_read *r)
{
	bool by_login = r->req->op == OP_SIGN_IN;
	sqlite3_stmt *s;

	if (!by_login) {
		int err = read_actor(rd, r);

		if (err != 0 || r->err != PROTO_OK)
			return err;
		store_account_free(r->account);
		r->account = NULL;
	}
	s = db_stmt(&rd->db, by_login ? R_ACCOUNT : R_ACCOUNT_OF);
	if (by_login)
		db_bind_text(s, 1, r->req->login_key);
	else
		db_bind_int(s, 1, r->user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	struct span totp = db_column(s, 4);
	struct store_account *a = mem_zalloc(sizeof(*a));

	r->account = a;
	r->user = sqlite3_column_int64(s, 0);
	if (!db_column_dup_or_null(s, 1, &a->password)) {
		sqlite3_reset(s);
		return -EUCLEAN;
	}
	a->role = (enum team_role)sqlite3_column_int64(s, 2);
	a->is_disabled = sqlite3_column_int64(s, 3) != 0;
	a->has_totp = totp.len == sizeof(a->totp);
	if (a->has_totp)
		memcpy(a->totp, totp.p, sizeof(a->totp));
	a->totp_step = (uint64_t)sqlite3_column_int64(s, 5);
	sqlite3_reset(s);
	return 0;
}

int read_passkey(struct reader *rd, struct store_read *r)
{
	struct webauthn_key *key = mem_zalloc(sizeof(*key));
	sqlite3_stmt *s = db_stmt(&rd->db, R_PASSKEY);
	int rc = 0;

	r->account = mem_zalloc(sizeof(*r->account));
	r->account->passkey = key;
	if (webauthn_decode(r->req->credential, key->id, sizeof(key->id), &key->id_len)) {
		db_bind_blob(s, 1, (struct span){.p = (const char *)key->id, .len = key->id_len});
		rc = db_step(s);
	}
	if (rc > 0) {
		struct span public_key = db_column(s, 2);

		r->user = sqlite3_column_int64(s, 0);
		key->cose = (int)sqlite3_column_int64(s, 1);
		key->count = (uint32_t)sqlite3_column_int64(s, 3);
		key->key_len = public_key.len <= sizeof(key->key) ? public_key.len : 0;
		memcpy(key->key, public_key.p, key->key_len);
		sqlite3_reset(s);
	} else {
		store_account_free(r->account);
		r->account = NULL;
	}
	return rc < 0 ? rc : 0;
}

int read_team(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_TEAM);
	int rc = db_step(s);

	if (rc <= 0)
		return rc;
	bool is_good = db_column_dup(s, 0, &r->name);

	sqlite3_reset(s);
	return is_good ? 0 : -EUCLEAN;
}
