/*
 * A worker's hub: made when the worker starts, gone when its last connection is.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <unistd.h>

struct hub *hub_of(struct worker *w)
{
	return w->user;
}

struct conn *hub_find_conn(struct hub *hub, uint64_t id)
{
	struct conn *c = idmap_get(&hub->conns, id);

	return c != NULL && c->phase == CONN_OPEN ? c : NULL;
}

static void on_start(struct worker *w)
{
	struct hub *hub = mem_zalloc(sizeof(*hub));

	hub->env = w->ctx;
	hub->cfg = hub->env->cfg;
	hub->worker = w;
	hub->counters = &hub->env->counters[w->index];
	hub->next_conn = w->index + 1;
	hub->ping = frame_new_text(SPAN("{\"ev\":\"ping\"}"));
	pool_init(&hub->conn_pool, sizeof(struct conn));
	pool_init(&hub->joined_pool, sizeof(struct joined));
	w->user = hub;
}

static void on_socket(struct worker *w, int fd, unsigned door, void *pass)
{
	struct hub *hub = hub_of(w);

	if (hub->stopping) {
		close(fd);
		if (door == SESSION_DOOR_SHELL)
			return;
		limit_account_leave(pass);
		hub->env->on_released(hub->env->ctx, w->index);
		return;
	}
	conn_new(hub, fd, (enum session_door)door, pass);
}

static void on_tick(struct worker *w, uint64_t now_ms)
{
	struct hub *hub = hub_of(w);

	hub_run_timers(hub, now_ms);
	hub_end_throttles(hub, now_ms);
	if (w->index == 0) {
		limits_sweep(hub->env->limits, now_ms);
		room_registry_flush_presence(hub->env->rooms, now_ms);
	}
}

static void on_turn(struct worker *w)
{
	struct hub *hub = hub_of(w);

	if (!hub_run_joins(hub))
		worker_come_back(w);
	store_wake(hub->env->store);
}

struct config_msg {
	struct inbox_msg msg;
	const struct config *cfg;
};

static void deliver_config(struct inbox_msg *msg, struct worker *w)
{
	hub_of(w)->cfg = ((struct config_msg *)msg)->cfg;
	free(msg);
}

void session_tell_config(struct session_env *env, const struct config *cfg)
{
	for (unsigned i = 0; i < env->n_workers; i++) {
		struct config_msg *m = mem_alloc(sizeof(*m));

		*m = (struct config_msg){.msg.deliver = deliver_config, .cfg = cfg};
		if (!inbox_post(&env->workers[i].inbox, &m->msg))
			free(m);
	}
}

static bool on_output(struct worker *w)
{
	return hub_run_fanouts(hub_of(w));
}

static void on_stop(struct worker *w)
{
	struct hub *hub = hub_of(w);
	struct idmap_slot *slot;
	uint32_t pos = 0;

	hub->stopping = true;
	/* Nobody goes from the map on the way: that is left to the loop. */
	while ((slot = idmap_next(&hub->conns, &pos)) != NULL) {
		struct conn *c = slot->p;

		if (c->phase == CONN_ENDING)
			conn_set_timer(c, TIMER_ENDING); /* it is shorter now */
		else if (c->phase == CONN_OPEN)
			conn_close(c, WS_CLOSE_GOING_AWAY, "the server restarts");
		else if (c->phase == CONN_HTTP)
			conn_end_http(c);
	}
	if (idmap_len(&hub->conns) == 0)
		worker_stopped(w);
}

void session_free_worker(struct worker *w)
{
	struct hub *hub = hub_of(w);

	for (struct local_room *lr = hub->active, *next; lr != NULL; lr = next) {
		next = lr->next;
		lr->is_active = false;
		hub_release_room(hub,
				 lr); /* without its last turn it is here, but without members */
	}
	hub_forget_throttles(hub);
	hub_forget_joins(hub);
	idmap_deinit(&hub->users);
	idmap_deinit(&hub->rooms);
	frame_unref(hub->ping);
	pool_deinit(&hub->joined_pool);
	pool_deinit(&hub->conn_pool);
	idmap_deinit(&hub->conns);
	free(hub);
	w->user = NULL;
}

const struct worker_hooks session_worker_hooks = {
	.on_start = on_start,
	.on_socket = on_socket,
	.on_tick = on_tick,
	.on_turn = on_turn,
	.on_output = on_output,
	.on_stop = on_stop,
};

const struct room_hooks session_room_hooks = {.on_news = hub_on_news};
