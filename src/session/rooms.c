/*
 * Which connections of this worker are in which rooms: dense arrays, so that a fan-out is one walk.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>

struct local_room *hub_find_room(struct hub *hub, int64_t id)
{
	struct local_room *lr;

	HASH_FIND(hh, hub->rooms, &id, sizeof(id), lr);
	return lr;
}

void hub_add_member(struct hub *hub, int64_t room, struct joined *j)
{
	struct local_room *lr = hub_find_room(hub, room);

	if (lr == NULL) {
		lr = mem_zalloc(sizeof(*lr));
		lr->id = room;
		HASH_ADD(hh, hub->rooms, id, sizeof(lr->id), lr);
	}
	if (lr->n == lr->cap) {
		lr->cap = lr->cap == 0 ? 4 : lr->cap * 2;
		lr->members = mem_realloc(lr->members, lr->cap * sizeof(lr->members[0]));
	}
	j->room = lr;
	j->index = lr->n;
	lr->members[lr->n++] = j;
}

void hub_remove_member(struct hub *hub, struct joined *j)
{
	struct local_room *lr = j->room;
	struct joined *last = lr->members[--lr->n];

	lr->members[j->index] = last;
	last->index = j->index;
	j->room = NULL;
	if (lr->n == 0) {
		HASH_DELETE(hh, hub->rooms, lr);
		free(lr->members);
		free(lr);
	}
}
