/*
 * Wrong on purpose: a commit that fails is taken for one that did not.
 */
#include "store/db.h"
#include <string.h>

int __real_db_run(sqlite3_stmt *s);
int __wrap_db_run(sqlite3_stmt *s);

int __wrap_db_run(sqlite3_stmt *s)
{
	bool is_commit = strcmp(sqlite3_sql(s), "COMMIT") == 0;
	int err = __real_db_run(s);

	return is_commit ? 0 : err;
}
