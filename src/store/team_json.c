#include "store/team_json.h"

#include <errno.h>

bool json_append_text(struct buf *b, const char *label, sqlite3_stmt *s, int i)
{
	struct span text;

	if (!db_column_text_or_null(s, i, &text))
		return false;
	buf_append_str(b, label);
	if (text.p != NULL)
		buf_append_json(b, text);
	else
		buf_append_str(b, "null");
	return true;
}

void json_append_int(struct buf *b, const char *label, sqlite3_stmt *s, int i)
{
	buf_append_str(b, label);
	buf_append_i64(b, sqlite3_column_int64(s, i));
}

void json_append_flag(struct buf *b, const char *label, sqlite3_stmt *s, int i)
{
	buf_append_str(b, label);
	buf_append_str(b, sqlite3_column_int64(s, i) != 0 ? "true" : "false");
}

void json_append_role(struct buf *b, const char *label, sqlite3_stmt *s, int i)
{
	int64_t role = sqlite3_column_int64(s, i);

	if (role < 0 || role >= N_TEAM_ROLES)
		role = ROLE_GUEST;
	buf_printf(b, "%s\"%s\"", label, team_role_name((enum team_role)role));
}

/* The user whose id and name are in columns @i and the next; the shell is nobody. */
bool json_append_user(struct buf *b, const char *label, sqlite3_stmt *s, int i)
{
	if (sqlite3_column_int64(s, i) == 0) {
		buf_printf(b, "%snull", label);
		return true;
	}
	buf_append_str(b, label);
	json_append_int(b, "{\"id\":\"u", s, i);
	if (!json_append_text(b, "\",\"name\":", s, i + 1))
		return false;
	buf_append_char(b, '}');
	return true;
}

int json_append_rows(struct store_read *r, sqlite3_stmt *s, const char *label,
		     json_row_encoder *encode)
{
	struct buf *b = &r->events;
	int rc;

	buf_append_str(b, label);
	for (r->n_events = 0; (rc = db_step(s)) > 0; r->n_events++) {
		if (r->n_events > 0)
			buf_append_char(b, ',');
		if (!encode(b, s, r)) {
			sqlite3_reset(s);
			return -EUCLEAN;
		}
	}
	buf_append_char(b, ']');
	return rc;
}
