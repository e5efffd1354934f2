/*
 * Fan-out: publishers in every room, all of its members receive.
 */
#include "base.h"
#include "flow.h"
#include "proc.h"
#include "scenarios.h"

static json_t *result(const struct opts *o, const struct flow *f, const struct proc_sample *from,
		      const struct proc_sample *to, uint64_t n)
{
	double ns = (double)(to->at_ns - from->at_ns);
	double cpu = (double)proc_cpu_between(from, to);
	double own_cpu = (double)(to->own_cpu_ns - from->own_cpu_ns);
	json_t *j = json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:f,s:i}", "scenario", "fanout", "kind",
			      o->kind_name, "rooms", (int)o->rooms, "members", (int)o->members,
			      "publishers", (int)o->publishers, "in_flight", (int)o->in_flight,
			      "rate", o->rate, "size", (int)o->size);
	json_t *more = json_pack("{s:f,s:I,s:f,s:f,s:f,s:f,s:o,s:s,s:o,s:o}", "seconds", ns / 1e9,
				 "deliveries", (json_int_t)n, "per_second", (double)n / ns * 1e9,
				 "cpu_us_per_delivery", n > 0 ? cpu / 1e3 / (double)n : 0.0,
				 "server_cpu_fraction", cpu / ns, "generator_cpu_fraction",
				 own_cpu / ns, "latency_us", hist_json(&f->latency), "latency_of",
				 "every delivery", "send_late_us", hist_json(&f->send_late),
				 "threads", proc_threads_json(from, to));

	json_object_update_new(j, more);
	json_object_update_new(j, flow_checks_json(f));
	return j;
}

json_t *scenario_fanout(const struct opts *o)
{
	static struct swarm sw;
	static struct flow f;
	static struct proc_sample from, to;

	swarm_init(&sw, o, o->rooms * o->members, o->members);
	flow_init(&f, &sw, o);
	swarm_open(&sw, 0, sw.n_conns);
	/* What the joins leave behind (presence, first heartbeats) is not to be measured. */
	swarm_run_for(&sw, NS_PER_S / 4);

	flow_start(&f);
	flow_run_for(&f, (uint64_t)(o->warmup * 1e9));
	f.window_from = now_ns();
	proc_sample(o, &from);
	uint64_t n_before = f.n_delivered;

	flow_run_for(&f, (uint64_t)(o->seconds * 1e9));
	uint64_t n = f.n_delivered - n_before;

	proc_sample(o, &to);
	f.window_to = now_ns();
	flow_stop(&f);

	json_t *j = result(o, &f, &from, &to, n);

	flow_deinit(&f);
	swarm_deinit(&sw);
	return j;
}
