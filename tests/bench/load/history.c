/*
 * Reading history: readers ask for stretches of their room's log, each for the next when one has
 * come, first while nothing else happens and then while messages are sent in the same rooms.
 */
#include "base.h"
#include "flow.h"
#include "proc.h"
#include "scenarios.h"

#include <stdlib.h>
#include <string.h>

#define FILL_PER_ROOM 500

/* The flow's own struct comes first: it is what the swarm's owner is taken for. */
struct history {
	struct flow flow;
	uint32_t n_senders; /* the first connections; the readers follow */
	uint32_t limit;
	bool is_reading;
	uint64_t random;
	uint64_t n_read;
	struct hist read_latency;
};

static uint32_t next_random(struct history *h, uint32_t below)
{
	h->random = h->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(h->random >> 33) % below;
}

static void ask(struct history *h, struct conn *c)
{
	/* Somewhere in what was there before, so that both parts read the same. */
	uint32_t before = h->limit + 1 + next_random(h, FILL_PER_ROOM - h->limit);

	conn_put_textf(c,
		       "{\"id\":%u,\"op\":\"history\",\"room\":\"room%u\",\"before\":%u,"
		       "\"limit\":%u}",
		       ++c->seq, c->room, before, h->limit);
	c->opened_at = now_ns();
	conn_flush(c);
}

static void on_message(struct conn *c, const uint8_t *payload)
{
	const struct history *h = c->swarm->owner;

	if (c->index < h->n_senders)
		flow_on_message(c, payload);
}

static void on_reply(struct conn *c, const char *text, size_t len)
{
	struct history *h = c->swarm->owner;

	if (c->index < h->n_senders) {
		flow_on_reply(c, text, len);
		return;
	}
	uint32_t n_events = 0;

	for (const char *p = text; (p = memmem(p, (size_t)(text + len - p), "\"ev\":", 5)) != NULL;
	     p += 5)
		n_events++;
	if (n_events != h->limit)
		fail("%u events in place of %u: %.*s", n_events, h->limit, (int)len, text);
	h->n_read++;
	hist_add(&h->read_latency, c->swarm->now - c->opened_at);
	if (h->is_reading)
		ask(h, c);
}

/** Read for the time that is asked for; with the flow running, its messages are sent as well. */
static json_t *measure(struct history *h, const struct opts *o)
{
	static struct proc_sample from, to;
	struct flow *f = &h->flow;

	h->is_reading = true;
	h->n_read = 0;
	memset(&h->read_latency, 0, sizeof(h->read_latency));
	for (uint32_t i = h->n_senders; i < f->swarm->n_conns; i++)
		ask(h, &f->swarm->conns[i]);
	proc_sample(o, &from);
	f->window_from = now_ns();
	f->window_to = UINT64_MAX;
	uint64_t n_acked = f->n_acked;
	uint64_t ns = (uint64_t)(o->seconds * 1e9);

	if (f->is_running)
		flow_run_for(f, ns);
	else
		swarm_run_for(f->swarm, ns);
	proc_sample(o, &to);
	f->window_to = now_ns();
	h->is_reading = false;

	double took = (double)(to.at_ns - from.at_ns);

	return json_pack("{s:f,s:o,s:f,s:f,s:f,s:o}", "per_second", (double)h->n_read / took * 1e9,
			 "latency_us", hist_json(&h->read_latency), "sends_per_second",
			 (double)(f->n_acked - n_acked) / took * 1e9, "server_cpu_fraction",
			 (double)proc_cpu_between(&from, &to) / took, "generator_cpu_fraction",
			 (double)(to.own_cpu_ns - from.own_cpu_ns) / took, "threads",
			 proc_threads_json(&from, &to));
}

/** Messages enough in each room for the readers. */
static void fill(struct flow *f)
{
	flow_start(f);
	while (f->n_acked < (uint64_t)FILL_PER_ROOM * f->n_rooms * 5 / 4)
		flow_run_for(f, NS_PER_S / 20);
	f->is_running = false;
	swarm_run_for(f->swarm, NS_PER_S / 2);
}

json_t *scenario_history(const struct opts *o)
{
	static struct swarm sw;
	static struct history h;
	struct opts mine = *o;
	struct flow *f = &h.flow;

	opts_need_hubbub(o);
	mine.members = mine.publishers = opts_per_room(o, "senders", o->senders);
	h.n_senders = o->senders;
	h.limit = o->limit;
	h.random = now_ns();
	swarm_init(&sw, &mine, o->senders + o->readers, mine.members);
	for (uint32_t i = 0; i < o->readers; i++)
		sw.conns[o->senders + i].room = i % o->rooms;
	flow_init(f, &sw, &mine);
	flow_watch_replies(f, true);
	sw.on_message = on_message;
	sw.on_reply = on_reply;
	swarm_open(&sw, 0, sw.n_conns);
	fill(f);

	json_t *alone = measure(&h, o);

	swarm_run_for(&sw, NS_PER_S / 4);
	flow_start(f);
	flow_run_for(f, (uint64_t)(o->warmup * 1e9));

	json_t *during = measure(&h, o);

	flow_stop(f);
	json_t *j = json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:f,s:o,s:o,s:o}", "scenario",
			      "history", "kind", o->kind_name, "rooms", (int)o->rooms, "senders",
			      (int)o->senders, "readers", (int)o->readers, "limit", (int)o->limit,
			      "in_flight", (int)o->in_flight, "rate", o->rate, "alone", alone,
			      "during", during, "sends_latency_us", hist_json(&f->ack_latency));

	json_object_update_new(j, flow_checks_json(f));
	flow_deinit(f);
	swarm_deinit(&sw);
	return j;
}
