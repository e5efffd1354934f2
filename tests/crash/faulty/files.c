/*
 * Files that fail: the system calls that SQLite makes, by the table of its Unix VFS, and those of
 * the data directory.
 *
 * SQLite's own handling of errors, short writes and interruptions is under test this way as well.
 * The calls that flush a file are not in that table; SQLite's library finds those of the program
 * first.
 *
 * A disk may be full in two ways.  With FAULT_WRITE nothing can be written, as where each write
 * takes new blocks; with `space` files cannot grow, and what was theirs can be written still.
 */
#include "faulty.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MAX_FDS = 65536
};

static atomic_uchar file_of_fd[MAX_FDS];
static pthread_mutex_t space_lock = PTHREAD_MUTEX_INITIALIZER;

static int (*real_open)(const char *, int, int);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_unlink)(const char *);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), n_end = strlen(end);

	return n >= n_end && strcmp(s + n - n_end, end) == 0;
}

static enum faulty_files kind_of(const char *path)
{
	return ends_with(path, ".db")       ? FILES_DB
	       : ends_with(path, ".db-wal") ? FILES_WAL
	       : ends_with(path, ".db-shm") ? FILES_SHM
					    : FILES_OTHER;
}

static enum faulty_files kind_of_fd(int fd)
{
	enum faulty_files kind = fd >= 0 && fd < MAX_FDS ? atomic_load(&file_of_fd[fd]) : 0;

	return kind != 0 ? kind : FILES_OTHER;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

static int open_fault(const char *path, int flags)
{
	int err = fault_due(FAULT_OPEN, kind_of(path));

	if (err == 0 && (flags & (O_ACCMODE | O_CREAT)) != O_RDONLY)
		err = fault_due(FAULT_OPEN_TO_WRITE, kind_of(path));
	return err;
}

static int faulty_open(const char *path, int flags, int mode)
{
	int err = open_fault(path, flags);

	if (err != 0)
		return fail(err);
	int fd = real_open(path, flags, mode);
	if (fd >= 0 && fd < MAX_FDS)
		atomic_store(&file_of_fd[fd], kind_of(path));
	return fd;
}

static ssize_t faulty_pread(int fd, void *into, size_t n, off_t at)
{
	int err = fault_due(FAULT_READ, kind_of_fd(fd));

	return err != 0 ? fail(err) : real_pread(fd, into, n, at);
}

/* How many of the bytes the disk has room for: they are written over others, or the file grows. */
static size_t take_space(int fd, size_t n, off_t at)
{
	struct stat st;

	if (atomic_load(&faults->space) == 0 || fstat(fd, &st) != 0)
		return n;
	pthread_mutex_lock(&space_lock);
	long long left = atomic_load(&faults->space) - 1;
	long long more = (long long)at + (long long)n - (long long)st.st_size;
	if (left >= 0 && more > left) {
		long long over = more - left;

		n = over >= (long long)n ? 0 : n - (size_t)over;
		more = n == 0 ? 0 : left;
	}
	if (left >= 0 && more > 0)
		atomic_store(&faults->space, left - more + 1);
	pthread_mutex_unlock(&space_lock);
	return n;
}

static ssize_t faulty_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	int err = fault_due(FAULT_WRITE, kind_of_fd(fd));
	size_t fits = err == 0 ? take_space(fd, n, at) : 0;

	if (err == 0 && fits == 0 && n != 0)
		err = ENOSPC;
	if (err != 0)
		return fail(err);
	if (fits > 1 && fault_due(FAULT_SHORT_WRITE, kind_of_fd(fd)) != 0)
		fits = 1 + fault_random() % (fits - 1);
	return real_pwrite(fd, bytes, fits, at);
}

static int faulty_ftruncate(int fd, off_t size)
{
	int err = fault_due(FAULT_TRUNCATE, kind_of_fd(fd));

	return err != 0 ? fail(err) : real_ftruncate(fd, size);
}

static int faulty_unlink(const char *path)
{
	int err = fault_due(FAULT_UNLINK, kind_of(path));

	return err != 0 ? fail(err) : real_unlink(path);
}

static void *faulty_mmap(void *addr, size_t n, int prot, int flags, int fd, off_t at)
{
	int err = fault_due(FAULT_MAP, kind_of_fd(fd));

	if (err == 0)
		return real_mmap(addr, n, prot, flags, fd, at);
	errno = err;
	return MAP_FAILED;
}

static int faulty_flush(int fd, long call)
{
	int err = fault_due(FAULT_SYNC, kind_of_fd(fd));

	return err != 0 ? fail(err) : (int)syscall(call, fd);
}

int fsync(int fd)
{
	return faulty_flush(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return faulty_flush(fd, SYS_fdatasync);
}

/* What the store itself calls; a build may know openat() by either name. */
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);

int __wrap_access(const char *path, int mode)
{
	int err = (mode & W_OK) != 0 ? fault_due(FAULT_OPEN_TO_WRITE, kind_of(path)) : 0;

	return err != 0 ? fail(err) : __real_access(path, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	int err = fault_due(FAULT_MKDIR, FILES_OTHER);

	return err != 0 ? fail(err) : __real_mkdir(path, mode);
}

static mode_t mode_of(int flags, va_list args)
{
	return (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
}

static int faulty_openat(int dir, const char *path, int flags, mode_t mode)
{
	int err = open_fault(path, flags);

	return err != 0 ? fail(err) : __real_openat(dir, path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	return faulty_openat(dir, path, flags, mode);
}

int __wrap_openat64(int dir, const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	return faulty_openat(dir, path, flags, mode);
}

/* @real keeps what stands under @name, which may have none in this build of SQLite. */
static void replace(const char *name, sqlite3_syscall_ptr by, void *real)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	sqlite3_syscall_ptr old = vfs->xGetSystemCall(vfs, name);

	if (old == NULL)
		return;
	memcpy(real, &old, sizeof(old));
	if (vfs->xSetSystemCall(vfs, name, by) != SQLITE_OK)
		abort();
}

__attribute__((constructor)) static void insert_calls(void)
{
	replace("open", (sqlite3_syscall_ptr)faulty_open, &real_open);
	replace("pread", (sqlite3_syscall_ptr)faulty_pread, &real_pread);
	replace("pread64", (sqlite3_syscall_ptr)faulty_pread, &real_pread);
	replace("pwrite", (sqlite3_syscall_ptr)faulty_pwrite, &real_pwrite);
	replace("pwrite64", (sqlite3_syscall_ptr)faulty_pwrite, &real_pwrite);
	replace("ftruncate", (sqlite3_syscall_ptr)faulty_ftruncate, &real_ftruncate);
	replace("unlink", (sqlite3_syscall_ptr)faulty_unlink, &real_unlink);
	replace("mmap", (sqlite3_syscall_ptr)faulty_mmap, &real_mmap);
	if (real_pread == NULL || real_pwrite == NULL)
		abort();
}
