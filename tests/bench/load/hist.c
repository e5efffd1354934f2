#include "hist.h"

#include <math.h>

/** The middle of a bucket. */
static uint64_t bucket_value(uint32_t bucket)
{
	if (bucket < 2 * HIST_SUB)
		return bucket;
	uint32_t shift = (bucket >> HIST_SUB_BITS) - 1;
	uint64_t low = (uint64_t)(HIST_SUB + (bucket & (HIST_SUB - 1))) << shift;

	return low + ((uint64_t)1 << shift) / 2;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	uint64_t wanted = (uint64_t)ceil(q * (double)h->n);
	uint64_t seen = 0;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->counts[i];
		if (seen > 0 && seen >= wanted)
			return bucket_value(i) < h->max ? bucket_value(i) : h->max;
	}
	return 0;
}

json_t *hist_json(const struct hist *h)
{
	return json_pack("{s:f,s:f,s:f,s:f,s:f,s:I}", "p50", (double)hist_quantile(h, 0.5) / 1e3,
			 "p90", (double)hist_quantile(h, 0.9) / 1e3, "p99",
			 (double)hist_quantile(h, 0.99) / 1e3, "p999",
			 (double)hist_quantile(h, 0.999) / 1e3, "max", (double)h->max / 1e3, "n",
			 (json_int_t)h->n);
}
