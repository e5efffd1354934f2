/*
 * Wrong on purpose: a batch is told before it is committed, when the next one begins.
 */
#include "store/db.h"
#include <string.h>

int __real_db_run(sqlite3_stmt *s);
int __wrap_db_run(sqlite3_stmt *s);

/* The writer's thread alone runs these two. */
static sqlite3_stmt *put_off;

int __wrap_db_run(sqlite3_stmt *s)
{
	const char *sql = sqlite3_sql(s);

	/* Readers end their snapshots so, too. */
	if (strcmp(sql, "COMMIT") == 0 && !sqlite3_db_readonly(sqlite3_db_handle(s), "main")) {
		put_off = s;
		return 0;
	}
	if (strcmp(sql, "BEGIN IMMEDIATE") == 0 && put_off != NULL) {
		int err = __real_db_run(put_off);

		put_off = NULL;
		if (err != 0)
			return err;
	}
	return __real_db_run(s);
}
