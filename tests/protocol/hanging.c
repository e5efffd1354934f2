/*
 * A server of which a thread hangs or crashes when a certain text or room is asked for.
 */
#include "hubbub/request.h"
#include "store/writer.h"
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum proto_error __real_request_decode(struct request **out, struct span text,
				       const struct config *cfg, const char **why);
enum proto_error __wrap_request_decode(struct request **out, struct span text,
				       const struct config *cfg, const char **why);
int __real_op_apply_join(struct writer *w, struct store_op *op);
int __wrap_op_apply_join(struct writer *w, struct store_op *op);
int __real_backtrace(void **frames, int size);
int __wrap_backtrace(void **frames, int size);
int use_up_the_stack(int depth);

static bool says(struct span text, const char *what)
{
	return memmem(text.p, text.len, what, strlen(what)) != NULL;
}

static void hang(void)
{
	for (;;)
		pause();
}

/* Through pointers that may change, so that the compiler does not see what is wrong here. */
static int (*volatile deeper)(int) = use_up_the_stack;
static int *volatile nowhere;

static volatile bool breaks_backtrace;

int __wrap_backtrace(void **frames, int size)
{
	if (breaks_backtrace)
		*nowhere = 1;
	return __real_backtrace(frames, size);
}

int use_up_the_stack(int depth)
{
	volatile char filler[4096];

	filler[depth % (int)sizeof(filler)] = 1;
	return deeper(depth + 1) + filler[0];
}

enum proto_error __wrap_request_decode(struct request **out, struct span text,
				       const struct config *cfg, const char **why)
{
	breaks_backtrace = says(text, "crash-while-telling");
	if (breaks_backtrace)
		abort();
	if (says(text, "hang-here"))
		hang();
	if (says(text, "write-nowhere"))
		*nowhere = 1;
	if (says(text, "use-up-the-stack"))
		use_up_the_stack(0);
	assert(!says(text, "fail-an-assertion"));
	return __real_request_decode(out, text, cfg, why);
}

int __wrap_op_apply_join(struct writer *w, struct store_op *op)
{
	if (says(op->req->room, "hang-in-the-store"))
		hang();
	return __real_op_apply_join(w, op);
}
