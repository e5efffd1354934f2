/*
 * A server that is cut off and comes back.  Clients sit in their rooms, one in each room sends;
 * then somebody kills the server and starts it again on the same port and data.  All clients come
 * back at once, show their token, and ask for what they missed.  Each is whole when it holds every
 * event up to the log's head, once.
 *
 * What was acknowledged before the cut must be there after it, and all rooms must talk again.
 */
#include "base.h"
#include "kind.h"
#include "resume_log.h"
#include "scenarios.h"
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>

#define RATE 1000.0 /* messages a second of all rooms, up to the cut */
#define TALK_BEFORE_READY_NS NS_PER_S
#define PATIENCE_NS (60 * NS_PER_S)
#define PROBE_NS (2 * NS_PER_S / 1000)

enum phase {
	TALKING,
	WAITING, /* for the server to listen again */
	RETURNING,
};

struct resume {
	struct resume_log log; /* first: it finds itself as the swarm's owner */
	struct swarm swarm;
	uint32_t per_room;
	enum phase phase;
	uint32_t n_down;
	uint64_t cut_at, back_at, whole_at;
	uint64_t back_cpu, whole_cpu;
	/* Those that have to connect, as a ring. */
	uint32_t *queue;
	uint32_t queue_at, queue_len;
	uint32_t n_failed_attempts;
};

static void on_lost(struct conn *c)
{
	struct resume *r = c->swarm->owner;

	switch (r->phase) {
	case TALKING:
		if (r->n_down++ == 0)
			r->cut_at = now_ns();
		break;
	case WAITING:
		break;
	case RETURNING:
		r->n_failed_attempts++;
		r->queue[(r->queue_at + r->queue_len++) % c->swarm->n_conns] = c->index;
		break;
	}
}

static void send_one(struct resume *r, uint32_t room)
{
	struct conn *c = &r->swarm.conns[room * r->per_room];

	if (c->state != CONN_READY)
		return;
	kind_put_message(c, room, ++c->seq, now_ns());
	conn_flush(c);
}

/** Messages in turn in all rooms until the cut, and until every client has seen it. */
static void talk_until_cut(struct resume *r)
{
	const struct opts *o = r->swarm.opts;
	double interval = (double)NS_PER_S / (o->rate > 0 ? o->rate : RATE);
	uint64_t begun_at = now_ns();
	uint64_t n_sent = 0;
	bool is_ready = false;

	while (r->n_down < r->swarm.n_conns) {
		uint64_t now = now_ns();

		if (!is_ready && now - begun_at > TALK_BEFORE_READY_NS) {
			is_ready = true;
			puts("{\"ready\": true}");
			fflush(stdout);
		}
		if (r->n_down == 0 && (double)(now - begun_at) > (double)n_sent * interval)
			send_one(r, (uint32_t)(n_sent++ % o->rooms));
		swarm_poll(&r->swarm, NS_PER_S / 1000);
		if (now - begun_at > PATIENCE_NS)
			fail("%u of %u connections were cut off", r->n_down, r->swarm.n_conns);
	}
}

/** One client tries until the server takes it. */
static void wait_for_server(struct resume *r)
{
	struct conn *c = &r->swarm.conns[0];

	r->phase = WAITING;
	do {
		swarm_connect(c);
		while (c->state == CONN_CONNECTING)
			swarm_poll(&r->swarm, PROBE_NS);
		if (c->state == CONN_CLOSED)
			swarm_run_for(&r->swarm, PROBE_NS);
		if (now_ns() - r->cut_at > PATIENCE_NS)
			fail("the server does not come back");
	} while (c->state == CONN_CLOSED);
	r->back_at = now_ns();
	r->back_cpu = own_cpu_ns();
}

static void bring_back(struct resume *r)
{
	struct swarm *sw = &r->swarm;
	uint32_t n = sw->n_conns;

	r->phase = RETURNING;
	for (uint32_t i = 1; i < n; i++)
		r->queue[r->queue_len++] = i;
	while (r->log.n_whole < n) {
		/* A connection that was answered counts as open until it is whole. */
		while (r->queue_len > 0 && n - r->queue_len - r->log.n_whole < sw->opts->at_once) {
			struct conn *c = &sw->conns[r->queue[r->queue_at]];

			r->queue_at = (r->queue_at + 1) % n;
			r->queue_len--;
			swarm_connect(c);
		}
		swarm_poll(sw, NS_PER_S / 100);
		if (now_ns() - r->back_at > PATIENCE_NS)
			fail("%u of %u clients are whole, and no more become so", r->log.n_whole,
			     n);
	}
	r->whole_at = now_ns();
	r->whole_cpu = own_cpu_ns();
}

/** One message in each room reaches all of its members. */
static void talk_again(struct resume *r)
{
	uint32_t n_rooms = r->swarm.opts->rooms;
	uint64_t begun_at = now_ns();
	uint64_t n_acks = r->log.n_acks + n_rooms;

	for (uint32_t room = 0; room < n_rooms; room++)
		send_one(r, room);
	while (r->log.n_acks < n_acks || !resume_log_is_level(&r->log, n_rooms)) {
		swarm_poll(&r->swarm, NS_PER_S / 100);
		if (now_ns() - begun_at > PATIENCE_NS / 6)
			fail("a message after the return does not reach all members of its room");
	}
}

json_t *scenario_resume(const struct opts *o)
{
	static struct resume r;
	struct swarm *sw = &r.swarm;

	opts_need_hubbub(o);
	r.per_room = opts_per_room(o, "connections", o->connections);
	swarm_init(sw, o, o->connections, r.per_room);
	sw->owner = &r;
	sw->tokens = xcalloc(sw->n_conns, sizeof(*sw->tokens));
	r.queue = xcalloc(sw->n_conns, sizeof(*r.queue));
	resume_log_init(&r.log, sw, o->rooms);
	swarm_open(sw, 0, sw->n_conns);
	sw->on_lost = on_lost;

	talk_until_cut(&r);
	resume_log_begin_return(&r.log);
	wait_for_server(&r);
	bring_back(&r);
	talk_again(&r);

	double ns = (double)(r.whole_at - r.back_at);
	json_t *j = json_pack("{s:s,s:s,s:i,s:i,s:i,s:f,s:f,s:f,s:i}", "scenario", "resume", "kind",
			      o->kind_name, "connections", (int)o->connections, "rooms",
			      (int)o->rooms, "at_once", (int)o->at_once, "ms_from_cut",
			      (double)(r.whole_at - r.cut_at) / 1e6, "ms_from_back", ns / 1e6,
			      "generator_cpu_fraction", (double)(r.whole_cpu - r.back_cpu) / ns,
			      "failed_attempts", (int)r.n_failed_attempts);

	json_object_update_new(j, resume_log_json(&r.log));
	resume_log_deinit(&r.log);
	free(r.queue);
	swarm_deinit(sw);
	return j;
}
