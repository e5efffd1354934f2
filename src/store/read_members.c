/*
 * Reads of people: who belongs to a room, and who is in the team.
 */
#include "hubbub/event.h"
#include "store/reader.h"
#include <errno.h>

static bool append_user_open(struct buf *b, sqlite3_stmt *s, bool is_first)
{
	struct span name;

	if (!db_column_text(s, 1, &name))
		return false;
	if (!is_first)
		buf_append_char(b, ',');
	user_encode(b, sqlite3_column_int64(s, 0), name);
	b->len--; /* the brace */
	return true;
}

static bool append_member(struct buf *b, sqlite3_stmt *s, bool is_first)
{
	int64_t role = sqlite3_column_int64(s, 2);

	if (role < 0 || role >= N_ROOM_ROLES || !append_user_open(b, s, is_first))
		return false;
	room_entry_encode_role(b, (enum room_role)role, sqlite3_column_int64(s, 3));
	buf_append_char(b, '}');
	return true;
}

static bool append_person(struct buf *b, sqlite3_stmt *s, bool is_first)
{
	int64_t role = sqlite3_column_int64(s, 2);

	if (role < 0 || role >= N_TEAM_ROLES || !append_user_open(b, s, is_first))
		return false;
	buf_printf(b, ",\"role\":\"%s\"}", team_role_name((enum team_role)role));
	return true;
}

/* Rows of @s as they come, r->req->limit of them. */
static int append_rows(struct store_read *r, sqlite3_stmt *s,
		       bool (*append)(struct buf *, sqlite3_stmt *, bool))
{
	int rc;

	while ((rc = db_step(s)) > 0) {
		if (r->n_events == r->req->limit) {
			r->more = true;
			sqlite3_reset(s);
			return 0;
		}
		if (!append(&r->events, s, r->n_events == 0)) {
			sqlite3_reset(s);
			return -EUCLEAN;
		}
		r->n_events++;
	}
	return rc;
}

int read_members(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s;
	int rc = reader_find_log(rd, r, OP_MEMBERS, &s);

	if (rc <= 0)
		return rc;
	sqlite3_reset(s);
	s = db_stmt(&rd->db, R_MEMBERS);
	db_bind_int(s, 1, r->room_id);
	db_bind_int(s, 2, (int64_t)r->req->bound);
	db_bind_int(s, 3, (int64_t)r->req->limit + 1);
	return append_rows(r, s, append_member);
}

int read_people(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s = db_stmt(&rd->db, r->is_guest ? R_PEOPLE_OF_ROOMS : R_PEOPLE_OF_TEAM);

	db_bind_text(s, 1, r->req->query.p != NULL ? r->req->query : SPAN(""));
	db_bind_int(s, 2, (int64_t)r->req->limit + 1);
	if (r->is_guest)
		db_bind_int(s, 3, r->user);
	return append_rows(r, s, append_person);
}
