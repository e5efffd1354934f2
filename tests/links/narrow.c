/*
 * Sockets that take and give little at a time, and are interrupted in between.
 *
 * NARROW is `1`, and then each call moves one byte, or the seed of random sizes; with a seed calls
 * are also interrupted (EINTR) and put off (EAGAIN), and accepting fails now and then.
 */
#include <errno.h>
#include <liburing.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);

static uint64_t narrow_seed(void)
{
	const char *text = getenv("NARROW");

	return text != NULL ? strtoull(text, NULL, 10) : 1;
}

static bool is_steady(void)
{
	return narrow_seed() == 1;
}

/* xorshift64; each thread has its own. */
static uint64_t draw(void)
{
	static atomic_uint n_threads;
	static _Thread_local uint64_t state;

	if (state == 0)
		state = (narrow_seed() + 1) * 0x9e3779b97f4a7c15u ^ atomic_fetch_add(&n_threads, 1);
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t narrowed(size_t len)
{
	size_t most = is_steady() ? 1 : draw() % 2 == 0 ? 1 + draw() % 8 : 1 + draw() % 2000;

	return len < most ? len : most;
}

/* Whether the call is not made this time; errno says why. */
static bool is_put_off(int soft)
{
	unsigned p = is_steady() ? 8 : draw() % 8;

	if (p == 0)
		errno = EINTR;
	else if (p == 1)
		errno = soft;
	return p < 2;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	return is_put_off(EAGAIN) ? -1 : __real_recv(fd, buf, narrowed(len), flags);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	return is_put_off(EAGAIN) ? -1 : __real_send(fd, buf, narrowed(len), flags);
}

/* The bytes may end in the middle of any piece. */
static void narrow_message(struct msghdr *msg, struct iovec *iov)
{
	size_t left = narrowed(SIZE_MAX);
	size_t n = 0;

	while (n < msg->msg_iovlen && left > 0) {
		iov[n] = msg->msg_iov[n];
		if (iov[n].iov_len > left)
			iov[n].iov_len = left;
		left -= iov[n++].iov_len;
	}
	msg->msg_iov = iov;
	msg->msg_iovlen = n;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr narrow = *msg;
	struct iovec iov[1024];

	narrow_message(&narrow, iov);
	return is_put_off(EAGAIN) ? -1 : __real_sendmsg(fd, &narrow, flags);
}

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	return is_put_off(ECONNABORTED) ? -1 : __real_accept4(fd, addr, len, flags);
}

/* A write of no bytes is what a full socket comes to: less was taken than was wanted. */
static void narrow_request(struct io_uring_sqe *sqe)
{
	bool takes_none = !is_steady() && draw() % 8 == 0;

	if (sqe->opcode == IORING_OP_SEND) {
		sqe->len = takes_none ? 0 : (unsigned)narrowed(sqe->len);
	} else if (sqe->opcode == IORING_OP_SENDMSG) {
		struct msghdr *msg = (struct msghdr *)(uintptr_t)sqe->addr;

		/* The pieces are copied within their own place. */
		if (takes_none)
			msg->msg_iovlen = 0;
		else
			narrow_message(msg, msg->msg_iov);
	}
}

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n)
{
	if (!is_steady() && draw() % 4 == 0)
		return -EINTR;
	for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++)
		narrow_request(&ring->sq.sqes[i & ring->sq.ring_mask]);
	return __real_io_uring_submit_and_wait(ring, n);
}
