/* The arithmetic of a bucket.  Times are monotonic nanoseconds: 2^64 of them are 584 years. */
#include "auth/bucket.h"

#define NS_PER_MS 1000000ull

struct bucket_rate bucket_rate_of(unsigned n, unsigned per_ms)
{
	if (n == 0)
		return (struct bucket_rate){0};
	uint64_t step = per_ms * NS_PER_MS / n;

	if (step == 0)
		step = 1; /* more than one in a nanosecond: as good as none */
	return (struct bucket_rate){.step_ns = step, .span_ns = step * n};
}

/* When the bucket is full again once one more was taken. */
static uint64_t after_one(uint64_t full_at, const struct bucket_rate *r, uint64_t now_ns)
{
	return (full_at > now_ns ? full_at : now_ns) + r->step_ns;
}

static uint64_t excess(uint64_t full_at, const struct bucket_rate *r, uint64_t now_ns)
{
	uint64_t allowed = now_ns + r->span_ns;

	return full_at > allowed ? full_at - allowed : 0;
}

uint64_t bucket_take(atomic_uint_fast64_t *full_at, const struct bucket_rate *r, uint64_t now_ns)
{
	uint_fast64_t old = atomic_load_explicit(full_at, memory_order_relaxed);

	if (r->step_ns == 0)
		return 0;
	for (;;) {
		uint64_t next = after_one(old, r, now_ns);
		uint64_t wait_ns = excess(next, r, now_ns);

		if (wait_ns > 0)
			return wait_ns;
		/* Nothing else is published by this word, so no order is asked for. */
		if (atomic_compare_exchange_weak_explicit(full_at, &old, next, memory_order_relaxed,
							  memory_order_relaxed))
			return 0;
	}
}

void bucket_charge(atomic_uint_fast64_t *full_at, const struct bucket_rate *r, uint64_t now_ns,
		   unsigned n)
{
	uint_fast64_t old = atomic_load_explicit(full_at, memory_order_relaxed);
	uint64_t next;

	if (r->step_ns == 0)
		return;
	do {
		uint64_t most = now_ns + 2 * r->span_ns;

		next = (old > now_ns ? old : now_ns) + n * r->step_ns;
		if (next > most)
			next = old > most ? old : most;
	} while (!atomic_compare_exchange_weak_explicit(full_at, &old, next, memory_order_relaxed,
							memory_order_relaxed));
}

uint64_t bucket_wait(atomic_uint_fast64_t *full_at, const struct bucket_rate *r, uint64_t now_ns)
{
	uint64_t at = atomic_load_explicit(full_at, memory_order_relaxed);

	return r->step_ns == 0 ? 0 : excess(after_one(at, r, now_ns), r, now_ns);
}

bool bucket_is_full(atomic_uint_fast64_t *full_at, uint64_t now_ns)
{
	return atomic_load_explicit(full_at, memory_order_relaxed) <= now_ns;
}
