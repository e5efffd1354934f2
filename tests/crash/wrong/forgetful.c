/*
 * Wrong on purpose: a reaction is in the log, and now and then nowhere else.
 */
#include "store/writer.h"

enum {
	FORGOTTEN_EVERY = 8
};

int __real_op_apply_reaction(struct writer *w, const struct store_op *op, uint64_t seq,
			     uint64_t *count);
int __wrap_op_apply_reaction(struct writer *w, const struct store_op *op, uint64_t seq,
			     uint64_t *count);

int __wrap_op_apply_reaction(struct writer *w, const struct store_op *op, uint64_t seq,
			     uint64_t *count)
{
	static unsigned n;

	if (++n % FORGOTTEN_EVERY != 0)
		return __real_op_apply_reaction(w, op, seq, count);
	*count = op->req->on;
	return 1;
}
