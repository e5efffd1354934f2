/*
 * Idle connections: what each costs the server in memory, its own and the kernel's, and what all
 * of them cost in CPU while nothing is said but heartbeats.
 */
#include "base.h"
#include "proc.h"
#include "scenarios.h"
#include "swarm.h"

/* What the joins set going (presence is told once a second) comes to rest in this time. */
#define SETTLE_NS (2 * NS_PER_S)

/*
 * One in so many connections comes before the first look at the memory, so that what a server sets
 * up once (libraries, caches, pools) is not shared out among them.
 */
#define FIRST_PART 100

json_t *scenario_idle(const struct opts *o)
{
	static struct swarm sw;
	static struct proc_sample from, to;
	uint32_t n = o->connections;
	uint32_t n_first = n / FIRST_PART;

	swarm_init(&sw, o, n, (n + o->rooms - 1) / o->rooms);
	swarm_open(&sw, 0, n_first);
	swarm_run_for(&sw, SETTLE_NS / 2);

	uint64_t resident_before = proc_resident_bytes(o);
	uint64_t kernel_before = proc_kernel_bytes();
	double n_more = n - n_first;

	swarm_open(&sw, n_first, n);
	swarm_run_for(&sw, SETTLE_NS);

	uint64_t resident = proc_resident_bytes(o);
	uint64_t kernel = proc_kernel_bytes();

	proc_sample(o, &from);
	swarm_run_for(&sw, (uint64_t)(o->seconds * 1e9));
	proc_sample(o, &to);

	double ns = (double)(to.at_ns - from.at_ns);
	double kernel_growth = (double)kernel - (double)kernel_before;
	json_t *j = json_pack(
		"{s:s,s:s,s:i,s:i,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:o,s:b}", "scenario", "idle", "kind",
		o->kind_name, "connections", (int)n, "rooms", (int)o->rooms, "resident_before",
		(json_int_t)resident_before, "resident", (json_int_t)resident,
		"bytes_per_connection", ((double)resident - (double)resident_before) / n_more,
		/* Both ends are on this machine. */
		"kernel_bytes_per_connection", kernel_growth / 2 / n_more, "seconds", ns / 1e9,
		"idle_cpu_fraction", (double)proc_cpu_between(&from, &to) / ns,
		"generator_cpu_fraction", (double)(to.own_cpu_ns - from.own_cpu_ns) / ns, "threads",
		proc_threads_json(&from, &to), "ok", sw.n_ready == n);

	swarm_deinit(&sw);
	return j;
}
