/*
 * Connecting: clients that the server knows come, are upgraded, identified by their token (hubbub)
 * and brought into their rooms.  All of them have been there before, so that what is measured
 * makes no users, rooms or memberships.
 */
#include "base.h"
#include "hist.h"
#include "proc.h"
#include "scenarios.h"
#include "swarm.h"

#define QUIET_STEP_NS (NS_PER_S / 10)
#define QUIET_SHARE 0.02
#define QUIET_STEPS_MAX 200

static struct hist latency;

static void on_ready(struct conn *c)
{
	hist_add(&latency, now_ns() - c->opened_at);
}

/** Wait until the server does next to nothing, so that one part's work is not counted in another.
 */
static void wait_until_quiet(struct swarm *sw)
{
	static struct proc_sample from, to;

	proc_sample(sw->opts, &from);
	for (int i = 0; i < QUIET_STEPS_MAX; i++) {
		swarm_run_for(sw, QUIET_STEP_NS);
		proc_sample(sw->opts, &to);
		if ((double)proc_cpu_between(&from, &to) <
		    QUIET_SHARE * (double)(to.at_ns - from.at_ns))
			return;
		from = to;
	}
	fail("the server does not come to rest");
}

json_t *scenario_connect(const struct opts *o)
{
	static struct swarm sw;
	static struct proc_sample from, ready, quiet;
	uint32_t n = o->connections;

	swarm_init(&sw, o, n, (n + o->rooms - 1) / o->rooms);
	sw.tokens = xcalloc(n, sizeof(*sw.tokens));
	swarm_open(&sw, 0, n);
	wait_until_quiet(&sw);
	swarm_close(&sw, 0, n);
	wait_until_quiet(&sw);

	sw.on_ready = on_ready;
	proc_sample(o, &from);
	swarm_open(&sw, 0, n);
	proc_sample(o, &ready);
	wait_until_quiet(&sw);
	proc_sample(o, &quiet);

	double ns = (double)(ready.at_ns - from.at_ns);
	double cpu = (double)proc_cpu_between(&from, &ready);
	json_t *j =
		json_pack("{s:s,s:s,s:i,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o,s:b}", "scenario",
			  "connect", "kind", o->kind_name, "connections", (int)n, "rooms",
			  (int)o->rooms, "at_once", (int)o->at_once, "seconds", ns / 1e9,
			  "per_second", n / ns * 1e9, "cpu_us_per_connection", cpu / 1e3 / n,
			  /* With what comes after the replies, such as telling who is present. */
			  "cpu_us_until_quiet", (double)proc_cpu_between(&from, &quiet) / 1e3 / n,
			  "server_cpu_fraction", cpu / ns, "generator_cpu_fraction",
			  (double)(ready.own_cpu_ns - from.own_cpu_ns) / ns, "latency_us",
			  hist_json(&latency), "threads", proc_threads_json(&from, &ready), "ok",
			  sw.n_ready == n);

	swarm_deinit(&sw);
	return j;
}
