#pragma once
/*
 * Private to store/: when the writer begins its next commit.  Its thread alone uses it.
 */
#include <stddef.h>
#include <stdint.h>

struct pace {
	uint64_t limit_ns;
	uint64_t begun_ns;  /* the last batch was begun then */
	uint64_t per_op_ns; /* what it took for each of its ops */
	unsigned gain_16;   /* average of the ops that came while one waited, in sixteenths */
	unsigned n_untried; /* waits left out since the last, as they would not pay */
};

/** A batch waits for others no longer than @limit_ns after the last was begun; 0: never. */
void pace_init(struct pace *p, uint64_t limit_ns);
/** How long what there is now should wait for more; 0: not at all. */
uint64_t pace_wait(struct pace *p, uint64_t now_ns);
/** A wait is over, in which @n_came ops came. */
void pace_waited(struct pace *p, size_t n_came);
/** A batch of @n_ops was committed. */
void pace_ran(struct pace *p, uint64_t begun_ns, uint64_t ended_ns, size_t n_ops);
