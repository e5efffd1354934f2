/*
 * SQLite behind a few verbs, so that the rest of the store speaks of rows and negative errnos.
 */
#include "store/db.h"
#include "hubbub/mem.h"
#include "hubbub/names.h"
#include "hubbub/utf8.h"
#include "store/wal_file.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int errno_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		/* The index beside the WAL could not be made: there is no room for it. */
		return rc == SQLITE_IOERR_SHMSIZE ? -ENOSPC : -EIO;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_INTERRUPT:
		return -EINTR;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* nothing that is asked for breaks one, but for damaged rows */
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

int db_errno(struct db *db)
{
	int err = db->h != NULL ? errno_of(sqlite3_extended_errcode(db->h)) : -EIO;

	return err != 0 ? err : -EIO;
}

const char *db_strerror(int err)
{
	switch (err) {
	case -EBUSY:
		return "it is locked by another process";
	case -ENOSPC:
		return "the disk is full";
	case -EIO:
		return "the disk fails, or it is damaged";
	case -EUCLEAN:
		return "it is damaged; restore it from a backup";
	case -ESTALE:
		return "another file has taken its place";
	default:
		return strerror(-err);
	}
}

void db_describe(struct db *db, int err, char *out, size_t size)
{
	int rc = db->h != NULL ? sqlite3_errcode(db->h) : SQLITE_OK;

	if (rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
		snprintf(out, size, "%s (%d)", sqlite3_errmsg(db->h),
			 sqlite3_extended_errcode(db->h));
	else
		snprintf(out, size, "%s", db_strerror(err));
}

/* name_skeleton(TEXT, READING): NULL where it is no text. */
static void sql_skeleton(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	const unsigned char *text = sqlite3_value_text(args[0]);
	enum name_reading reading =
		sqlite3_value_int(args[1]) != 0 ? NAME_CAPITAL_I_IS_I : NAME_CAPITAL_I_IS_L;
	struct buf out = {0};

	(void)n;
	if (text != NULL &&
	    name_skeleton((struct span){.p = (const char *)text,
					.len = (size_t)sqlite3_value_bytes(args[0])},
			  reading, &out))
		sqlite3_result_text(ctx, out.p, (int)out.len, SQLITE_TRANSIENT);
	buf_deinit(&out);
}

int db_open(struct db *db, const char *path, enum db_mode mode)
{
	int flags = SQLITE_OPEN_NOMUTEX |
		    (mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	const char *vfs = mode == DB_WRITE_GATHERED ? wal_file_vfs() : NULL;
	int err;

	*db = (struct db){0};
	/* SQLite sets the handle even when it fails, and wants it closed. */
	if (sqlite3_open_v2(path, &db->h, flags, vfs) != SQLITE_OK)
		goto fail;
	sqlite3_extended_result_codes(db->h, 1);
	sqlite3_busy_timeout(db->h, DB_BUSY_MS);
	if (sqlite3_create_function_v2(db->h, "name_skeleton", 2,
				       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
				       sql_skeleton, NULL, NULL, NULL) != SQLITE_OK)
		goto fail;
	/* Nothing that held a message's text may reach a temporary file, and a freed page or cell
	 * is overwritten.  Checkpoints are the store's own business: none inside a commit. */
	err = db_exec(db, "PRAGMA temp_store=MEMORY;"
			  "PRAGMA trusted_schema=OFF;"
			  "PRAGMA secure_delete=ON;"
			  "PRAGMA wal_autocheckpoint=0;"
			  "PRAGMA synchronous=FULL;");
	if (err == 0)
		err = db_exec(db, mode == DB_READ ? "PRAGMA cache_size=-2000;"
						    "PRAGMA query_only=ON;"
						  : "PRAGMA cache_size=-8000;");
	if (err != 0)
		goto fail;
	return 0;

fail:
	err = db_errno(db);
	db_close(db);
	return err;
}

int db_prepare(struct db *db, const char *const *sql, size_t n)
{
	assert(db->stmts == NULL);
	db->stmts = mem_zalloc(n * sizeof(sqlite3_stmt *));
	db->n_stmts = n;
	for (size_t i = 0; i < n; i++) {
		if (sqlite3_prepare_v3(db->h, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &db->stmts[i],
				       NULL) != SQLITE_OK)
			return db_errno(db);
	}
	return 0;
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < db->n_stmts; i++)
		sqlite3_finalize(db->stmts[i]);
	free(db->stmts);
	if (db->h != NULL) {
		int rc = sqlite3_close(db->h);

		/* Every statement is in stmts or was finalized where it was made. */
		assert(rc != SQLITE_BUSY);
	}
	*db = (struct db){0};
}

int db_exec(struct db *db, const char *sql)
{
	return sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_errno(db);
}

int db_get_int(struct db *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *s;
	int err = 0;

	if (sqlite3_prepare_v2(db->h, sql, -1, &s, NULL) != SQLITE_OK)
		return db_errno(db);
	int rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(s, 0);
	else
		err = rc == SQLITE_DONE ? -ENOENT : db_errno(db);
	sqlite3_finalize(s);
	return err;
}

sqlite3_stmt *db_stmt(struct db *db, unsigned i)
{
	assert(i < db->n_stmts);
	sqlite3_reset(db->stmts[i]);
	sqlite3_clear_bindings(db->stmts[i]);
	return db->stmts[i];
}

int db_step(sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 1;
	/* A statement left in the middle would hold its snapshot, and with it the checkpoint. */
	sqlite3_reset(s);
	if (rc == SQLITE_DONE)
		return 0;
	int err = errno_of(rc);
	return err != 0 ? err : -EIO;
}

int db_run(sqlite3_stmt *s)
{
	int rc;

	do {
		rc = db_step(s);
	} while (rc > 0);
	return rc;
}

void db_bind_int(sqlite3_stmt *s, int i, int64_t n)
{
	int rc = sqlite3_bind_int64(s, i, n);

	assert(rc == SQLITE_OK);
}

/* Binding fails for a wrong number, which is a programming error, or for a value over SQLite's
 * limit of a thousand million bytes, which no request reaches. */
void db_bind_text(sqlite3_stmt *s, int i, struct span text)
{
	int rc = sqlite3_bind_text(s, i, text.p, (int)text.len, SQLITE_STATIC);

	assert(rc == SQLITE_OK);
}

void db_bind_blob(sqlite3_stmt *s, int i, struct span bytes)
{
	int rc = sqlite3_bind_blob(s, i, bytes.p, (int)bytes.len, SQLITE_STATIC);

	assert(rc == SQLITE_OK);
}

struct span db_column(sqlite3_stmt *s, int i)
{
	if (sqlite3_column_type(s, i) == SQLITE_NULL)
		return (struct span){0};
	/* First the pointer, then the length: SQLite wants this order. */
	const char *p = sqlite3_column_blob(s, i);
	size_t len = (size_t)sqlite3_column_bytes(s, i);

	return (struct span){.p = p != NULL ? p : "", .len = len};
}

bool db_column_text_or_null(sqlite3_stmt *s, int i, struct span *out)
{
	*out = db_column(s, i);
	return utf8_is_valid(out->p, out->len);
}

bool db_column_text(sqlite3_stmt *s, int i, struct span *out)
{
	return db_column_text_or_null(s, i, out) && out->p != NULL;
}

bool db_column_dup_or_null(sqlite3_stmt *s, int i, char **out)
{
	struct span v;
	bool ok = db_column_text_or_null(s, i, &v);

	*out = ok && v.p != NULL ? mem_dup(v.p, v.len) : NULL;
	return ok;
}

bool db_column_dup(sqlite3_stmt *s, int i, char **out)
{
	return db_column_dup_or_null(s, i, out) && *out != NULL;
}
