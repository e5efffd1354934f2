/*
 * Whether a worker's output goes at the end of this turn or waits a moment for more.
 *
 * A write costs the same whether it carries one message or twenty, so under load it pays to let a
 * few milliseconds of messages gather.  The rule has four parts:
 *
 *  - a worker that was idle for most of the last while does not wait: there is time for every
 * write;
 *  - output waits at most as long as writing it will take, and at most limit_ns: small broadcasts
 *    go at once, and waiting never costs more than half of the throughput;
 *  - it must pay: where messages that came during the wait went to other connections than those
 *    that waited, no write was saved, and waiting stops;
 *  - now and then a wait is tried all the same, since what comes may have changed.
 */
#include "hubbub/gather.h"

/** The part of the time, in 1/256, from which on a worker is busy. */
#define BUSY_256 102
/** The part of the writes that a wait must save, in 1/256. */
#define WORTH_256 26
/** One of so many waits that would not pay is tried. */
#define TRY_EVERY 32
/** How often the load is looked at. */
#define WINDOW_NS 20000000u
/** Shorter waits are not worth a turn of the loop. */
#define SHORTEST_NS 500000u
/** What one write costs before any was measured. */
#define FIRST_WRITE_NS 5000u

void gather_init(struct gather *g, uint64_t limit_ns)
{
	*g = (struct gather){
		.limit_ns = limit_ns,
		.write_ns = FIRST_WRITE_NS,
		.saved_256 = 256, /* the first wait shows whether it pays */
	};
}

/** An average that moves an eighth of the way. */
static uint64_t drift(uint64_t average, uint64_t now)
{
	return average - average / 8 + now / 8;
}

static void look_at_load(struct gather *g, uint64_t now_ns, uint64_t idle_ns)
{
	uint64_t span = now_ns - g->window_ns;

	if (span < WINDOW_NS)
		return;
	uint64_t idle = idle_ns - g->window_idle_ns;

	g->busy_256 = (unsigned)(idle >= span ? 0 : (span - idle) * 256 / span);
	g->window_ns = now_ns;
	g->window_idle_ns = idle_ns;
}

/** How long output that costs @n_writes may wait; 0: not at all. */
static uint64_t allowance(struct gather *g, uint64_t n_writes)
{
	uint64_t ns = n_writes * g->write_ns;

	if (g->limit_ns == 0 || g->busy_256 < BUSY_256)
		return 0;
	if (ns > g->limit_ns)
		ns = g->limit_ns;
	if (ns < SHORTEST_NS)
		return 0;
	if (g->saved_256 < WORTH_256 && ++g->n_untried < TRY_EVERY)
		return 0;
	g->n_untried = 0;
	return ns;
}

uint64_t gather_wait(struct gather *g, uint64_t now_ns, uint64_t idle_ns)
{
	look_at_load(g, now_ns, idle_ns);
	if (g->until_ns == 0) {
		uint64_t ns = allowance(g, g->n_writes);

		g->n_merged = 0;
		g->until_ns = ns > 0 ? now_ns + ns : 0;
		return ns;
	}
	if (now_ns < g->until_ns)
		return g->until_ns - now_ns;
	/* In finer steps than the average is kept in, or it would stand still. */
	g->saved_256 = drift(g->saved_256 * 16, g->n_merged * 256 * 16 / g->n_writes) / 16;
	g->until_ns = 0;
	return 0;
}

void gather_flushed(struct gather *g, uint64_t n_writes, uint64_t took_ns)
{
	if (n_writes > 0)
		g->write_ns = drift(g->write_ns, took_ns / n_writes);
	g->n_writes = 0;
}
