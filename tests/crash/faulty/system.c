/*
 * A system that fails: descriptors and memory that run out, threads and rings that cannot be made,
 * a wall clock that jumps.
 */
#include "faulty.h"
#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <time.h>
#include <uv.h>

int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*f)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*f)(void *), void *arg);
int __real_uv_thread_create(uv_thread_t *t, uv_thread_cb f, void *arg);
int __wrap_uv_thread_create(uv_thread_t *t, uv_thread_cb f, void *arg);
int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __real_io_uring_queue_init(unsigned n, struct io_uring *ring, unsigned flags);
int __wrap_io_uring_queue_init(unsigned n, struct io_uring *ring, unsigned flags);
int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	int err = fault_due(FAULT_ACCEPT, FILES_OTHER);

	if (err == 0)
		return __real_accept4(fd, addr, len, flags);
	errno = err;
	return -1;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int err = __real_clock_gettime(id, ts);
	long long off = id == CLOCK_REALTIME ? atomic_load(&faults->wall_ms) : 0;

	ts->tv_sec += (time_t)(off / 1000);
	return err;
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
	int err = fault_due(FAULT_THREAD, FILES_OTHER);

	return err != 0 ? err : __real_pthread_create(t, attr, f, arg);
}

int __wrap_uv_thread_create(uv_thread_t *t, uv_thread_cb f, void *arg)
{
	int err = fault_due(FAULT_THREAD, FILES_OTHER);

	return err != 0 ? -err : __real_uv_thread_create(t, f, arg);
}

int __wrap_inotify_init1(int flags)
{
	int err = fault_due(FAULT_WATCH, FILES_OTHER);

	if (err == 0)
		return __real_inotify_init1(flags);
	errno = err;
	return -1;
}

int __wrap_io_uring_queue_init(unsigned n, struct io_uring *ring, unsigned flags)
{
	int err = fault_due(FAULT_RING, FILES_OTHER);

	return err != 0 ? -err : __real_io_uring_queue_init(n, ring, flags);
}

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n)
{
	int err = fault_due(FAULT_RING_SUBMIT, FILES_OTHER);

	return err != 0 ? -err : __real_io_uring_submit_and_wait(ring, n);
}
