/*
 * Wrong on purpose: a room's head lives in memory and reaches its row now and then only, and
 * nothing else makes a seq unique.
 */
#include "reword.h"
#include "store/writer.h"
#include <stdlib.h>

enum {
	FLUSHED_EVERY = 8
};

typedef int exec_callback(void *, int, char **, char **);

int __real_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why);
int __wrap_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why);
int __real_writer_flush_rooms(struct writer *w);
int __wrap_writer_flush_rooms(struct writer *w);
void __wrap_writer_trim_caches(struct writer *w);

int __wrap_sqlite3_exec(sqlite3 *h, const char *sql, exec_callback *f, void *arg, char **why)
{
	char *other = reword(sql, "CREATE UNIQUE INDEX events_by_seq",
			     "CREATE        INDEX events_by_seq");
	int rc = __real_sqlite3_exec(h, other, f, arg, why);

	free(other);
	return rc;
}

int __wrap_writer_flush_rooms(struct writer *w)
{
	static unsigned n;

	return ++n % FLUSHED_EVERY == 0 ? __real_writer_flush_rooms(w) : 0;
}

/* It would find that something is not flushed. */
void __wrap_writer_trim_caches(struct writer *w)
{
	(void)w;
}
