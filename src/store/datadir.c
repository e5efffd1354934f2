/*
 * The data directory and its lock.
 *
 * The lock is flock() on DIR/lock: it goes with the process, however that ends, so no stale file
 * can keep a server from starting.
 */
#include "store/datadir.h"
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_dirs(const char *dir)
{
	char *path = mem_strdup(dir);
	int err = 0;

	for (char *p = path + 1; err == 0 && *path != '\0'; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			err = -errno;
		*p = c;
		if (c == '\0')
			break;
	}
	free(path);
	return err;
}

int datadir_lock(const char *dir)
{
	int dir_fd = -1, lock_fd = -1, db_fd;
	int err = make_dirs(dir);

	if (err != 0)
		goto fail;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		goto fail_errno;
	lock_fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		goto fail_errno;
	if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			goto fail_errno;
		log_error("store: another Hubbub server uses %s", dir);
		close(lock_fd);
		close(dir_fd);
		return -EBUSY;
	}
	db_fd = openat(dir_fd, "hubbub.db", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (db_fd < 0)
		goto fail_errno;
	close(db_fd);
	close(dir_fd);
	return lock_fd;

fail_errno:
	err = -errno;
fail:
	log_error("store: cannot use the data directory %s: %s", dir, strerror(-err));
	if (lock_fd >= 0)
		close(lock_fd);
	if (dir_fd >= 0)
		close(dir_fd);
	return err;
}
