/*
 * A storm of joins: thousands of clients that are connected and known join rooms all at once.
 * These rooms are talking, and so are as many others, that nobody joins.  What counts is the
 * latency in the others, before the storm and during it.
 */
#include "base.h"
#include "flow.h"
#include "kind.h"
#include "proc.h"
#include "scenarios.h"

#include <string.h>

#define RATE 200.0
#define PATIENCE_NS (30 * NS_PER_S)

/* The flow's own struct comes first: it is what the swarm's owner is taken for. */
struct storm {
	struct flow flow;
	uint32_t n_talking; /* the first connections; those that join follow */
	uint32_t n_joined;
	uint64_t begun_at;
	struct hist join_latency;
};

static void on_message(struct conn *c, const uint8_t *payload)
{
	const struct storm *s = c->swarm->owner;

	if (c->index < s->n_talking)
		flow_on_message(c, payload);
}

static void on_reply(struct conn *c, const char *text, size_t len)
{
	struct storm *s = c->swarm->owner;

	(void)text;
	(void)len;
	if (c->index < s->n_talking)
		return;
	s->n_joined++;
	hist_add(&s->join_latency, c->swarm->now - s->begun_at);
}

/** All joins at once; returns when the last is answered. */
static void run_storm(struct storm *s)
{
	struct swarm *sw = s->flow.swarm;
	uint32_t n = sw->n_conns - s->n_talking;

	s->begun_at = now_ns();
	for (uint32_t i = s->n_talking; i < sw->n_conns; i++) {
		kind_put_join(&sw->conns[i]);
		conn_flush(&sw->conns[i]);
		if (i % 16 == 0)
			flow_send_due(&s->flow);
	}
	while (s->n_joined < n) {
		uint64_t wait = flow_send_due(&s->flow);

		swarm_poll(sw, wait);
		if (now_ns() - s->begun_at > PATIENCE_NS)
			fail("%u of %u joins are answered, and no more come", s->n_joined, n);
	}
}

json_t *scenario_joins(const struct opts *o)
{
	static struct swarm sw;
	static struct storm s;
	static struct hist before;
	static struct proc_sample from, to;
	struct opts mine = *o;
	struct flow *f = &s.flow;

	opts_need_hubbub(o);
	mine.rooms = 2 * o->rooms; /* the second half is the one that is joined */
	mine.rate = 2 * (o->rate > 0 ? o->rate : RATE);
	mine.in_flight = 0;
	s.n_talking = mine.rooms * mine.members;
	swarm_init(&sw, &mine, s.n_talking + o->connections, mine.members);
	for (uint32_t i = 0; i < o->connections; i++)
		sw.conns[s.n_talking + i].room = o->rooms + i % o->rooms;
	flow_init(f, &sw, &mine);
	f->latency_rooms = o->rooms;
	sw.on_message = on_message;
	sw.on_reply = on_reply;
	swarm_open(&sw, 0, s.n_talking);
	sw.stays_outside = true;
	swarm_open(&sw, s.n_talking, sw.n_conns);

	flow_start(f);
	flow_run_for(f, (uint64_t)(o->warmup * 1e9));
	f->window_from = now_ns();
	flow_run_for(f, (uint64_t)(o->seconds * 1e9));
	f->window_to = now_ns();
	flow_run_for(f, NS_PER_S / 2);
	before = f->latency;
	memset(&f->latency, 0, sizeof(f->latency));

	f->window_to = UINT64_MAX;
	f->window_from = now_ns();
	proc_sample(o, &from);
	run_storm(&s);
	proc_sample(o, &to);
	f->window_to = now_ns();
	flow_stop(f);

	double ns = (double)(to.at_ns - from.at_ns);
	json_t *j = json_pack(
		"{s:s,s:s,s:i,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o,s:o,s:o}", "scenario",
		"joins", "kind", o->kind_name, "connections", (int)o->connections, "rooms",
		(int)o->rooms, "members", (int)o->members, "rate", mine.rate / 2, "seconds",
		ns / 1e9, "joins_per_second", o->connections / ns * 1e9, "cpu_us_per_join",
		(double)proc_cpu_between(&from, &to) / 1e3 / o->connections, "server_cpu_fraction",
		(double)proc_cpu_between(&from, &to) / ns, "generator_cpu_fraction",
		(double)(to.own_cpu_ns - from.own_cpu_ns) / ns, "join_latency_us",
		hist_json(&s.join_latency), "before_latency_us", hist_json(&before),
		"during_latency_us", hist_json(&f->latency), "threads",
		proc_threads_json(&from, &to));

	json_object_update_new(j, flow_checks_json(f));
	flow_deinit(f);
	swarm_deinit(&sw);
	return j;
}
