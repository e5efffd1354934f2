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

/* Open @dir/@name, made if missing: a descriptor, or a negative errno. */
static int open_in(const char *dir, const char *name)
{
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd, err;

	if (dir_fd < 0)
		return -errno;
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	err = -errno;
	close(dir_fd);
	return fd >= 0 ? fd : err;
}

int datadir_claim(const char *dir)
{
	int err = make_dirs(dir);
	int lock_fd = err != 0 ? err : open_in(dir, "lock");

	if (lock_fd >= 0 && flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		close(lock_fd);
		return err;
	}
	return lock_fd;
}

int datadir_lock(const char *dir)
{
	int lock_fd = datadir_claim(dir);
	int db_fd = lock_fd < 0 ? lock_fd : open_in(dir, "hubbub.db");

	if (db_fd >= 0) {
		close(db_fd);
		return lock_fd;
	}
	if (db_fd == -EBUSY)
		log_error("store: another Hubbub server uses %s", dir);
	else
		log_error("store: cannot use the data directory %s: %s", dir, strerror(-db_fd));
	if (lock_fd >= 0)
		close(lock_fd);
	return db_fd;
}
