#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 4096

/* The part of a batch that a full socket did not take. */
struct unsent {
	uv_write_t req;
	uint8_t bytes[];
};

static struct room *buckets[N_BUCKETS];
static struct room *dirty;

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (p == NULL) {
		fputs("bench-floor: out of memory\n", stderr);
		abort();
	}
	return p;
}

struct room *room_get(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = name; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	struct room **bucket = &buckets[hash % N_BUCKETS];

	for (struct room *r = *bucket; r != NULL; r = r->next_in_bucket) {
		if (strcmp(r->name, name) == 0)
			return r;
	}
	struct room *r = xrealloc(NULL, sizeof(*r));

	*r = (struct room){.name = strdup(name), .next_in_bucket = *bucket};
	*bucket = r;
	return r;
}

void room_add(struct room *r, struct member *m)
{
	if (r->n_members == r->cap_members) {
		r->cap_members = r->cap_members == 0 ? 8 : r->cap_members * 2;
		r->members = xrealloc(r->members, r->cap_members * sizeof(struct member *));
	}
	m->room = r;
	m->index = r->n_members;
	r->members[r->n_members++] = m;
}

void room_remove(struct member *m)
{
	struct room *r = m->room;

	r->members[m->index] = r->members[--r->n_members];
	r->members[m->index]->index = m->index;
	m->room = NULL;
}

static uint8_t *reserve(struct room *r, size_t len)
{
	if (r->batch_len + len > r->batch_cap) {
		r->batch_cap = (r->batch_len + len) * 2;
		r->batch = xrealloc(r->batch, r->batch_cap);
	}
	if (!r->is_dirty) {
		r->is_dirty = true;
		r->next_dirty = dirty;
		dirty = r;
	}
	return r->batch + r->batch_len;
}

void room_append(struct room *r, const uint8_t *payload, size_t len, const uint8_t mask[4])
{
	uint8_t *p = reserve(r, len + 10);
	uint8_t *start = p;
	uint32_t mask4;
	uint64_t mask8;

	*p++ = 0x81; /* FIN, text */
	if (len < 126) {
		*p++ = (uint8_t)len;
	} else if (len <= UINT16_MAX) {
		*p++ = 126;
		*p++ = (uint8_t)(len >> 8);
		*p++ = (uint8_t)len;
	} else {
		*p++ = 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			*p++ = (uint8_t)((uint64_t)len >> shift);
	}
	memcpy(&mask4, mask, sizeof(mask4));
	mask8 = (uint64_t)mask4 << 32 | mask4;

	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t word;

		memcpy(&word, payload + i, sizeof(word));
		word ^= mask8;
		memcpy(p + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		p[i] = payload[i] ^ mask[i & 3];
	r->batch_len += (size_t)(p - start) + len;
}

static void on_unsent_written(uv_write_t *req, int status)
{
	(void)status; /* a broken connection is seen by its reader */
	free(req);
}

/** Queue what the socket did not take.  libuv owns the copy until it is written. */
static void write_later(struct member *m, const uint8_t *bytes, size_t len)
{
	struct unsent *u = xrealloc(NULL, sizeof(*u) + len);
	uv_buf_t buf = uv_buf_init((char *)u->bytes, (unsigned int)len);

	memcpy(u->bytes, bytes, len);
	if (uv_write(&u->req, (uv_stream_t *)&m->tcp, &buf, 1, on_unsent_written) != 0)
		free(u);
}

static void send_batch(struct room *r)
{
	for (uint32_t i = 0; i < r->n_members; i++) {
		struct member *m = r->members[i];
		uv_buf_t buf = uv_buf_init((char *)r->batch, (unsigned int)r->batch_len);
		int n = uv_try_write((uv_stream_t *)&m->tcp, &buf, 1);

		/* UV_EAGAIN also while an earlier rest waits: the order holds. */
		if (n == UV_EAGAIN)
			n = 0;
		if (n >= 0 && (size_t)n < r->batch_len)
			write_later(m, r->batch + n, r->batch_len - (size_t)n);
	}
}

void room_flush_all(void)
{
	while (dirty != NULL) {
		struct room *r = dirty;

		dirty = r->next_dirty;
		r->is_dirty = false;
		send_batch(r);
		r->batch_len = 0;
	}
}
