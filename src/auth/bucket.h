#pragma once
/*
 * A token bucket in one word: the Generic Cell Rate Algorithm (ITU-T I.371, annex A).
 *
 * The word is the theoretical arrival time: the moment at which the bucket would be full if nothing
 * more were taken.  A time that has passed is a full bucket, so a zero is one, and what is full
 * needs no upkeep.  Threads share it by compare-and-swap.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bucket_rate {
	uint64_t step_ns; /* until one comes back; 0: there is no limit */
	uint64_t span_ns; /* from empty to full: as many steps as the bucket holds */
};

/** @n in each @per_ms, as many at once; 0: no limit. */
struct bucket_rate bucket_rate_of(unsigned n, unsigned per_ms);
/** Take one.  0, or the nanoseconds until one is there, in which case nothing was taken. */
uint64_t bucket_take(atomic_uint_fast64_t *full_at, const struct bucket_rate *r, uint64_t now_ns);
/** Take @n whether they are there or not; the debt is never above one bucket. */
void bucket_charge(atomic_uint_fast64_t *full_at, const struct bucket_rate *r, uint64_t now_ns,
		   unsigned n);
/** What bucket_take() would return. */
uint64_t bucket_wait(atomic_uint_fast64_t *full_at, const struct bucket_rate *r, uint64_t now_ns);
bool bucket_is_full(atomic_uint_fast64_t *full_at, uint64_t now_ns);
