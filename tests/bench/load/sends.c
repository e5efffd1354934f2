/*
 * Durable sends: every member of the rooms sends, and sends the next when one is acknowledged,
 * which is after its commit.
 */
#include "base.h"
#include "flow.h"
#include "proc.h"
#include "scenarios.h"

json_t *scenario_sends(const struct opts *o)
{
	static struct swarm sw;
	static struct flow f;
	static struct proc_sample from, to;
	struct opts mine = *o;

	opts_need_hubbub(o);
	mine.members = mine.publishers = opts_per_room(o, "senders", o->senders);
	swarm_init(&sw, &mine, mine.rooms * mine.members, mine.members);
	flow_init(&f, &sw, &mine);
	flow_watch_replies(&f, true);
	swarm_open(&sw, 0, sw.n_conns);
	swarm_run_for(&sw, NS_PER_S / 4);

	flow_start(&f);
	flow_run_for(&f, (uint64_t)(o->warmup * 1e9));
	f.window_from = now_ns();
	proc_sample(o, &from);
	uint64_t n_before = f.n_acked;

	flow_run_for(&f, (uint64_t)(o->seconds * 1e9));
	uint64_t n = f.n_acked - n_before;

	proc_sample(o, &to);
	f.window_to = now_ns();
	flow_stop(&f);

	double ns = (double)(to.at_ns - from.at_ns);
	double cpu = (double)proc_cpu_between(&from, &to);
	json_t *threads = proc_threads_json(&from, &to);
	double store_us = json_number_value(json_object_get(threads, "store"));
	json_t *j = json_pack(
		"{s:s,s:s,s:i,s:i,s:i,s:i,s:f,s:I,s:f,s:f,s:f,s:f,s:f,s:o,s:o}", "scenario",
		"sends", "kind", o->kind_name, "senders", (int)o->senders, "rooms", (int)o->rooms,
		"in_flight", (int)o->in_flight, "size", (int)o->size, "seconds", ns / 1e9, "acked",
		(json_int_t)n, "per_second", (double)n / ns * 1e9, "store_cpu_us_per_message",
		n > 0 ? store_us / (double)n : 0.0, "server_cpu_us_per_message",
		n > 0 ? cpu / 1e3 / (double)n : 0.0, "server_cpu_fraction", cpu / ns,
		"generator_cpu_fraction", (double)(to.own_cpu_ns - from.own_cpu_ns) / ns,
		"latency_us", hist_json(&f.ack_latency), "delivery_latency_us",
		hist_json(&f.latency));

	json_object_update_new(j, flow_checks_json(&f));
	json_object_set_new(j, "threads", threads);
	if (f.n_acked != f.n_sent)
		json_object_set_new(j, "ok", json_false());
	json_object_set_new(j, "unacknowledged", json_integer((json_int_t)(f.n_sent - f.n_acked)));
	flow_deinit(&f);
	swarm_deinit(&sw);
	return j;
}
