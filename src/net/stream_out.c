/*
 * A stream's unsent output: a ring of counted chunks in one allocation, which exists only while
 * there is something in it, since most connections have nothing to say most of the time.
 */
#include "hubbub/mem.h"
#include "net/internal.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_CAP 4 /* a power of two, as every later capacity */
#define MAX_IOVECS 64

struct stream_out {
	size_t offset; /* bytes of the first chunk that were written */
	unsigned head; /* where the first chunk is */
	unsigned n;
	unsigned cap; /* a power of two */
	struct chunk *ring[];
};

static struct chunk **slot(struct stream_out *o, unsigned i)
{
	return &o->ring[(o->head + i) & (o->cap - 1)];
}

static struct stream_out *grown(struct stream_out *old)
{
	unsigned cap = old != NULL ? old->cap * 2 : FIRST_CAP;
	struct stream_out *o = mem_alloc(sizeof(*o) + cap * sizeof(struct chunk *));

	assert(cap != 0);
	*o = (struct stream_out){.cap = cap};
	if (old != NULL) {
		o->offset = old->offset;
		o->n = old->n;
		for (unsigned i = 0; i < old->n; i++)
			o->ring[i] = *slot(old, i);
		free(old);
	}
	return o;
}

void stream_out_push(struct stream_out **out, struct chunk *c)
{
	if (*out == NULL || (*out)->n == (*out)->cap)
		*out = grown(*out);
	(*out)->n++;
	*slot(*out, (*out)->n - 1) = c;
}

static void pop(struct stream_out *o)
{
	chunk_unref(*slot(o, 0));
	o->head = (o->head + 1) & (o->cap - 1);
	o->n--;
	o->offset = 0;
}

/* Release what the first @n bytes cover. */
static void consume(struct stream_out *o, size_t n)
{
	while (n > 0) {
		size_t left = chunk_len(*slot(o, 0)) - o->offset;

		if (n < left) {
			o->offset += n;
			return;
		}
		n -= left;
		pop(o);
	}
}

static unsigned gather(struct stream_out *o, struct iovec *iov, size_t *total)
{
	unsigned n = o->n < MAX_IOVECS ? o->n : MAX_IOVECS;

	*total = 0;
	for (unsigned i = 0; i < n; i++) {
		struct chunk *c = *slot(o, i);
		size_t skip = i == 0 ? o->offset : 0;

		/* The iovec's pointer is not const; sendmsg() only reads through it. */
		iov[i].iov_base = (void *)(uintptr_t)(chunk_bytes(c) + skip);
		iov[i].iov_len = chunk_len(c) - skip;
		*total += iov[i].iov_len;
	}
	return n;
}

int stream_out_write(struct stream_out **out, int fd, size_t *written)
{
	struct stream_out *o = *out;

	while (o != NULL && o->n > 0) {
		struct iovec iov[MAX_IOVECS];
		size_t total;
		struct msghdr msg = {.msg_iov = iov, .msg_iovlen = gather(o, iov, &total)};
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		}
		*written += (size_t)n;
		consume(o, (size_t)n);
		if ((size_t)n < total)
			return -EAGAIN; /* the socket is full: asking again would only say so */
	}
	stream_out_drop(out);
	return 0;
}

size_t stream_out_trim(struct stream_out *o)
{
	size_t dropped = 0;
	unsigned keep = o != NULL && o->offset > 0 ? 1 : 0;

	while (o != NULL && o->n > keep) {
		struct chunk *last = *slot(o, --o->n);

		dropped += chunk_len(last);
		chunk_unref(last);
	}
	return dropped;
}

void stream_out_drop(struct stream_out **out)
{
	if (*out == NULL)
		return;
	while ((*out)->n > 0)
		pop(*out);
	free(*out);
	*out = NULL;
}
