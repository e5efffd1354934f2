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
	int role;          /* the new enum team_role; -1: as it was */
	struct store_cut cut;
};

static bool is_cut(const struct store_cut *cut, const struct conn *c)
{
	return cut->user != 0 && (cut->session == 0 || cut->session == c->session) &&
	       (cut->except == 0 || cut->except != c->session);
}

static void deliver_change(struct inbox_msg *msg, struct worker *w)
{
	struct change_msg *cm = (struct change_msg *)msg;
	struct hub *hub = hub_of(w);
	struct conn *c, *next;

	hub->n_cuts += cm->cut.user != 0 || cm->role >= 0;
	for (c = hub_user_conns(hub, cm->user); c != NULL; c = next) {
		next = c->next_of_user;
		if (cm->forgotten != 0)
			conn_set_belongs(c, cm->forgotten, false);
		if (cm->role >= 0)
			c->role = (uint8_t)cm->role;
		if (cm->name != NULL) {
			free(c->name);
			c->name = mem_strdup(cm->name);
		}
		if (is_cut(&cm->cut, c) && c->phase == CONN_OPEN)
			conn_close(c, cm->cut.is_banned ? WS_CLOSE_BANNED : WS_CLOSE_SIGNED_OUT,
				   cm->cut.is_banned ? "shut out" : "signed out");
	}
	free(cm->name);
	free(cm);
}

/* Each worker gets a copy of @change, whose name it owns. */
static void tell_change(struct hub *hub, const struct change_msg *change)
{
	for (unsigned w = 0; w < hub->env->n_workers; w++) {
		struct change_msg *cm = mem_alloc(sizeof(*cm));

		*cm = *change;
		cm->msg.deliver = deliver_change;
		cm->name = change->name != NULL ? mem_strdup(change->name) : NULL;
		if (!inbox_post(&hub->env->workers[w].inbox, &cm->msg)) {
			free(cm->name);
			free(cm);
		}
	}
}

void hub_tell_rename(struct hub *hub, int64_t user, const char *name)
{
	tell_change(hub, &(struct change_msg){.user = user, .name = (char *)name, .role = -1});
}

void hub_tell_forgotten(struct hub *hub, int64_t user, int64_t room)
{
	tell_change(hub, &(struct change_msg){.user = user, .forgotten = room, .role = -1});
}

void hub_tell_role(struct hub *hub, int64_t user, enum team_role role)
{
	tell_change(hub, &(struct change_msg){.user = user, .role = (int)role});
}

void hub_tell_cut(struct hub *hub, const struct store_cut *cut)
{
	tell_change(hub, &(struct change_msg){.user = cut->user, .role = -1, .cut = *cut});
}
