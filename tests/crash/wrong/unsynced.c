/*
 * Wrong on purpose: nothing is synced.
 */
#include "reword.h"
#include <sqlite3.h>
#include <stdlib.h>

typedef int exec_callback(void *, int, char **, char **);

int __real_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why);
int __wrap_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why);

int __wrap_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why)
{
	char *other = reword(sql, "PRAGMA synchronous=FULL", "PRAGMA synchronous=OFF ");
	int rc = __real_sqlite3_exec(h, other, f, arg, why);

	free(other);
	return rc;
}
