/*
 * Wrong on purpose: a deletion is in the log, and the text stays.
 */
#include "store/writer.h"

int __wrap_op_clear_target(struct writer *w, int64_t room, int64_t event, uint64_t target,
			   struct span mentions);

int __wrap_op_clear_target(struct writer *w, int64_t room, int64_t event, uint64_t target,
			   struct span mentions)
{
	(void)w;
	(void)room;
	(void)event;
	(void)target;
	(void)mentions;
	return 0;
}
