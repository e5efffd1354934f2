/*
 * The write-ahead log as the writer's connection writes it: gathered.
 *
 * SQLite writes each page of a transaction with two calls, one for the frame's header and one for
 * the page, and a message changes pages of several indexes.  So a commit would spend more on
 * calls than on bytes.  Here what follows on what was written last is kept, and goes out in one
 * piece: when it is to be synced, when something is read or asked of the file, or when there is
 * too much of it.  A transaction counts only once it was synced (synchronous=FULL), and other
 * connections read of the log only what counts, so nobody can miss what is kept here; and what
 * is kept when the file is closed belongs to no transaction.
 *
 * A write that fails, fails the call that sends it out, which SQLite takes as a failure of the
 * transaction.
 */
#include "store/wal_file.h"
#include "hubbub/mem.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/** SQLite's own VFS takes no more than 128 KiB at once: it expects pages. */
#define KEPT_MAX (64 * 1024)

struct wal_file {
	sqlite3_file base; /* first: SQLite knows the file by it */
	sqlite3_file *real;
	char *kept; /* KEPT_MAX bytes, when the first are there */
	size_t n_kept;
	sqlite3_int64 at; /* where the first kept byte belongs */
};

static struct wal_file *wal_of(sqlite3_file *f)
{
	return (struct wal_file *)f;
}

static int send_out(struct wal_file *w)
{
	size_t n = w->n_kept;

	w->n_kept = 0;
	return n == 0 ? SQLITE_OK : w->real->pMethods->xWrite(w->real, w->kept, (int)n, w->at);
}

static int wal_close(sqlite3_file *f)
{
	struct wal_file *w = wal_of(f);
	int rc = w->real->pMethods->xClose(w->real);

	free(w->real);
	free(w->kept);
	return rc;
}

static int wal_read(sqlite3_file *f, void *into, int n, sqlite3_int64 at)
{
	struct wal_file *w = wal_of(f);
	int rc = send_out(w);

	return rc != SQLITE_OK ? rc : w->real->pMethods->xRead(w->real, into, n, at);
}

static int wal_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	struct wal_file *w = wal_of(f);
	int rc = SQLITE_OK;

	if (at != w->at + (sqlite3_int64)w->n_kept || w->n_kept + (size_t)n > KEPT_MAX)
		rc = send_out(w);
	if (rc != SQLITE_OK)
		return rc;
	if (n > KEPT_MAX)
		return w->real->pMethods->xWrite(w->real, bytes, n, at);
	if (w->kept == NULL)
		w->kept = mem_alloc(KEPT_MAX);
	if (w->n_kept == 0)
		w->at = at;
	memcpy(w->kept + w->n_kept, bytes, (size_t)n);
	w->n_kept += (size_t)n;
	return SQLITE_OK;
}

static int wal_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct wal_file *w = wal_of(f);
	int rc = send_out(w);

	return rc != SQLITE_OK ? rc : w->real->pMethods->xTruncate(w->real, size);
}

static int wal_sync(sqlite3_file *f, int flags)
{
	struct wal_file *w = wal_of(f);
	int rc = send_out(w);

	return rc != SQLITE_OK ? rc : w->real->pMethods->xSync(w->real, flags);
}

static int wal_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct wal_file *w = wal_of(f);
	int rc = send_out(w);

	return rc != SQLITE_OK ? rc : w->real->pMethods->xFileSize(w->real, size);
}

static int wal_lock(sqlite3_file *f, int level)
{
	sqlite3_file *real = wal_of(f)->real;

	return real->pMethods->xLock(real, level);
}

static int wal_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *real = wal_of(f)->real;

	return real->pMethods->xUnlock(real, level);
}

static int wal_check_lock(sqlite3_file *f, int *out)
{
	sqlite3_file *real = wal_of(f)->real;

	return real->pMethods->xCheckReservedLock(real, out);
}

static int wal_control(sqlite3_file *f, int op, void *arg)
{
	struct wal_file *w = wal_of(f);
	int rc = send_out(w);

	return rc != SQLITE_OK ? rc : w->real->pMethods->xFileControl(w->real, op, arg);
}

static int wal_sector_size(sqlite3_file *f)
{
	sqlite3_file *real = wal_of(f)->real;

	return real->pMethods->xSectorSize(real);
}

static int wal_characteristics(sqlite3_file *f)
{
	sqlite3_file *real = wal_of(f)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

/* Version 1: shared memory and mapping are the database file's business. */
static const sqlite3_io_methods wal_methods = {
	.iVersion = 1,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
	.xLock = wal_lock,
	.xUnlock = wal_unlock,
	.xCheckReservedLock = wal_check_lock,
	.xFileControl = wal_control,
	.xSectorSize = wal_sector_size,
	.xDeviceCharacteristics = wal_characteristics,
};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	(void)vfs;
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return real->xOpen(real, name, f, flags, out_flags);

	struct wal_file *w = wal_of(f);
	*w = (struct wal_file){.real = mem_zalloc((size_t)real->szOsFile)};
	int rc = real->xOpen(real, name, w->real, flags, out_flags);
	if (rc == SQLITE_OK) {
		w->base.pMethods = &wal_methods;
		return rc;
	}
	/* SQLite closes a file that could not be opened if it has methods. */
	if (w->real->pMethods != NULL)
		w->real->pMethods->xClose(w->real);
	free(w->real);
	w->base.pMethods = NULL;
	return rc;
}

static sqlite3_vfs gathering;
static pthread_once_t gathering_once = PTHREAD_ONCE_INIT;

static void register_vfs(void)
{
	gathering = *sqlite3_vfs_find(NULL);
	gathering.pNext = NULL;
	gathering.zName = "hubbub";
	gathering.xOpen = open_file;
	if (gathering.szOsFile < (int)sizeof(struct wal_file))
		gathering.szOsFile = sizeof(struct wal_file);
	if (sqlite3_vfs_register(&gathering, 0) != SQLITE_OK)
		gathering.zName = NULL;
}

const char *wal_file_vfs(void)
{
	pthread_once(&gathering_once, register_vfs);
	return gathering.zName;
}
