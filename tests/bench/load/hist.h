/*
 * A histogram of durations in buckets that grow with the value: 128 to each power of two, so that
 * a bucket is less than 0.8 % wide, from 1 ns to more than any run lasts.
 */
#ifndef BENCH_LOAD_HIST_H
#define BENCH_LOAD_HIST_H

#include <jansson.h>
#include <stdint.h>

#define HIST_SUB_BITS 7
#define HIST_SUB (1 << HIST_SUB_BITS)
#define HIST_BUCKETS ((64 - HIST_SUB_BITS) * HIST_SUB)

struct hist {
	uint64_t n;
	uint64_t max;
	uint64_t counts[HIST_BUCKETS];
};

static inline void hist_add(struct hist *h, uint64_t ns)
{
	uint32_t bucket = (uint32_t)ns;

	if (ns >= HIST_SUB) {
		uint32_t shift = 63 - HIST_SUB_BITS - (uint32_t)__builtin_clzll(ns);

		bucket = (shift << HIST_SUB_BITS) + (uint32_t)(ns >> shift);
	}
	h->counts[bucket]++;
	h->n++;
	if (ns > h->max)
		h->max = ns;
}

/** The value in nanoseconds below which the share @q (0 to 1) of all values lies; 0 for none. */
uint64_t hist_quantile(const struct hist *h, double q);

/** {"p50":..,"p90":..,"p99":..,"p999":..,"max":..,"n":..} in microseconds.  The caller owns it. */
json_t *hist_json(const struct hist *h);

#endif
