/*
 * What every part of the generator uses: the end with a message, memory, the clock.
 */
#ifndef BENCH_LOAD_BASE_H
#define BENCH_LOAD_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/** Print `bench-load: ` and the message on standard error, and end with exit code 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** Print a remark on standard error and go on. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Zeroed memory for @n objects of @size bytes, or the program ends. */
void *xcalloc(size_t n, size_t size);

/** @old with @size bytes, or the program ends. */
void *xrealloc(void *old, size_t size);

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/** CPU time of this process in nanoseconds. */
static inline uint64_t own_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

#endif
