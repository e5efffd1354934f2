/*
 * A backup: the database as of one moment, in one file, made while the server serves.
 */
#include "hubbub/upkeep.h"
#include "store/copy.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_part(const char *source, const char *part, int fd, const struct upkeep *u)
{
	struct db from, made;
	int err = copy_open_source(&from, source, u);

	if (err != 0)
		return err;
	err = copy_pages(&from, part, u);
	db_close(&from);
	if (err != 0)
		return err;

	err = db_open(&made, part, DB_READ);
	if (err != 0)
		return copy_fail(u, err, "read", part);
	err = copy_verify(&made, "quick_check", part, u);
	db_close(&made);
	if (err == -EUCLEAN) {
		u->why->len = 0;
		buf_printf(u->why, "%s is damaged, so no backup was made; `hubbub check` says more",
			   source);
	}
	if (err == 0 && fsync(fd) != 0)
		err = copy_fail(u, -errno, "sync", part);
	return err;
}

/* The backup takes its name: in the place of another only where that was asked for. */
static int take_name(const char *part, const char *file, bool force, const struct upkeep *u)
{
	int err = renameat2(AT_FDCWD, part, AT_FDCWD, file, force ? 0 : RENAME_NOREPLACE) != 0
			  ? -errno
			  : 0;

	/* Some network file systems do not know the flag. */
	if (err == -EINVAL && !force)
		err = access(file, F_OK) == 0 ? -EEXIST : rename(part, file) != 0 ? -errno : 0;
	if (err != 0)
		return copy_fail(u, err, "make", file);
	return copy_sync_dir(file, u);
}

static int refuse_target(const char *source, const char *file, bool force, const struct upkeep *u)
{
	struct stat a, b;

	u->why->len = 0;
	if (stat(source, &a) != 0)
		return copy_fail(u, -errno, "read", source);
	if (stat(file, &b) != 0)
		return 0;
	if (a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
		buf_printf(u->why, "%s is the database itself", file);
		return -EINVAL;
	}
	if (!S_ISREG(b.st_mode)) {
		buf_printf(u->why, "%s is no file", file);
		return -EINVAL;
	}
	if (!force) {
		buf_printf(u->why, "%s is there already; --force replaces it", file);
		return -EEXIST;
	}
	return 0;
}

int upkeep_backup(const char *dir, const char *file, bool force, const struct upkeep *u)
{
	struct buf source = {0}, part = {0};
	int err, fd = -1;

	buf_printf(&source, "%s/hubbub.db", dir);
	buf_append_char(&source, '\0');
	buf_printf(&part, "%s.partial", file);
	buf_append_char(&part, '\0');

	err = refuse_target(source.p, file, force, u);
	if (err == 0) {
		fd = copy_begin_file(part.p, u);
		err = fd < 0 ? fd : 0;
	}
	if (fd >= 0) {
		err = make_part(source.p, part.p, fd, u);
		if (err == 0 && u->is_cancelled(u->ctx))
			err = copy_fail(u, -EINTR, "make", file);
		if (err == 0)
			err = take_name(part.p, file, force, u);
		if (err != 0)
			copy_remove(part.p);
		close(fd);
	}
	buf_deinit(&source);
	buf_deinit(&part);
	return err;
}
