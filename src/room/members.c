/*
 * The list of members in a join's reply, encoded.
 *
 * Ten thousand who come back to one room are each shown the same 200: their JSON is made once and
 * copied into each reply outside the lock.  The list is not a picture of some moment.  Who comes
 * is appended while there is place, who goes is cut out, and so it is true whenever it is looked
 * at.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>

struct member_list {
	struct buf json;      /* objects, each with a comma behind it */
	struct chunk *shared; /* a copy of json; NULL when that has changed since */
	uint64_t as_of;
	unsigned n;
	int64_t users[ROOM_MAX_MEMBERS_SHOWN];
	uint32_t ends[ROOM_MAX_MEMBERS_SHOWN]; /* of their objects, behind the comma */
};

struct member_list *member_list_new(uint64_t as_of)
{
	struct member_list *l = mem_alloc(sizeof(*l));

	l->json = (struct buf){0};
	l->shared = NULL;
	l->as_of = as_of;
	l->n = 0;
	return l;
}

void member_list_free(struct member_list *l)
{
	if (l == NULL)
		return;
	buf_deinit(&l->json);
	chunk_unref(l->shared);
	free(l);
}

uint64_t member_list_as_of(const struct member_list *l)
{
	return l->as_of;
}

unsigned member_list_len(const struct member_list *l)
{
	return l->n;
}

int64_t member_list_user(const struct member_list *l, unsigned i)
{
	return l->users[i];
}

static void forget_shared(struct member_list *l)
{
	chunk_unref(l->shared);
	l->shared = NULL;
}

bool member_list_add(struct member_list *l, int64_t user, const char *name)
{
	if (l->n == ROOM_MAX_MEMBERS_SHOWN)
		return false;
	forget_shared(l);
	user_encode(&l->json, user, span_of(name));
	buf_append_char(&l->json, ',');
	l->users[l->n] = user;
	l->ends[l->n++] = (uint32_t)l->json.len;
	return true;
}

void member_list_remove(struct member_list *l, int64_t user)
{
	unsigned at = 0;

	while (at < l->n && l->users[at] != user)
		at++;
	assert(at < l->n);
	uint32_t begin = at > 0 ? l->ends[at - 1] : 0;
	uint32_t len = l->ends[at] - begin;

	forget_shared(l);
	memmove(l->json.p + begin, l->json.p + begin + len, l->json.len - begin - len);
	l->json.len -= len;
	l->n--;
	for (unsigned i = at; i < l->n; i++) {
		l->users[i] = l->users[i + 1];
		l->ends[i] = l->ends[i + 1] - len;
	}
}

struct chunk *member_list_share(struct member_list *l)
{
	if (l->shared == NULL)
		l->shared = chunk_new_copy(l->json.p, l->json.len);
	return chunk_ref(l->shared);
}

size_t member_list_bytes(const struct member_list *l, unsigned n)
{
	return n > 0 ? l->ends[n - 1] - 1 : 0; /* without the last comma */
}
