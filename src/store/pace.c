/*
 * Whether the writer takes what there is at once, or a moment later together with more.
 *
 * A commit costs much the same whether it brings one message or ten.  When the disk is slow, or
 * much is written, the next batch gathers while the last is committed.  In between, where messages
 * come faster than one can look but slower than they can be committed one by one, each would be a
 * transaction of its own, and most of a core would go into that.  So:
 *
 *  - what comes after a pause is taken at once;
 *  - else a batch is begun no sooner after the one before than DEAR times what that one took for
 *    each of its ops, and limit_ns at most: the better batches are filled, the sooner the next is
 *    begun;
 *  - it must pay: where nothing came during such waits, somebody who waits for each reply before
 *    they go on is only made slower, and waiting stops;
 *  - now and then a wait is tried all the same, since who is there may have changed.
 */
#include "store/pace.h"

/** How many times what an op took in the last batch lies between the beginnings of two batches. */
#define DEAR 64
/** Ops that must come in a wait for it to pay, in sixteenths. */
#define WORTH_16 16
/** One of so many waits that would not pay is tried. */
#define TRY_EVERY 64

void pace_init(struct pace *p, uint64_t limit_ns)
{
	*p = (struct pace){.limit_ns = limit_ns};
}

uint64_t pace_wait(struct pace *p, uint64_t now_ns)
{
	uint64_t apart = p->per_op_ns * DEAR;

	if (apart > p->limit_ns)
		apart = p->limit_ns;
	if (now_ns - p->begun_ns >= apart)
		return 0;
	if (p->gain_16 < WORTH_16 && ++p->n_untried < TRY_EVERY)
		return 0;
	p->n_untried = 0;
	return p->begun_ns + apart - now_ns;
}

void pace_waited(struct pace *p, size_t n_came)
{
	unsigned now_16 = n_came < 1024 ? (unsigned)n_came * 16 : 1024 * 16;

	p->gain_16 = (p->gain_16 * 3 + now_16 + 3) / 4;
}

void pace_ran(struct pace *p, uint64_t begun_ns, uint64_t ended_ns, size_t n_ops)
{
	p->begun_ns = begun_ns;
	p->per_op_ns = n_ops > 0 ? (ended_ns - begun_ns) / n_ops : 0;
}
