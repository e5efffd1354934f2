/*
 * Looking for what must not be in a database, in one snapshot, on a connection that cannot write.
 *
 * SQLite's own check comes first, since a damaged file answers questions in any way.  What it finds
 * is told line by line, and the other rules run all the same, as far as the file lets them.
 */
#include "store/check.h"
#include "hubbub/upkeep.h"
#include "store/copy.h"
#include "store/schema.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
	MAX_LINES = 100 /* of SQLite's own check, and of rooms for each rule */
};

struct check {
	const struct upkeep *u;
	struct upkeep_summary *sum;
	struct db db;
	struct buf line;
};

static void tell(struct check *c)
{
	buf_append_char(&c->line, '\0');
	c->u->found(c->u->ctx, c->line.p);
	c->line.len = 0;
}

static int append_room(struct check *c, int64_t id)
{
	sqlite3_stmt *s;
	int rc;

	if (sqlite3_prepare_v2(c->db.h,
			       "SELECT coalesce(name, '~' || rid) FROM rooms WHERE id = ?1", -1, &s,
			       NULL) != SQLITE_OK)
		return db_errno(&c->db);
	db_bind_int(s, 1, id);
	rc = db_step(s);
	buf_append_str(&c->line, "room ");
	if (rc > 0)
		buf_append_span(&c->line, db_column(s, 0));
	else
		buf_printf(&c->line, "#%" PRId64, id);
	buf_append_str(&c->line, ": ");
	sqlite3_finalize(s);
	return rc < 0 ? rc : 0;
}

static int tell_row(struct check *c, const struct check_rule *rule, sqlite3_stmt *s)
{
	int64_t n = sqlite3_column_int64(s, 1);
	struct span where = db_column(s, 2);
	int err = 0;

	if (sqlite3_column_type(s, 0) != SQLITE_NULL)
		err = append_room(c, sqlite3_column_int64(s, 0));
	buf_printf(&c->line, "%" PRId64 " ", n);
	const char *hole = strstr(rule->what, "%s");
	buf_append(&c->line, rule->what, (size_t)(hole - rule->what));
	buf_append_span(&c->line, where.p != NULL ? where : SPAN("unknown"));
	buf_append_str(&c->line, hole + 2);
	tell(c);
	c->sum->problems += (uint64_t)n;
	return err;
}

static int run_rule(struct check *c, const struct check_rule *rule)
{
	sqlite3_stmt *s;
	unsigned n_told = 0;
	int rc;

	if (sqlite3_prepare_v2(c->db.h, rule->sql, -1, &s, NULL) != SQLITE_OK)
		return db_errno(&c->db);
	while ((rc = db_step(s)) > 0) {
		if (n_told++ < MAX_LINES)
			rc = tell_row(c, rule, s);
		else
			c->sum->problems += (uint64_t)sqlite3_column_int64(s, 1);
		if (rc < 0)
			break;
	}
	sqlite3_finalize(s);
	if (n_told > MAX_LINES) {
		buf_printf(&c->line, "%u further rooms have the same", n_told - MAX_LINES);
		tell(c);
	}
	return rc;
}

static int run_integrity(struct check *c)
{
	sqlite3_stmt *s;
	int rc;

	/* This is most of the work, and SQLite does not say how far it is. */
	c->u->progress(c->u->ctx, "checking the file", 0, 0);
	if (sqlite3_prepare_v2(c->db.h, "SELECT integrity_check FROM pragma_integrity_check(100)",
			       -1, &s, NULL) != SQLITE_OK)
		return db_errno(&c->db);
	while ((rc = db_step(s)) > 0) {
		struct span said = db_column(s, 0);

		if (span_equal(said, SPAN("ok")))
			continue;
		buf_append_str(&c->line, "file: ");
		buf_append_span(&c->line, said);
		tell(c);
		c->sum->problems++;
	}
	sqlite3_finalize(s);
	return rc;
}

/* What the uniqueness of seq and key rests on, and what every start needs. */
static int check_schema(struct check *c)
{
	static const struct {
		const char *what, *sql;
	} needed[] = {
		{"index events_by_seq, which keeps every seq unique, is missing",
		 "SELECT count(*) FROM pragma_index_list('events')"
		 " WHERE name = 'events_by_seq' AND \"unique\""},
		{"index events_by_key, which keeps every key unique, is missing",
		 "SELECT count(*) FROM pragma_index_list('events')"
		 " WHERE name = 'events_by_key' AND \"unique\""},
		{"epoch is missing",
		 "SELECT count(*) FROM meta WHERE k = 'epoch' AND length(v) > 0"},
		{"key of the hashes is missing",
		 "SELECT count(*) FROM meta WHERE k = 'hash_key' AND length(v) = 32"},
	};
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof(needed) / sizeof(needed[0]); i++) {
		int64_t n = 0;

		err = db_get_int(&c->db, needed[i].sql, &n);
		if (err != 0 || n != 0)
			continue;
		buf_printf(&c->line, "database: the %s", needed[i].what);
		tell(c);
		c->sum->problems++;
	}
	return err;
}

static int count(struct check *c, const char *sql, uint64_t *out)
{
	int64_t n = 0;
	int err = db_get_int(&c->db, sql, &n);

	*out = (uint64_t)n;
	return err;
}

static int run_all(struct check *c)
{
	int err = check_schema(c);

	for (size_t i = 0; err == 0 && i < check_n_rules; i++) {
		c->u->progress(c->u->ctx, check_rules[i].step, i, check_n_rules);
		err = run_rule(c, &check_rules[i]);
	}
	if (err == 0)
		err = count(c, "SELECT count(*) FROM rooms", &c->sum->rooms);
	if (err == 0)
		err = count(c, "SELECT count(*) FROM events", &c->sum->events);
	if (err == 0)
		err = count(c, "SELECT count(*) FROM users", &c->sum->users);
	if (err == 0)
		c->u->progress(c->u->ctx, "done", check_n_rules, check_n_rules);
	return err;
}

int upkeep_check(const char *dir, const struct upkeep *u, struct upkeep_summary *out)
{
	struct check c = {.u = u, .sum = out};
	struct buf path = {0};
	int64_t version = 0;
	int err;

	*out = (struct upkeep_summary){0};
	buf_printf(&path, "%s/hubbub.db", dir);
	buf_append_char(&path, '\0');
	err = copy_open_source(&c.db, path.p, u);
	if (err == 0) {
		err = db_get_int(&c.db, "PRAGMA user_version", &version);
		if (err == 0)
			err = run_integrity(&c);
		/* An older version is checked as a file; its first start makes it this one. */
		if (err == 0 && version == schema_version())
			err = run_all(&c);
		if (err != 0)
			copy_fail(u, err, "check", path.p);
		db_close(&c.db);
	}
	buf_deinit(&c.line);
	buf_deinit(&path);
	if (err != 0)
		return err;
	return out->problems != 0 ? UPKEEP_E_FOUND : 0;
}
