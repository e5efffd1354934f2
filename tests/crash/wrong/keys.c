/*
 * Wrong on purpose: nothing makes an author's keys unique.
 */
#include "reword.h"
#include <sqlite3.h>
#include <stdlib.h>

typedef int exec_callback(void *, int, char **, char **);

int __real_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why);
int __wrap_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why);
int __real_sqlite3_prepare_v3(sqlite3 *h, const char *sql, int n, unsigned flags,
			      sqlite3_stmt **out, const char **tail);
int __wrap_sqlite3_prepare_v3(sqlite3 *h, const char *sql, int n, unsigned flags,
			      sqlite3_stmt **out, const char **tail);

int __wrap_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why)
{
	char *other = reword(sql, "CREATE UNIQUE INDEX events_by_key",
			     "CREATE        INDEX events_by_key");
	int rc = __real_sqlite3_exec(h, other, f, arg, why);

	free(other);
	return rc;
}

/* The store passes texts that end by themselves, and does not ask for the tail. */
int __wrap_sqlite3_prepare_v3(sqlite3 *h, const char *sql, int n, unsigned flags,
			      sqlite3_stmt **out, const char **tail)
{
	char *other = reword(sql, "ON CONFLICT(author, key) DO NOTHING",
			     "                                   ");
	int rc = __real_sqlite3_prepare_v3(h, other, n, flags, out, tail);

	free(other);
	return rc;
}
