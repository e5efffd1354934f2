/*
 * Lists that the HTTP API gives, as JSON: out of the snapshot that also says who asks.
 */
#include "hubbub/api.h"
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/account.h"
#include "store/reader.h"
#include "store/team_json.h"
#include <errno.h>

#define MAX_AUDIT 200

static bool encode_session(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	json_append_int(b, "{\"id\":", s, 0);
	json_append_int(b, ",\"created\":", s, 1);
	json_append_int(b, ",\"used\":", s, 2);
	if (!json_append_text(b, ",\"agent\":", s, 3) ||
	    !json_append_text(b, ",\"address\":", s, 4))
		return false;
	buf_printf(b, ",\"current\":%s}",
		   sqlite3_column_int64(s, 0) == r->session ? "true" : "false");
	return true;
}

static bool encode_invite(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	json_append_int(b, "{\"id\":", s, 0);
	if (!json_append_user(b, ",\"by\":", s, 1))
		return false;
	json_append_role(b, ",\"role\":", s, 3);
	if (sqlite3_column_type(s, 4) != SQLITE_NULL && !json_append_text(b, ",\"room\":", s, 4))
		return false;
	json_append_int(b, ",\"created\":", s, 5);
	json_append_int(b, ",\"expires\":", s, 6);
	json_append_int(b, ",\"uses_left\":", s, 7);
	buf_append_char(b, '}');
	return true;
}

static bool encode_person(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	json_append_int(b, "{\"id\":\"u", s, 0);
	if (!json_append_text(b, "\",\"name\":", s, 1) || !json_append_text(b, ",\"login\":", s, 2))
		return false;
	json_append_role(b, ",\"role\":", s, 3);
	json_append_flag(b, ",\"disabled\":", s, 4);
	json_append_flag(b, ",\"totp\":", s, 5);
	json_append_int(b, ",\"created\":", s, 6);
	json_append_int(b, ",\"seen\":", s, 7);
	json_append_int(b, ",\"sessions\":", s, 8);
	buf_append_char(b, '}');
	return true;
}

static bool encode_act(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	json_append_int(b, "{\"id\":", s, 0);
	json_append_int(b, ",\"ts\":", s, 1);
	if (!json_append_user(b, ",\"actor\":", s, 2) || !json_append_text(b, ",\"act\":", s, 4) ||
	    !json_append_text(b, ",\"object\":", s, 5) ||
	    !json_append_text(b, ",\"address\":", s, 6))
		return false;
	buf_append_char(b, '}');
	return true;
}

static bool encode_blocked(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	return json_append_user(b, "", s, 0);
}

/* A room that is not listed has no title for admins, as everywhere. */
static bool encode_report(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	int64_t kind = sqlite3_column_int64(s, 7);

	(void)r;
	if (kind < 0 || kind >= N_ROOM_KINDS)
		return false;
	json_append_int(b, "{\"id\":", s, 0);
	json_append_int(b, ",\"ts\":", s, 1);
	bool is_good = json_append_user(b, ",\"by\":", s, 2) &&
		       json_append_user(b, ",\"author\":", s, 4) &&
		       json_append_text(b, ",\"room\":", s, 6);
	buf_printf(b, ",\"kind\":\"%s\"", room_kind_name((enum room_kind)kind));
	is_good = is_good && json_append_text(b, ",\"reason\":", s, 8) &&
		  json_append_text(b, ",\"text\":", s, 9);
	json_append_int(b, ",\"said\":", s, 10);
	buf_append_char(b, '}');
	return is_good;
}

static bool encode_room(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	int64_t kind = sqlite3_column_int64(s, 2);

	(void)r;
	if (kind < 0 || kind >= N_ROOM_KINDS || !json_append_text(b, "{\"room\":", s, 0) ||
	    !json_append_text(b, ",\"title\":", s, 1))
		return false;
	buf_printf(b, ",\"kind\":\"%s\"", room_kind_name((enum room_kind)kind));
	json_append_int(b, ",\"members\":", s, 3);
	json_append_int(b, ",\"messages\":", s, 4);
	json_append_flag(b, ",\"archived\":", s, 5);
	if (sqlite3_column_type(s, 6) != SQLITE_NULL)
		json_append_int(b, ",\"days\":", s, 6);
	json_append_int(b, ",\"last\":", s, 7);
	buf_append_char(b, '}');
	return true;
}

static bool encode_passkey(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	json_append_int(b, "{\"id\":", s, 0);
	bool is_good = json_append_text(b, ",\"name\":", s, 1);

	json_append_int(b, ",\"created\":", s, 2);
	json_append_int(b, ",\"used\":", s, 3);
	buf_append_char(b, '}');
	return is_good;
}

static int read_me(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_ME);
	struct buf *b = &r->events;

	db_bind_int(s, 1, r->user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc < 0 ? rc : -EUCLEAN;
	buf_printf(b, "{\"me\":{\"id\":\"u%lld\"", (long long)r->user);
	bool is_good = json_append_text(b, ",\"name\":", s, 0) &&
		       json_append_text(b, "},\"login\":", s, 1);
	buf_printf(b, ",\"role\":\"%s\",\"session\":%lld", team_role_name(r->account->role),
		   (long long)r->session);
	json_append_flag(b, ",\"totp\":", s, 2);
	json_append_int(b, ",\"recovery\":", s, 3);
	is_good = json_append_text(b, ",\"team\":", s, 4) && is_good;
	json_append_flag(b, ",\"has_password\":", s, 5);
	json_append_flag(b, ",\"sso\":", s, 6);
	buf_append_char(b, '}');
	sqlite3_reset(s);
	return is_good ? 0 : -EUCLEAN;
}

static int read_link(struct reader *rd, struct store_read *r)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s = db_stmt(&rd->db, R_LINK);
	struct span room;

	secret_hash_token(hash, rd->st->hash_key, r->req->token);
	db_bind_blob(s, 1, hash_span(hash));
	db_bind_int(s, 2, clock_wall_ms());
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		r->err = PROTO_E_NOT_FOUND;
		r->why = "This invitation does not work any longer.";
		return 0;
	}
	json_append_role(&r->events, "{\"role\":", s, 0);
	buf_printf(&r->events, ",\"name_only\":%s",
		   sqlite3_column_int64(s, 0) == ROLE_GUEST ? "true" : "false");
	bool is_good =
		json_append_text(&r->events, ",\"by\":", s, 1) && db_column_text(s, 2, &room);
	if (is_good && room.len > 0)
		is_good = json_append_text(&r->events, ",\"room\":", s, 2);
	is_good = is_good && json_append_text(&r->events, ",\"team\":", s, 3);
	buf_append_char(&r->events, '}');
	sqlite3_reset(s);
	return is_good ? 0 : -EUCLEAN;
}

/* The devices of somebody below who asks. */
static int read_sessions_of(struct reader *rd, struct store_read *r)
{
	int64_t user = (int64_t)r->req->target, now = clock_wall_ms();
	sqlite3_stmt *s = db_stmt(&rd->db, R_ROLE_OF);

	db_bind_int(s, 1, user);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	enum team_role role = rc > 0 ? (enum team_role)sqlite3_column_int64(s, 0) : ROLE_GUEST;
	if (rc > 0)
		sqlite3_reset(s);
	if (rc == 0 || !api_may_act_on(r->account->role, role)) {
		r->err = rc == 0 ? PROTO_E_NOT_FOUND : PROTO_E_FORBIDDEN;
		r->why = rc == 0 ? "There is no such account." : "Your role does not allow this.";
		return 0;
	}
	s = db_stmt(&rd->db, R_SESSIONS);
	db_bind_int(s, 1, user);
	db_bind_int(s, 2, now - SESSION_IDLE_MS);
	db_bind_int(s, 3, now - SESSION_MAX_MS);
	int err = json_append_rows(r, s, "{\"sessions\":[", encode_session);
	buf_append_char(&r->events, '}');
	return err;
}

static int read_audit(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_AUDIT);
	unsigned limit = r->req->limit;

	db_bind_int(s, 1, r->req->bound != 0 ? (int64_t)r->req->bound : INT64_MAX);
	db_bind_int(s, 2, limit);
	int err = json_append_rows(r, s, "{\"entries\":[", encode_act);
	buf_printf(&r->events, ",\"more\":%s}", r->n_events == limit ? "true" : "false");
	return err;
}

static int read_list(struct reader *rd, struct store_read *r)
{
	int64_t now = clock_wall_ms();
	sqlite3_stmt *s;
	int err;

	switch (r->req->op) {
	case OP_ME:
		return read_me(rd, r);
	case OP_AUDIT:
		return read_audit(rd, r);
	case OP_USER_SESSIONS:
		return read_sessions_of(rd, r);
	case OP_EXPORT:
		return read_export(rd, r);
	case OP_EXPORT_MESSAGES:
		return read_export_messages(rd, r);
	case OP_TEAM:
		return read_team_settings(rd, r);
	case OP_SESSIONS:
		s = db_stmt(&rd->db, R_SESSIONS);
		db_bind_int(s, 1, r->user);
		db_bind_int(s, 2, now - SESSION_IDLE_MS);
		db_bind_int(s, 3, now - SESSION_MAX_MS);
		err = json_append_rows(r, s, "{\"sessions\":[", encode_session);
		break;
	case OP_BLOCKS:
		s = db_stmt(&rd->db, R_BLOCKS);
		db_bind_int(s, 1, r->user);
		err = json_append_rows(r, s, "{\"blocks\":[", encode_blocked);
		break;
	case OP_PASSKEYS:
		s = db_stmt(&rd->db, R_PASSKEYS);
		db_bind_int(s, 1, r->user);
		err = json_append_rows(r, s, "{\"passkeys\":[", encode_passkey);
		break;
	case OP_TEAM_ROOMS:
		s = db_stmt(&rd->db, R_TEAM_ROOMS);
		err = json_append_rows(r, s, "{\"rooms\":[", encode_room);
		break;
	case OP_REPORTS:
		s = db_stmt(&rd->db, R_REPORTS);
		err = json_append_rows(r, s, "{\"reports\":[", encode_report);
		break;
	case OP_INVITES:
		s = db_stmt(&rd->db, R_INVITES);
		db_bind_int(s, 1, now);
		db_bind_int(s, 2, r->user);
		err = json_append_rows(r, s, "{\"invites\":[", encode_invite);
		break;
	case OP_USERS:
		s = db_stmt(&rd->db, R_PEOPLE);
		db_bind_int(s, 1, now - SESSION_IDLE_MS);
		db_bind_int(s, 2, now - SESSION_MAX_MS);
		err = json_append_rows(r, s, "{\"users\":[", encode_person);
		break;
	default:
		return 0; /* who asks was all that was asked */
	}
	buf_append_char(&r->events, '}');
	return err;
}

int read_lists_of_team(struct reader *rd, struct store_read *r)
{
	if (r->req->op == OP_INVITE_LOOK)
		return read_link(rd, r);
	int err = read_actor(rd, r);
	if (err != 0 || r->err != PROTO_OK)
		return err;
	if (!api_permits(r->req->op, r->account->role)) {
		r->err = PROTO_E_FORBIDDEN;
		r->why = "Your role does not allow this.";
		return 0;
	}
	return read_list(rd, r);
}
