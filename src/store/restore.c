/*
 * A restore: a backup takes the database's place.
 *
 * The order is what makes it safe to end at any point:
 *  1. The backup is verified, copied to hubbub.db.restoring, given its epoch, and synced.  Whatever
 *     ends here leaves the old database alone.
 *  2. The old database is made one file: its write-ahead log is copied into it and removed.  It
 *     would be taken for the new one's otherwise.  SQLite can be killed anywhere in this.
 *  3. The old database gets its second name, and the rename puts the new one in its place at once.
 *
 * An old database that is too damaged for step 2 keeps its log: that is moved beside its second
 * name before the rename.  Nobody could open it whole before either.
 */
#include "hubbub/upkeep.h"
#include "store/copy.h"
#include "store/datadir.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct restore {
	const struct upkeep *u;
	const char *file;
	struct buf database, part; /* end in a NUL */
	struct buf kept;
};

static int renew_epoch(struct restore *r)
{
	struct db db;
	int err = db_open(&db, r->part.p, DB_WRITE);

	if (err != 0)
		return copy_fail(r->u, err, "write", r->part.p);
	err = db_exec(&db, "PRAGMA locking_mode=EXCLUSIVE;"
			   "PRAGMA journal_mode=MEMORY;"
			   "UPDATE meta SET v = lower(hex(randomblob(12))) WHERE k = 'epoch'");
	if (err != 0)
		copy_fail(r->u, err, "write", r->part.p);
	if (err == 0 && sqlite3_changes(db.h) != 1) {
		r->u->why->len = 0;
		buf_printf(r->u->why, "%s is damaged: it has no epoch", r->file);
		err = -EUCLEAN;
	}
	db_close(&db);
	return err;
}

static int make_part(struct restore *r, int fd)
{
	struct db from;
	int err = copy_open_source(&from, r->file, r->u);

	if (err != 0)
		return err;
	err = copy_verify(&from, "integrity_check", r->file, r->u);
	if (err == 0)
		err = copy_pages(&from, r->part.p, r->u);
	db_close(&from);
	if (err == 0)
		err = renew_epoch(r);
	if (err == 0 && fsync(fd) != 0)
		err = copy_fail(r->u, -errno, "sync", r->part.p);
	if (err == 0 && r->u->is_cancelled(r->u->ctx))
		err = copy_fail(r->u, -EINTR, "restore", r->file);
	return err;
}

/*
 * 0: the old database is one file.  Else it is damaged, or the disk is full.
 *
 * The last connection that closes removes the log.  It is not done by leaving WAL mode: that has a
 * journal of its own, which a kill would leave for the next to write to sort out.
 */
static int join_log(struct restore *r)
{
	struct buf wal = {0};
	struct db db;
	int err = db_open(&db, r->database.p, DB_WRITE);

	if (err != 0)
		return err;
	if (sqlite3_wal_checkpoint_v2(db.h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
	    SQLITE_OK)
		err = db_errno(&db);
	db_close(&db);
	buf_printf(&wal, "%s-wal", r->database.p);
	buf_append_char(&wal, '\0');
	/* Another program has it open, as a backup does while it copies. */
	if (err == 0 && access(wal.p, F_OK) == 0)
		err = -EBUSY;
	buf_deinit(&wal);
	return err;
}

static int move_beside(struct restore *r)
{
	static const char *const beside[] = {"-wal", "-journal"};
	int err = 0;

	for (size_t i = 0; err == 0 && i < 2; i++) {
		struct buf from = {0}, to = {0};

		buf_printf(&from, "%s%s", r->database.p, beside[i]);
		buf_append_char(&from, '\0');
		buf_printf(&to, "%s%s", r->kept.p, beside[i]);
		buf_append_char(&to, '\0');
		if (rename(from.p, to.p) != 0 && errno != ENOENT)
			err = copy_fail(r->u, -errno, "keep", from.p);
		buf_deinit(&from);
		buf_deinit(&to);
	}
	if (err == 0) {
		struct buf shm = {0};

		buf_printf(&shm, "%s-shm", r->database.p);
		buf_append_char(&shm, '\0');
		unlink(shm.p);
		buf_deinit(&shm);
		err = copy_sync_dir(r->database.p, r->u);
	}
	return err;
}

/* The first name of this second that is free. */
static int keep_old(struct restore *r)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32];

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned i = 1; i < 100; i++) {
		r->kept.len = 0;
		buf_printf(&r->kept, "%s.before-restore-%s", r->database.p, when);
		if (i > 1)
			buf_printf(&r->kept, "-%u", i);
		buf_append_char(&r->kept, '\0');
		if (link(r->database.p, r->kept.p) == 0)
			return copy_sync_dir(r->database.p, r->u);
		if (errno != EEXIST)
			break;
	}
	return copy_fail(r->u, -errno, "keep", r->database.p);
}

/* From here on nothing is cancelled: it is a matter of moments. */
static int swap(struct restore *r)
{
	struct stat old;
	int err = 0, joined = 0;
	bool has_old = stat(r->database.p, &old) == 0;

	if (has_old) {
		joined = join_log(r);
		if (joined == -EBUSY || joined == -ENOSPC || joined == -EACCES || joined == -EROFS)
			return copy_fail(r->u, joined, "take over", r->database.p);
		err = keep_old(r);
		if (err == 0 && joined != 0)
			err = move_beside(r);
	}
	if (err != 0)
		return err;
	if (rename(r->part.p, r->database.p) != 0)
		return copy_fail(r->u, -errno, "replace", r->database.p);
	return copy_sync_dir(r->database.p, r->u);
}

static bool is_same(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_ino == of_b.st_ino &&
	       of_a.st_dev == of_b.st_dev;
}

int upkeep_restore(const char *dir, const char *file, const struct upkeep *u, struct buf *kept)
{
	struct restore r = {.u = u, .file = file};
	int err, fd, lock_fd = -1;

	buf_printf(&r.database, "%s/hubbub.db", dir);
	buf_append_char(&r.database, '\0');
	buf_printf(&r.part, "%s/hubbub.db.restoring", dir);
	buf_append_char(&r.part, '\0');

	err = access(file, R_OK) != 0 ? copy_fail(u, -errno, "read", file) : 0;
	if (err == 0 && is_same(file, r.part.p)) {
		buf_printf(u->why, "%s is what a restore works on: move it elsewhere first", file);
		err = -EINVAL;
	}
	if (err == 0) {
		lock_fd = datadir_claim(dir);
		err = lock_fd < 0 ? lock_fd : 0;
		if (err == -EBUSY)
			buf_printf(u->why, "a server runs on %s: stop it first", dir);
		else if (err != 0)
			copy_fail(u, err, "use", dir);
	}
	if (err == 0) {
		copy_remove(r.part.p); /* of a restore that was killed */
		fd = copy_begin_file(r.part.p, u);
		err = fd < 0 ? fd : make_part(&r, fd);
		if (err == 0)
			err = swap(&r);
		if (err != 0)
			copy_remove(r.part.p);
		if (fd >= 0)
			close(fd);
	}
	if (err == 0 && r.kept.len != 0)
		buf_append_str(kept, r.kept.p);
	if (lock_fd >= 0)
		close(lock_fd);
	buf_deinit(&r.database);
	buf_deinit(&r.part);
	buf_deinit(&r.kept);
	return err;
}
