/*
 * Whose connections these are, and how much a user may write.
 *
 * The bucket is per user and worker: a user whose connections live on two workers may write twice
 * as much, which is what keeping it free of locks costs.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <utlist.h>

static struct local_user *find_user(struct hub *hub, int64_t id)
{
	struct local_user *u;

	HASH_FIND(hh, hub->users, &id, sizeof(id), u);
	return u;
}

void hub_add_user_conn(struct hub *hub, struct conn *c)
{
	struct local_user *u = find_user(hub, c->user);

	if (u == NULL) {
		u = mem_zalloc(sizeof(*u));
		u->id = c->user;
		u->tokens_milli = (uint64_t)hub->env->cfg->send_n * 1000;
		u->filled_ms = hub->worker->now_ms;
		HASH_ADD(hh, hub->users, id, sizeof(u->id), u);
	} else if (u->conns == NULL) {
		DL_DELETE2(hub->gone_users, u, gone_prev, gone_next);
	}
	LL_PREPEND2(u->conns, c, next_of_user);
	c->local_user = u;
}

void hub_remove_user_conn(struct hub *hub, struct conn *c)
{
	struct local_user *u = c->local_user;

	if (u == NULL)
		return;
	LL_DELETE2(u->conns, c, next_of_user);
	c->local_user = NULL;
	if (u->conns == NULL) {
		/* Kept until the bucket is full: coming back must not fill it. */
		u->gone_ms = hub->worker->now_ms;
		DL_APPEND2(hub->gone_users, u, gone_prev, gone_next);
	}
}

void hub_forget_gone_users(struct hub *hub, bool all)
{
	uint64_t now = hub->worker->now_ms;
	struct local_user *u;

	while ((u = hub->gone_users) != NULL &&
	       (all || now - u->gone_ms > hub->env->cfg->send_per_ms)) {
		DL_DELETE2(hub->gone_users, u, gone_prev, gone_next);
		HASH_DELETE(hh, hub->users, u);
		free(u);
	}
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
	struct local_user *u = find_user(hub_of(w), cm->user);

	for (struct conn *c = u != NULL ? u->conns : NULL; c != NULL; c = c->next_of_user) {
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

unsigned hub_take_write(struct hub *hub, const struct conn *c)
{
	const struct config *cfg = hub->env->cfg;
	struct local_user *u = c->local_user;

	if (cfg->no_limits)
		return 0;
	uint64_t full = (uint64_t)cfg->send_n * 1000;
	uint64_t now = hub->worker->now_ms;

	u->tokens_milli += (now - u->filled_ms) * full / cfg->send_per_ms;
	u->filled_ms = now;
	if (u->tokens_milli > full)
		u->tokens_milli = full;
	if (u->tokens_milli >= 1000) {
		u->tokens_milli -= 1000;
		return 0;
	}
	return (unsigned)((1000 - u->tokens_milli) * cfg->send_per_ms / full) + 1;
}
