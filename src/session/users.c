/*
 * Whose connections these are, and how much a user may write.
 *
 * A user who has not written lately has no bucket, which is the same as a full one.
 *
 * The bucket is per user and worker: a user whose connections live on two workers may write twice
 * as much, which is what keeping it free of locks costs.
 */
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

static struct write_bucket *find_bucket(struct hub *hub, int64_t user)
{
	struct write_bucket *b = idmap_get(&hub->buckets, (uint64_t)user);

	if (b != NULL) {
		DL_DELETE(hub->filling, b);
	} else {
		b = mem_alloc(sizeof(*b));
		b->user = user;
		b->tokens_milli = (uint64_t)hub->cfg->send_n * 1000;
		b->filled_ms = hub->worker->now_ms;
		idmap_put(&hub->buckets, (uint64_t)user, b);
	}
	DL_APPEND(hub->filling, b);
	return b;
}

unsigned hub_take_write(struct hub *hub, const struct conn *c)
{
	const struct config *cfg = hub->cfg;

	if (cfg->no_limits)
		return 0;
	struct write_bucket *b = find_bucket(hub, c->user);
	uint64_t full = (uint64_t)cfg->send_n * 1000;
	uint64_t now = hub->worker->now_ms;

	b->tokens_milli += (now - b->filled_ms) * full / cfg->send_per_ms;
	b->filled_ms = now;
	if (b->tokens_milli > full)
		b->tokens_milli = full;
	if (b->tokens_milli >= 1000) {
		b->tokens_milli -= 1000;
		return 0;
	}
	return (unsigned)((1000 - b->tokens_milli) * cfg->send_per_ms / full) + 1;
}

void hub_forget_buckets(struct hub *hub, bool all)
{
	uint64_t now = hub->worker->now_ms;
	struct write_bucket *b;

	/* From empty to full takes send_per_ms. */
	while ((b = hub->filling) != NULL && (all || now - b->filled_ms > hub->cfg->send_per_ms)) {
		DL_DELETE(hub->filling, b);
		idmap_remove(&hub->buckets, (uint64_t)b->user);
		free(b);
	}
}
