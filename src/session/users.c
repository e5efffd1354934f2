/* Whose connections these are, and what changes about a user for all of them. */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <utlist.h>

struct conn *hub_user_conns(const struct hub *hub, int64_t user)
{
	return idmap_get(&hub->users, (uint64_t)user);
}

void hub_add_user_conn(struct hub *hub, struct conn *c)
{
	struct idmap_slot *s = idmap_find(&hub->users, (uint64_t)c->user);

	if (s == NULL)
		s = idmap_add(&hub->users, (uint64_t)c->user);
	c->next_of_user = s->p;
	s->p = c;
	c->is_of_user = true;
}

void hub_remove_user_conn(struct hub *hub, struct conn *c)
{
	if (!c->is_of_user)
		return;
	struct idmap_slot *s = idmap_find(&hub->users, (uint64_t)c->user);
	struct conn *first = s->p;

	LL_DELETE2(first, c, next_of_user);
	c->is_of_user = false;
	s->p = first;
	if (first == NULL)
		idmap_remove(&hub->users, (uint64_t)c->user);
}

/* What changed about a user, for all their connections on a worker. */
struct change_msg {
	struct inbox_msg msg;
	int64_t user;
	int64_t forgotten; /* a room that the user belongs to no longer; 0: none */
	char *name;        /* the new one; NULL: as it was */
};

static void deliver_change(struct inbox_msg *msg, struct worker *w)
{
	struct change_msg *cm = (struct change_msg *)msg;

	for (struct conn *c = hub_user_conns(hub_of(w), cm->user); c != NULL; c = c->next_of_user) {
		if (cm->forgotten != 0)
			conn_set_belongs(c, cm->forgotten, false);
		if (cm->name != NULL) {
			free(c->name);
			c->name = mem_strdup(cm->name);
		}
	}
	free(cm->name);
	free(cm);
}

static void tell_change(struct hub *hub, int64_t user, int64_t forgotten, const char *name)
{
	for (unsigned w = 0; w < hub->env->n_workers; w++) {
		struct change_msg *cm = mem_zalloc(sizeof(*cm));

		cm->msg.deliver = deliver_change;
		cm->user = user;
		cm->forgotten = forgotten;
		cm->name = name != NULL ? mem_strdup(name) : NULL;
		if (!inbox_post(&hub->env->workers[w].inbox, &cm->msg)) {
			free(cm->name);
			free(cm);
		}
	}
}

void hub_tell_rename(struct hub *hub, int64_t user, const char *name)
{
	tell_change(hub, user, 0, name);
}

void hub_tell_forgotten(struct hub *hub, int64_t user, int64_t room)
{
	tell_change(hub, user, room, NULL);
}
