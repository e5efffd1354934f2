/*
 * What a server uses, from /proc: CPU of each of its threads, and resident memory.
 */
#ifndef BENCH_LOAD_PROC_H
#define BENCH_LOAD_PROC_H

#include "opts.h"

#include <jansson.h>

#define PROC_THREADS_MAX 256

struct proc_thread {
	pid_t tid;
	char name[16];
	uint64_t cpu_ns;
};

struct proc_sample {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	uint64_t own_cpu_ns;
	uint32_t n_threads;
	struct proc_thread threads[PROC_THREADS_MAX];
};

/** Take a sample of the processes of @o and of this one.  Fails if one of them is gone. */
void proc_sample(const struct opts *o, struct proc_sample *s);

/** CPU that the processes used between two samples, in nanoseconds. */
uint64_t proc_cpu_between(const struct proc_sample *from, const struct proc_sample *to);

/** The same for each name of a thread, in microseconds, as an object.  The caller owns it. */
json_t *proc_threads_json(const struct proc_sample *from, const struct proc_sample *to);

/** Resident memory of the processes together, in bytes. */
uint64_t proc_resident_bytes(const struct opts *o);

/** Memory that the kernel holds for its own objects and for TCP's buffers, in bytes. */
uint64_t proc_kernel_bytes(void);

#endif
