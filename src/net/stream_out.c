/*
 * A stream's unsent output: a ring of pieces in one allocation, which exists only while there is
 * something in it, since most connections have nothing to say most of the time.
 *
 * A fan-out makes and empties one for each member, so each worker keeps those of the first size for
 * the next to use.
 */
#include "hubbub/mem.h"
#include "net/internal.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_CAP 4 /* a power of two, as every later capacity */
#define MAX_FREE_OUTS 4096

struct stream_out {
	size_t offset; /* bytes of the first piece that were written */
	unsigned head; /* where the first piece is */
	unsigned n;
	unsigned cap; /* a power of two */
	union {
		struct stream_out *next_free;
		struct piece *ring[FIRST_CAP]; /* as many as cap */
	};
};

static struct piece **slot(struct stream_out *o, unsigned i)
{
	return &o->ring[(o->head + i) & (o->cap - 1)];
}

bool stream_out_is_empty(const struct stream_out *o)
{
	return o == NULL || o->n == 0;
}

static struct stream_out *new_out(struct worker *w)
{
	struct stream_out *o = w->free_outs;

	if (o != NULL) {
		w->free_outs = o->next_free;
		w->n_free_outs--;
	} else {
		o = mem_alloc(sizeof(*o));
	}
	o->offset = 0;
	o->head = o->n = 0;
	o->cap = FIRST_CAP;
	return o;
}

static void free_out(struct worker *w, struct stream_out *o)
{
	if (o->cap != FIRST_CAP || w->n_free_outs == MAX_FREE_OUTS) {
		free(o);
		return;
	}
	o->next_free = w->free_outs;
	w->free_outs = o;
	w->n_free_outs++;
}

static struct stream_out *grown(struct worker *w, struct stream_out *old)
{
	unsigned cap = old->cap * 2;
	struct stream_out *o =
		mem_alloc(offsetof(struct stream_out, ring) + cap * sizeof(o->ring[0]));

	assert(cap != 0);
	o->offset = old->offset;
	o->head = 0;
	o->n = old->n;
	o->cap = cap;
	for (unsigned i = 0; i < old->n; i++)
		o->ring[i] = *slot(old, i);
	free_out(w, old);
	return o;
}

void stream_out_push(struct worker *w, struct stream_out **out, struct piece *p)
{
	if (*out == NULL)
		*out = new_out(w);
	else if ((*out)->n == (*out)->cap)
		*out = grown(w, *out);
	(*out)->n++;
	*slot(*out, (*out)->n - 1) = p;
}

static void pop(struct stream_out *o)
{
	piece_unref(*slot(o, 0));
	o->head = (o->head + 1) & (o->cap - 1);
	o->n--;
	o->offset = 0;
}

void stream_out_consume(struct stream_out *o, size_t n)
{
	while (n > 0) {
		size_t left = (*slot(o, 0))->len - o->offset;

		if (n < left) {
			o->offset += n;
			return;
		}
		n -= left;
		pop(o);
	}
}

/* The iovecs' pointers are not const; sendmsg() only reads through them. */
unsigned stream_out_gather(const struct stream_out *o, struct iovec *iov, size_t *total)
{
	unsigned n = 0;

	if (o != NULL)
		n = o->n < STREAM_OUT_MAX_IOVECS ? o->n : STREAM_OUT_MAX_IOVECS;
	*total = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct piece *p = o->ring[(o->head + i) & (o->cap - 1)];
		size_t skip = i == 0 ? o->offset : 0;

		iov[i].iov_base = (void *)(uintptr_t)(p->bytes + skip);
		iov[i].iov_len = p->len - skip;
		*total += iov[i].iov_len;
	}
	return n;
}

size_t stream_out_peek(const struct stream_out *o, uint8_t *copy, size_t max, const uint8_t **bytes)
{
	const struct piece *first = o->ring[o->head & (o->cap - 1)];
	size_t len = first->len - o->offset, skip = o->offset;

	/* A whole record, or all there is, in one piece: it need not be copied. */
	if (len >= max || o->n == 1) {
		*bytes = first->bytes + skip;
		return len < max ? len : max;
	}
	len = 0;
	for (unsigned i = 0; i < o->n && len < max; i++) {
		const struct piece *p = o->ring[(o->head + i) & (o->cap - 1)];
		size_t n = p->len - skip < max - len ? p->len - skip : max - len;

		memcpy(copy + len, p->bytes + skip, n);
		len += n;
		skip = 0;
	}
	*bytes = copy;
	return len;
}

static ssize_t write_some(struct stream_out *o, int fd, size_t *total)
{
	struct iovec iov[STREAM_OUT_MAX_IOVECS];
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = stream_out_gather(o, iov, total)};

	/* One piece is what most writes have, and send() is spared the gathering. */
	if (msg.msg_iovlen == 1)
		return send(fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int stream_out_write(struct worker *w, struct stream_out **out, int fd, size_t *written)
{
	struct stream_out *o = *out;

	while (o != NULL && o->n > 0) {
		size_t total;
		ssize_t n = write_some(o, fd, &total);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		}
		*written += (size_t)n;
		stream_out_consume(o, (size_t)n);
		if ((size_t)n < total)
			return -EAGAIN; /* the socket is full: asking again would only say so */
	}
	stream_out_drop(w, out);
	return 0;
}

size_t stream_out_trim(struct stream_out *o)
{
	size_t dropped = 0;
	unsigned keep = o != NULL && o->offset > 0 ? 1 : 0;

	while (o != NULL && o->n > keep) {
		struct piece *last = *slot(o, --o->n);

		dropped += last->len;
		piece_unref(last);
	}
	return dropped;
}

void stream_out_drop(struct worker *w, struct stream_out **out)
{
	if (*out == NULL)
		return;
	while ((*out)->n > 0)
		pop(*out);
	free_out(w, *out);
	*out = NULL;
}

void stream_out_forget_free(struct worker *w)
{
	while (w->free_outs != NULL) {
		struct stream_out *o = w->free_outs;

		w->free_outs = o->next_free;
		free(o);
	}
	w->n_free_outs = 0;
}
