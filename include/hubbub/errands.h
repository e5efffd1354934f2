#pragma once
/* Layer: auth. */
#include "hubbub/worker.h"
#include <stdatomic.h>

/**
 * Threads for what waits for other servers: an identity provider, a mail server.  Such a server may
 * take its time, so nothing else waits behind it, and only so many errands may be under way.
 */
struct errands;

/** One errand.  Embedded as the FIRST member of what runs it. */
struct errand {
	/** Travels back to the worker that asked, which owns it then. */
	struct inbox_msg msg;
	struct errand *next;
	unsigned worker;
	/** An errand thread.  May take seconds; should give up soon once @stopping is true. */
	void (*run)(struct errand *e, const atomic_bool *stopping);
	/** Free it: nobody can be told any longer. */
	void (*drop)(struct errand *e);
};

#define ERRANDS_MAX 64 /* that may wait or run */

/** Start the threads.  0 or a negative errno.  @workers stay until errands_stop(). */
int errands_start(struct errands **out, struct worker *workers);
/** Any thread.  False: too many wait, or it stops; @e is the caller's still. */
bool errands_submit(struct errands *es, struct errand *e);
/** End the threads and drop what waits, before the workers end.  NULL is allowed. */
void errands_stop(struct errands *es);
