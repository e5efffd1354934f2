/*
 * Which connections of this worker are in which rooms: dense arrays, so that a fan-out is one walk.
 *
 * The walk is done in slices, and members come and go between them.  Who comes stands behind all
 * others.  Who goes is replaced by the last one, in two steps where the fan-out has passed: a
 * member that was told fills the gap, so that nobody moves from before the fan-out to behind it.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>

struct local_room *hub_find_room(struct hub *hub, int64_t id)
{
	return idmap_get(&hub->rooms, (uint64_t)id);
}

void hub_add_member(struct hub *hub, int64_t room, const struct room_view *view, struct joined *j)
{
	struct local_room *lr = hub_find_room(hub, room);

	if (lr == NULL) {
		lr = mem_zalloc(sizeof(*lr));
		lr->id = room;
		lr->name = mem_strdup(view->name);
		memcpy(lr->rid, view->rid, sizeof(lr->rid));
		idmap_put(&hub->rooms, (uint64_t)room, lr);
	}
	if (lr->n == lr->cap) {
		lr->cap += lr->cap / 2 + 4;
		lr->members = mem_realloc(lr->members, lr->cap * sizeof(lr->members[0]));
	}
	j->room = lr;
	j->index = lr->n;
	lr->members[lr->n++] = (struct member){.joined = j, .cursor = view->head};
}

bool hub_room_is_called(const struct local_room *lr, struct span name)
{
	if (span_equal(name, span_of(lr->name)))
		return true;
	for (unsigned i = 0; i < lr->n_aliases; i++) {
		if (span_equal(name, span_of(lr->aliases[i])))
			return true;
	}
	return false;
}

void hub_add_alias(struct local_room *lr, struct span name)
{
	if (hub_room_is_called(lr, name))
		return;
	lr->aliases = mem_realloc(lr->aliases, (lr->n_aliases + 1) * sizeof(lr->aliases[0]));
	lr->aliases[lr->n_aliases++] = mem_dup(name.p, name.len);
}

void hub_rename_room(struct local_room *lr, const char *name)
{
	char *old = lr->name;

	lr->name = mem_strdup(name);
	hub_add_alias(lr, span_of(old));
	free(old);
}

static void move(struct local_room *lr, unsigned to, unsigned from)
{
	lr->members[to] = lr->members[from];
	lr->members[to].joined->index = to;
}

void hub_remove_member(struct hub *hub, struct joined *j)
{
	struct local_room *lr = j->room;
	unsigned gap = j->index;

	j->room = NULL;
	if (gap < lr->pos) {
		lr->pos--;
		move(lr, gap, lr->pos);
		gap = lr->pos;
	}
	move(lr, gap, --lr->n);
	hub_release_room(hub, lr);
}

void hub_release_room(struct hub *hub, struct local_room *lr)
{
	if (lr->n > 0 || lr->is_active)
		return;
	idmap_remove(&hub->rooms, (uint64_t)lr->id);
	hub_drop_news(hub, lr);
	free(lr->news);
	free(lr->members);
	for (unsigned i = 0; i < lr->n_aliases; i++)
		free(lr->aliases[i]);
	free(lr->aliases);
	free(lr->name);
	free(lr);
}
