/*
 * The gathered write-ahead log, under what SQLite does with a log when its cache is too small for
 * a transaction: frames written early, read back, and written again.
 */
#include "fixture.h"
#include "store/db.h"

struct files {
	char dir[32];
	char path[64];
	struct db writer, other;
};

static int setup(void **state)
{
	struct files *f = mem_zalloc(sizeof(*f));

	strcpy(f->dir, "/tmp/hubbub-wal-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/t.db", f->dir);
	FILE *file = fopen(f->path, "we");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(db_open(&f->writer, f->path, DB_WRITE_GATHERED), 0);
	assert_int_equal(db_exec(&f->writer,
				 "PRAGMA journal_mode=WAL; PRAGMA cache_size=5;"
				 "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, b BLOB);"),
			 0);
	assert_int_equal(db_open(&f->other, f->path, DB_WRITE), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct files *f = *state;

	db_close(&f->writer);
	db_close(&f->other); /* the last one out removes the log */
	remove(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static int64_t ask_db(struct db *db, const char *sql)
{
	int64_t n = -1;

	assert_int_equal(db_get_int(db, sql, &n), 0);
	return n;
}

static void assert_whole(struct db *db)
{
	assert_int_equal(
		ask_db(db,
		       "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
		1);
}

/* Rows over hundreds of pages, then each again, in one transaction. */
static const char fill[] = "BEGIN;"
			   "WITH RECURSIVE s(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM s"
			   " WHERE i < 2000) INSERT INTO t SELECT i, i, randomblob(700) FROM s;"
			   "UPDATE t SET n = n + 1; UPDATE t SET n = n + 1 WHERE id % 7 = 0;";

static void others_see_a_commit_whole_and_nothing_before(void **state)
{
	struct files *f = *state;

	assert_int_equal(db_exec(&f->writer, fill), 0);
	assert_int_equal(ask_db(&f->other, "SELECT count(*) FROM t"), 0);
	assert_int_equal(ask_db(&f->writer, "SELECT sum(n) FROM t"), 2001000 + 2000 + 285);
	assert_int_equal(db_exec(&f->writer, "COMMIT"), 0);
	assert_int_equal(ask_db(&f->other, "SELECT sum(n) FROM t"), 2001000 + 2000 + 285);
	assert_whole(&f->other);
}

static void what_is_rolled_back_leaves_nothing(void **state)
{
	struct files *f = *state;

	assert_int_equal(db_exec(&f->writer, "INSERT INTO t VALUES(0, 7, randomblob(5000))"), 0);
	assert_int_equal(db_exec(&f->writer, fill), 0);
	assert_int_equal(db_exec(&f->writer, "ROLLBACK"), 0);
	assert_int_equal(db_exec(&f->writer, "UPDATE t SET n = 8"), 0);
	assert_int_equal(ask_db(&f->other, "SELECT sum(n) FROM t"), 8);
	assert_whole(&f->other);
}

static void the_log_starts_over_after_a_checkpoint(void **state)
{
	struct files *f = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(db_exec(&f->writer, fill), 0);
		assert_int_equal(db_exec(&f->writer, "COMMIT; DELETE FROM t WHERE id > 1;"
						     "DELETE FROM t"),
				 0);
		assert_int_equal(db_exec(&f->other, "PRAGMA wal_checkpoint"), 0);
	}
	assert_int_equal(db_exec(&f->writer, "INSERT INTO t VALUES(1, 1, NULL)"), 0);
	assert_int_equal(ask_db(&f->other, "SELECT sum(n) FROM t"), 1);
	assert_whole(&f->other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(others_see_a_commit_whole_and_nothing_before, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_rolled_back_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_log_starts_over_after_a_checkpoint, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
