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

struct rename_msg {
	struct inbox_msg msg;
	int64_t user;
	char name[];
};

static void deliver_rename(struct inbox_msg *msg, struct worker *w)
{
	struct rename_msg *rm = (struct rename_msg *)msg;
	struct local_user *u = find_user(hub_of(w), rm->user);

	for (struct conn *c = u != NULL ? u->conns : NULL; c != NULL; c = c->next_of_user) {
		free(c->name);
		c->name = mem_strdup(rm->name);
	}
	free(rm);
}

void hub_tell_rename(struct hub *hub, int64_t user, const char *name)
{
	size_t size = strlen(name) + 1;

	for (unsigned w = 0; w < hub->env->n_workers; w++) {
		struct rename_msg *rm = mem_alloc(sizeof(*rm) + size);

		rm->msg = (struct inbox_msg){.deliver = deliver_rename};
		rm->user = user;
		memcpy(rm->name, name, size);
		if (!inbox_post(&hub->env->workers[w].inbox, &rm->msg))
			free(rm);
	}
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
