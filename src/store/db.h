#pragma once
/* Private to store/. */
#include "hubbub/span.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * One SQLite connection with its prepared statements.  Used by one thread at a time: connections
 * are opened without SQLite's own mutexes.
 */
struct db {
	sqlite3 *h; /* NULL: closed */
	sqlite3_stmt **stmts;
	size_t n_stmts;
};

enum db_mode {
	DB_WRITE,
	DB_WRITE_GATHERED, /* and with wal_file.h */
	DB_READ
};

/** How long one connection waits for another process's lock. */
#define DB_BUSY_MS 1000

/** Open @path with the store's pragmas.  Negative errno on failure; @db is closed then. */
int db_open(struct db *db, const char *path, enum db_mode mode);
/** Prepare @n statements, addressed by their place in @sql from then on. */
int db_prepare(struct db *db, const char *const *sql, size_t n);
/** Finalize and close; allowed on a closed one. */
void db_close(struct db *db);

/** Run SQL that yields nothing of interest.  Negative errno on failure. */
int db_exec(struct db *db, const char *sql);
/** The one integer that @sql yields. */
int db_get_int(struct db *db, const char *sql, int64_t *out);
/** The connection's last error as a negative errno. */
int db_errno(struct db *db);
/** For people: what a negative errno from these functions means for a database.  Static. */
const char *db_strerror(int err);
/** The connection's last error for people, with SQLite's number for it; where the connection is
 * closed or knows of none, what @err means. */
void db_describe(struct db *db, int err, char *out, size_t size);

/** Statement @i, reset, its parameters unbound. */
sqlite3_stmt *db_stmt(struct db *db, unsigned i);
/** 1: a row; 0: done; negative errno: failed.  On 0 and on failure the statement is reset. */
int db_step(sqlite3_stmt *s);
/** Step to the end, throwing rows away; 0 or a negative errno. */
int db_run(sqlite3_stmt *s);

/* Parameters are numbered from 1.  The bytes must live until the statement is reset. */
void db_bind_int(sqlite3_stmt *s, int i, int64_t n);
void db_bind_text(sqlite3_stmt *s, int i, struct span text);  /* p NULL binds NULL */
void db_bind_blob(sqlite3_stmt *s, int i, struct span bytes); /* p NULL binds NULL */

/** A column's bytes, TEXT or BLOB; p is NULL only for NULL.  Valid until the next step. */
struct span db_column(sqlite3_stmt *s, int i);
/**
 * Text that peers are sent.  False where it is none: a page that was damaged between its records
 * shows in what it holds, and one byte that is not UTF-8 would end the connection of each reader.
 */
bool db_column_text(sqlite3_stmt *s, int i, struct span *out);
/** The same where there may be NULL, whose p is NULL. */
bool db_column_text_or_null(sqlite3_stmt *s, int i, struct span *out);
/** The same as a string of its own, NULL for NULL; NULL in *@out as well on false. */
bool db_column_dup(sqlite3_stmt *s, int i, char **out);
bool db_column_dup_or_null(sqlite3_stmt *s, int i, char **out);
