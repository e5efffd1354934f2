#pragma once
/* Layer: net. */
#include <stdint.h>

/**
 * When a worker's output is written: at the end of the turn, or a moment later with what comes
 * until then (src/net/gather.c has the rule).  Embedded in struct worker; its thread alone.
 */
struct gather {
	uint64_t limit_ns; /* constant: the longest wait; 0: none */
	/* What waits, counted by those who queue it: */
	uint64_t n_writes; /* connections that will be written to */
	uint64_t n_merged; /* messages for connections that would have been written to anyway */
	/* The rule's own: */
	uint64_t until_ns;                  /* a wait is under way until then; 0: none is */
	uint64_t write_ns;                  /* what a write costs, on average */
	uint64_t window_ns, window_idle_ns; /* since when the load is counted */
	uint64_t saved_256;                 /* writes that a wait saves, in 1/256 */
	unsigned busy_256;                  /* the load of the last window, in 1/256 */
	unsigned n_untried;
};

void gather_init(struct gather *g, uint64_t limit_ns);
/**
 * How long, in ns, what is queued should wait still; 0: write it now.  @now_ns is monotonic,
 * @idle_ns the time that the loop has spent waiting, ever.
 */
uint64_t gather_wait(struct gather *g, uint64_t now_ns, uint64_t idle_ns);
/** It was written: to so many connections in so many ns. */
void gather_flushed(struct gather *g, uint64_t n_writes, uint64_t took_ns);
