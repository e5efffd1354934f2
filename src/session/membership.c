/*
 * A connection's rooms: those it has joined, and those that its user is known to belong to.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

struct joined *conn_find_joined(const struct conn *c, int64_t room)
{
	struct joined *j;

	LL_SEARCH_SCALAR(c->rooms, j, room->id, room);
	return j;
}

struct joined *conn_find_joined_by(const struct conn *c, const struct request *req)
{
	for (struct joined *j = c->rooms; j != NULL; j = j->next) {
		if (req->room.p != NULL ? hub_room_is_called(j->room, req->room)
					: span_equal(req->rid, span_of(j->room->rid)))
			return j;
	}
	return NULL;
}

struct joined *conn_add_joined(struct conn *c, int64_t room, const struct room_view *view)
{
	struct joined *j = pool_zalloc(&conn_hub(c)->joined_pool);

	j->conn = c;
	/* The list is for the rooms that are not joined: most connections need none then. */
	j->belongs = conn_belongs(c, room);
	conn_set_belongs(c, room, false);
	hub_add_member(conn_hub(c), room, view, j);
	LL_PREPEND(c->rooms, j);
	return j;
}

void conn_free_wait(struct join_wait *wait)
{
	if (wait == NULL)
		return;
	for (unsigned i = 0; i < wait->n_held; i++)
		frame_unref(wait->held[i].frame);
	free(wait->held);
	request_free(wait->req);
	room_view_deinit(&wait->view);
	free(wait);
}

static void free_joined(struct conn *c, struct joined *j)
{
	int64_t room = j->room->id;

	hub_remove_member(conn_hub(c), j);
	room_registry_leave(conn_hub(c)->env->rooms, room, conn_hub(c)->worker->index, c->user);
	conn_free_wait(j->wait);
	pool_free(&conn_hub(c)->joined_pool, j);
}

void conn_remove_joined(struct conn *c, struct joined *j)
{
	int64_t room = j->room->id;
	bool belongs = j->belongs && c->phase == CONN_OPEN;

	LL_DELETE(c->rooms, j);
	free_joined(c, j);
	if (belongs)
		conn_set_belongs(c, room, true);
}

void conn_end_room(struct conn *c, int64_t room)
{
	struct joined *j = conn_find_joined(c, room);

	if (j != NULL && j->wait != NULL)
		conn_reply_error(c, &j->wait->req->id, PROTO_E_NOT_FOUND, "There is no such room.",
				 0);
	if (j != NULL && c->phase == CONN_OPEN)
		conn_remove_joined(c, j);
	conn_set_belongs(c, room, false);
}

void conn_leave_all(struct conn *c)
{
	while (c->rooms != NULL) {
		struct joined *j = c->rooms;

		LL_DELETE(c->rooms, j);
		free_joined(c, j);
	}
}

static int64_t *find_belongs(const struct conn *c, int64_t room)
{
	for (unsigned i = 0; i < c->n_belongs; i++) {
		if (c->belongs[i] == room)
			return &c->belongs[i];
	}
	return NULL;
}

bool conn_belongs(const struct conn *c, int64_t room)
{
	const struct joined *j = conn_find_joined(c, room);

	return j != NULL ? j->belongs : find_belongs(c, room) != NULL;
}

static void drop_belongs(struct conn *c, int64_t *at)
{
	*at = c->belongs[--c->n_belongs];
	if (c->n_belongs == 0) {
		free(c->belongs);
		c->belongs = NULL;
	}
}

void conn_set_belongs(struct conn *c, int64_t room, bool belongs)
{
	struct joined *j = conn_find_joined(c, room);
	int64_t *at = find_belongs(c, room);

	if (j != NULL) {
		j->belongs = belongs;
	} else if (belongs && at == NULL) {
		c->belongs = mem_realloc(c->belongs, (c->n_belongs + 1) * sizeof(c->belongs[0]));
		c->belongs[c->n_belongs++] = room;
	} else if (!belongs && at != NULL) {
		drop_belongs(c, at);
	}
}

struct pending_room *conn_add_pending(struct conn *c, const struct request *req)
{
	struct pending_room *p = mem_zalloc(sizeof(*p));

	p->name = req->room.p != NULL ? mem_dup(req->room.p, req->room.len) : NULL;
	LL_PREPEND(c->pending_rooms, p);
	return p;
}

struct pending_room *conn_find_pending(const struct conn *c, const struct request *req)
{
	struct pending_room *p;

	LL_FOREACH (c->pending_rooms, p) {
		if (req->room.p == NULL
			    ? p->name == NULL
			    : p->name != NULL && span_equal(span_of(p->name), req->room))
			return p;
	}
	assert(!"an answer that nothing waits for");
	return NULL;
}

void conn_remove_pending(struct conn *c, struct pending_room *p)
{
	LL_DELETE(c->pending_rooms, p);
	free(p->name);
	free(p);
}
