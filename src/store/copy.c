/*
 * Copying a database as a whole.
 *
 * The pages are copied in steps while the source is in one read transaction.  Without that every
 * step would take a snapshot of its own, and one commit of the server would make SQLite begin the
 * copy again.  With it the copy is the database of the moment at which it began; the server's
 * write-ahead log cannot start over meanwhile, so it grows by what is written.
 */
#include "store/copy.h"
#include "hubbub/mem.h"
#include "store/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STEP_PAGES = 256,         /* 1 MiB between two looks at whether to go on */
	WATCH_INSTRUCTIONS = 4000 /* of SQLite's machine, well under a millisecond */
};

int copy_fail(const struct upkeep *u, int err, const char *doing, const char *path)
{
	if (u->is_cancelled(u->ctx))
		err = -EINTR;
	u->why->len = 0;
	if (err == -EINTR)
		buf_append_str(u->why, "given up");
	else
		buf_printf(u->why, "cannot %s %s: %s", doing, path,
			   err == -EIO && strcmp(doing, "write") == 0
				   ? "the disk fails, or a file may not be that large"
				   : db_strerror(err));
	return err;
}

static int on_watch(void *upkeep)
{
	const struct upkeep *u = upkeep;

	return u->is_cancelled(u->ctx);
}

void copy_watch(struct db *db, const struct upkeep *u)
{
	sqlite3_progress_handler(db->h, WATCH_INSTRUCTIONS, on_watch, (void *)u);
}

int copy_open_source(struct db *db, const char *path, const struct upkeep *u)
{
	int64_t version;
	int err;

	if (access(path, F_OK) != 0)
		return copy_fail(u, -errno, "read", path);
	err = db_open(db, path, DB_READ);
	if (err != 0)
		return copy_fail(u, err, "read", path);
	copy_watch(db, u);
	/* BEGIN alone takes no snapshot: the first read does. */
	err = db_exec(db, "BEGIN");
	if (err == 0)
		err = db_get_int(db, "PRAGMA user_version", &version);
	err = err != 0 ? copy_fail(u, err, "read", path) : copy_identify(db, path, u);
	if (err != 0)
		db_close(db);
	return err;
}

int copy_identify(struct db *db, const char *path, const struct upkeep *u)
{
	int64_t app = 0, version = 0;
	int err = db_get_int(db, "PRAGMA application_id", &app);

	if (err == 0)
		err = db_get_int(db, "PRAGMA user_version", &version);
	if (err != 0)
		return copy_fail(u, err, "read", path);
	u->why->len = 0;
	if (app != SCHEMA_APPLICATION_ID) {
		buf_printf(u->why, "%s is no database of Hubbub", path);
		return -EINVAL;
	}
	if (version > schema_version()) {
		buf_printf(u->why,
			   "%s was written by a newer Hubbub (its version is %lld, this program "
			   "knows up to %d); use that one",
			   path, (long long)version, schema_version());
		return -ENOTSUP;
	}
	return 0;
}

static int run_steps(struct db *from, struct db *to, const struct upkeep *u)
{
	sqlite3_backup *b = sqlite3_backup_init(to->h, "main", from->h, "main");
	int rc = SQLITE_OK;

	if (b == NULL)
		return db_errno(to);
	while (rc == SQLITE_OK && !u->is_cancelled(u->ctx)) {
		rc = sqlite3_backup_step(b, STEP_PAGES);
		uint64_t all = (uint64_t)sqlite3_backup_pagecount(b);
		u->progress(u->ctx, "copying", all - (uint64_t)sqlite3_backup_remaining(b), all);
	}
	sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE)
		return 0;
	return rc == SQLITE_OK ? -EINTR : db_errno(to);
}

int copy_pages(struct db *from, const char *to, const struct upkeep *u)
{
	struct db db;
	int err = db_open(&db, to, DB_WRITE);

	if (err != 0)
		return copy_fail(u, err, "write", to);
	/* Nobody else sees the file before it is whole and synced, so it needs no journal. */
	err = db_exec(&db, "PRAGMA locking_mode=EXCLUSIVE;"
			   "PRAGMA journal_mode=OFF;"
			   "PRAGMA synchronous=OFF;");
	if (err == 0)
		err = run_steps(from, &db, u);
	/* The copy's header says WAL, as the source's does; without that it is one file for good.
	 */
	if (err == 0)
		err = db_exec(&db, "PRAGMA journal_mode=DELETE");
	if (err != 0)
		copy_fail(u, err, "write", to);
	db_close(&db);
	return err;
}

int copy_verify(struct db *db, const char *which, const char *path, const struct upkeep *u)
{
	char sql[96];
	int64_t bad = 0;
	int err;

	u->progress(u->ctx, "verifying", 0, 0);
	copy_watch(db, u);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM pragma_%s(1) WHERE %s <> 'ok'", which,
		 which);
	err = db_get_int(db, sql, &bad);
	if (err != 0)
		return copy_fail(u, err, "verify", path);
	if (bad == 0)
		return 0;
	u->why->len = 0;
	buf_printf(u->why, "%s is damaged", path);
	return -EUCLEAN;
}

int copy_begin_file(const char *path, const struct upkeep *u)
{
	struct stat ours, named;
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return copy_fail(u, -errno, "write", path);
	/* Whoever had it may have renamed it between the open and the lock: it is theirs then. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &ours) != 0 || stat(path, &named) != 0 ||
	    ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) {
		u->why->len = 0;
		buf_printf(u->why, "%s is being written by another process", path);
		close(fd);
		return -EBUSY;
	}
	if (!S_ISREG(ours.st_mode))
		err = -EINVAL;
	else if (fchmod(fd, 0600) != 0 || ftruncate(fd, 0) != 0)
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return copy_fail(u, err, "write", path);
}

void copy_remove(const char *path)
{
	static const char *const beside[] = {"-journal", "-wal", "-shm", ""};

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		struct buf name = {0};

		buf_printf(&name, "%s%s", path, beside[i]);
		buf_append_char(&name, '\0');
		unlink(name.p);
		buf_deinit(&name);
	}
}

int copy_sync_dir(const char *path, const struct upkeep *u)
{
	char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) != 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return err != 0 ? copy_fail(u, err, "sync the directory of", path) : 0;
}
