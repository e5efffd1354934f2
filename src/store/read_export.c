/*
 * What is kept about somebody, for themselves: JSON, their messages page by page.
 */
#include "hubbub/mem.h"
#include "store/reader.h"
#include "store/team_json.h"
#include <errno.h>

#define PAGE_MESSAGES 500

static bool encode_identity(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	bool is_good = json_append_text(b, "{\"issuer\":", s, 0) &&
		       json_append_text(b, ",\"subject\":", s, 1);

	json_append_int(b, ",\"created\":", s, 2);
	buf_append_char(b, '}');
	return is_good;
}

static bool encode_membership(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	bool is_good =
		json_append_text(b, "{\"rid\":", s, 0) && json_append_text(b, ",\"title\":", s, 1);

	json_append_int(b, ",\"read\":", s, 2);
	buf_append_char(b, '}');
	return is_good;
}

static bool encode_reaction(struct buf *b, sqlite3_stmt *s, const struct store_read *r)
{
	(void)r;
	bool is_good = json_append_text(b, "{\"rid\":", s, 0);

	json_append_int(b, ",\"target\":", s, 1);
	is_good = is_good && json_append_text(b, ",\"emoji\":", s, 2);
	buf_append_char(b, '}');
	return is_good;
}

static int append_list(struct reader *rd, struct store_read *r, unsigned stmt, const char *label,
		       json_row_encoder *encode)
{
	sqlite3_stmt *s = db_stmt(&rd->db, stmt);

	db_bind_int(s, 1, r->user);
	return json_append_rows(r, s, label, encode);
}

int read_export(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_EXPORT);
	struct buf *b = &r->events;

	db_bind_int(s, 1, r->user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc < 0 ? rc : -EUCLEAN;
	buf_printf(b, "{\"id\":\"u%lld\"", (long long)r->user);
	bool is_good =
		json_append_text(b, ",\"name\":", s, 0) && json_append_text(b, ",\"login\":", s, 1);
	json_append_role(b, ",\"role\":", s, 2);
	json_append_int(b, ",\"created\":", s, 3);
	json_append_int(b, ",\"seen\":", s, 4);
	json_append_flag(b, ",\"totp\":", s, 5);
	sqlite3_reset(s);
	rc = is_good ? append_list(rd, r, R_EXPORT_IDENTITIES, ",\"identities\":[", encode_identity)
		     : -EUCLEAN;
	if (rc == 0)
		rc = append_list(rd, r, R_EXPORT_ROOMS, ",\"rooms\":[", encode_membership);
	if (rc == 0)
		rc = append_list(rd, r, R_EXPORT_REACTIONS, ",\"reactions\":[", encode_reaction);
	buf_append_char(b, '}');
	return rc;
}

static bool encode_message(struct buf *b, sqlite3_stmt *s)
{
	bool is_good =
		json_append_text(b, "{\"rid\":", s, 2) && json_append_text(b, ",\"room\":", s, 3);

	json_append_int(b, ",\"seq\":", s, 1);
	json_append_int(b, ",\"ts\":", s, 4);
	is_good = is_good && json_append_text(b, ",\"text\":", s, 5);
	if (sqlite3_column_type(s, 6) != SQLITE_NULL)
		json_append_int(b, ",\"edited\":", s, 6);
	buf_append_char(b, '}');
	return is_good;
}

int read_export_messages(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_EXPORT_MESSAGES);
	struct buf *b = &r->events;
	int64_t room = 0, seq = 0;
	int rc;

	db_bind_int(s, 1, r->user);
	db_bind_int(s, 2, (int64_t)r->req->target);
	db_bind_int(s, 3, (int64_t)r->req->seq);
	buf_append_str(b, "{\"messages\":[");
	while ((rc = db_step(s)) > 0 && r->n_events < PAGE_MESSAGES &&
	       b->len < STORE_MAX_EVENTS_BYTES) {
		if (r->n_events++ > 0)
			buf_append_char(b, ',');
		room = sqlite3_column_int64(s, 0);
		seq = sqlite3_column_int64(s, 1);
		if (!encode_message(b, s)) {
			sqlite3_reset(s);
			return -EUCLEAN;
		}
	}
	buf_append_char(b, ']');
	if (rc > 0) {
		buf_printf(b, ",\"next\":{\"room\":%lld,\"after\":%lld}", (long long)room,
			   (long long)seq);
		sqlite3_reset(s);
	}
	buf_append_char(b, '}');
	return rc < 0 ? rc : 0;
}

int read_team_settings(struct reader *rd, struct store_read *r)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_TEAM_SETTINGS);
	int rc = db_step(s);

	if (rc <= 0)
		return rc < 0 ? rc : -EUCLEAN;
	bool is_good = json_append_text(&r->events, "{\"team\":", s, 0);
	json_append_int(&r->events, ",\"days\":", s, 1);
	is_good = is_good && json_append_text(&r->events, ",\"leavers\":", s, 2);
	buf_append_char(&r->events, '}');
	sqlite3_reset(s);
	return is_good ? 0 : -EUCLEAN;
}
