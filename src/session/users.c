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

void hub_add_user_conn(struct hub *hub, struct conn *c)
{
	struct local_user *u;

	HASH_FIND(hh, hub->users, &c->user, sizeof(c->user), u);
	if (u == NULL) {
		u = mem_zalloc(sizeof(*u));
		u->id = c->user;
		u->tokens_milli = (uint64_t)hub->env->cfg->send_n * 1000;
		u->filled_ms = hub->worker->now_ms;
		HASH_ADD(hh, hub->users, id, sizeof(u->id), u);
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
		HASH_DELETE(hh, hub->users, u);
		free(u);
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
