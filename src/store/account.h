#pragma once
/* Private to store/: what the writer's files about accounts share. */
#include "hubbub/store.h"
#include "store/secret.h"
#include "store/writer.h"
#include <stdint.h>

/** A session ends so long after its last use, and so long after its beginning. */
#define SESSION_IDLE_MS (INT64_C(30) * 24 * 60 * 60 * 1000)
#define SESSION_MAX_MS (INT64_C(180) * 24 * 60 * 60 * 1000)

/** Who asks, as of the transaction under way. */
struct actor {
	int64_t session, user;
	enum team_role role;
};

enum link_kind {
	LINK_INVITE = 1,
	LINK_RESET = 2,
};

struct link {
	int64_t id, room, user; /* 0: none */
	enum team_role role;
};

/* op_account.c.  0 or negative where nothing else is said. */
int account_audit(struct writer *w, const struct store_op *op, int64_t actor, const char *act,
		  struct span object);
/** A session of op->user on the device; op->token is what it will show. */
int account_make_session(struct writer *w, struct store_op *op);
/** A user called op->req->name, which was claimed: op->user and op->name. */
int account_make_user(struct writer *w, struct store_op *op);
/** An account of op->user by op->req->login and account->password, or without either. */
int account_make(struct writer *w, const struct store_op *op, enum team_role role);
int account_end_sessions(struct writer *w, int64_t user, int64_t except);
/** Whether the password that was given is still @user's, of whom the statement's row is then; for
 * sqlite3_reset().  1, 0 or negative. */
int account_check_again(struct writer *w, const struct store_op *op, int64_t user,
			sqlite3_stmt **out);
/** Take the invitation @link: op->user, op->name, and a session, for whoever has proved who they
 * are, and whose name is free. */
int account_accept(struct writer *w, struct store_op *op, const struct link *link);
/** The link that op->req->token opens.  1, 0: none that works, or negative. */
int account_find_link(struct writer *w, const struct store_op *op, enum link_kind kind,
		      struct link *out);
/** Whether the account exists; its role and whether it is disabled.  1, 0 or negative. */
int account_find(struct writer *w, int64_t user, enum team_role *role, bool *is_disabled);
/** Whether there is an owner besides @user: a team without one could not be administered.  1, 0 or
 * negative. */
int account_has_other_owner(struct writer *w, int64_t user);
/** Whether anybody has op->req->login.  1, 0 or negative. */
int account_login_taken(struct writer *w, const struct store_op *op);
/** Have a token made in op->token, as it will be shown, and its hash. */
void account_make_token(const struct writer *w, struct store_op *op,
			unsigned char hash[SECRET_TOKEN_HASH_BYTES]);

static inline struct span hash_span(const unsigned char hash[SECRET_TOKEN_HASH_BYTES])
{
	return (struct span){.p = (const char *)hash, .len = SECRET_TOKEN_HASH_BYTES};
}

/*
 * One op of an actor whose role suffices.  0: decided, with results or a refusal that wrote
 * nothing; negative: the database failed.
 */
typedef int account_applier(struct writer *w, struct store_op *op, const struct actor *actor);

account_applier apply_set_name, apply_set_password, apply_totp_begin, apply_totp_confirm,
	apply_totp_end, apply_session_end, apply_sessions_end; /* op_self.c */
account_applier apply_invite_new, apply_user_new, apply_invite_end, apply_user_role,
	apply_user_disabled, apply_user_reset, apply_reset_mail,
	apply_user_sign_out;                                               /* op_admin.c */
account_applier apply_passkey_new, apply_passkey_end, apply_passkey_enter; /* op_passkey.c */
account_applier apply_block, apply_report, apply_report_close;             /* op_block.c */
account_applier apply_leave_team, apply_team_set;                          /* op_leave.c */
account_applier apply_invite_accept, apply_reset;    /* op_sign.c: of nobody yet */
account_applier apply_oidc_enter, apply_oidc_unlink; /* op_identity.c */
