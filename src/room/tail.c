/*
 * A room's tail: its newest events, encoded, so that joins and resumes need not read the database.
 *
 * Bounded in events and bytes; the oldest go first.  Deletions and renames drop it whole, since an
 * encoded copy would still show what is gone: it fills again from the next event on.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <stdlib.h>

static void drop_oldest(struct room_tail *t)
{
	struct room_event e = t->ring[t->first];

	t->bytes -= frame_payload(e.frame, e.i).len;
	t->first = (t->first + 1) % t->cap;
	t->n--;
	frame_unref(e.frame);
}

static void grow(struct room_tail *t)
{
	unsigned cap = t->cap == 0 ? 8 : t->cap * 2;
	struct room_event *ring = mem_alloc(cap * sizeof(ring[0]));

	for (unsigned i = 0; i < t->n; i++)
		ring[i] = t->ring[(t->first + i) % t->cap];
	free(t->ring);
	t->ring = ring;
	t->cap = cap;
	t->first = 0;
}

void room_tail_push(struct room_tail *t, struct frame *f, unsigned i)
{
	size_t len = frame_payload(f, i).len;

	while (t->n > 0 && (t->n == TAIL_MAX_EVENTS || t->bytes + len > TAIL_MAX_BYTES))
		drop_oldest(t);
	if (t->n == t->cap)
		grow(t);
	t->ring[(t->first + t->n) % t->cap] = (struct room_event){.frame = frame_ref(f), .i = i};
	t->n++;
	t->bytes += len;
}

void room_tail_drop(struct room_tail *t)
{
	while (t->n > 0)
		drop_oldest(t);
	free(t->ring);
	*t = (struct room_tail){0};
}
