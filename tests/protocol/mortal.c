/*
 * The program, killed before the n-th of the calls by which it changes files.
 *
 * What the executable defines goes before the C library's, also for SQLite.  HUBBUB_TEST_DIE_AT
 * says n, from 1; without it nothing is killed, and how many there were is told at the end.
 */

/* Each call has two names in the C library, of which this makes the headers give but one. */
#undef _FILE_OFFSET_BITS
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long n_calls;

static void count_call(void)
{
	const char *at = getenv("HUBBUB_TEST_DIE_AT");

	n_calls++;
	if (at != NULL && strtol(at, NULL, 10) == n_calls)
		raise(SIGKILL);
}

__attribute__((destructor)) static void tell_calls(void)
{
	fprintf(stderr, "calls %ld\n", n_calls);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	count_call();
	return syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	count_call();
	return syscall(SYS_pwrite64, fd, bytes, n, at);
}

int fsync(int fd)
{
	count_call();
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	count_call();
	return (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size)
{
	count_call();
	return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	count_call();
	return (int)syscall(SYS_ftruncate, fd, size);
}

int link(const char *from, const char *to)
{
	count_call();
	return (int)syscall(SYS_link, from, to);
}

int unlink(const char *path)
{
	count_call();
	return (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to)
{
	count_call();
	return (int)syscall(SYS_rename, from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	count_call();
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
