/*
 * The writer's thread: takes what waits, commits it as one transaction, publishes it, and only then
 * takes the next batch.
 *
 * While one batch is being committed the next one gathers, and sometimes a moment longer (pace.c).
 */
#include "store/writer.h"
#include "hubbub/clock.h"
#include "hubbub/crash.h"
#include "store/store_internal.h"
#include <pthread.h>

enum {
	BATCH_MAX_OPS = 1024,
	BATCH_MAX_BYTES = 1 << 20,
	ADMISSION_WAIT_MS = 2,
	FILES_LOOKED_AT_MS = 2000, /* while there is nothing to write */
};

static size_t op_bytes(const struct store_op *op)
{
	return op->req != NULL ? op->req->text.len : 0;
}

/* Until there is something to do.  False: nothing waits, but it is time to look at the disk. */
static bool await_work_locked(struct store *st, bool failing) REQUIRES(st->lock)
{
	if (st->first == NULL && !st->stopping)
		cond_wait_ms(&st->work, &st->lock, failing ? WRITER_RETRY_MS : FILES_LOOKED_AT_MS);
	return st->first != NULL || st->stopping;
}

/* Wait while the receivers are over their bound; a stopping store takes all the same, since who
 * would make room may be gone. */
static void await_admission_locked(struct store *st) REQUIRES(st->lock)
{
	while (!st->stopping) {
		mutex_unlock(&st->lock);
		bool may = st->hooks.may_take == NULL || st->hooks.may_take(st->ctx);
		mutex_lock(&st->lock);
		if (may)
			return;
		cond_wait_ms(&st->work, &st->lock, ADMISSION_WAIT_MS);
	}
}

/* Let a batch fill, where that pays.  Whoever submits wakes nobody meanwhile. */
static void await_more_locked(struct store *st) REQUIRES(st->lock)
{
	size_t n_before = st->n_queued;
	uint64_t ns = pace_wait(&st->writer.pace, clock_mono_ns());

	if (ns == 0 || st->stopping)
		return;
	cond_wait_ns(&st->stop, &st->lock, ns);
	pace_waited(&st->writer.pace, st->n_queued - n_before);
}

static struct store_op *take_batch_locked(struct store *st, size_t *n_ops) REQUIRES(st->lock)
{
	struct store_op *batch = st->first;
	struct store_op *last = NULL;
	size_t n = 0, bytes = 0;

	for (struct store_op *op = batch; op != NULL; op = op->next) {
		if (n == BATCH_MAX_OPS || (n != 0 && bytes + op_bytes(op) > BATCH_MAX_BYTES))
			break;
		n++;
		bytes += op_bytes(op);
		last = op;
	}
	if (last == NULL)
		return NULL;
	st->first = last->next;
	if (st->first == NULL)
		st->last = &st->first;
	last->next = NULL;
	st->n_queued -= n;
	st->queued_bytes -= bytes;
	st->stats.ops += n;
	*n_ops = n;
	return batch;
}

void *writer_main(void *store)
{
	struct store *st = store;

	pthread_setname_np(pthread_self(), "store");
	crash_watch_thread();
	for (uint64_t spent = 0;;) {
		struct store_op *batch = NULL;
		size_t n_ops = 0;

		atomic_store_explicit(&st->is_working, false, memory_order_relaxed);
		atomic_fetch_add_explicit(&st->n_turns, 1, memory_order_relaxed);
		mutex_lock(&st->lock);
		st->stats.batch_ns += spent;
		if (await_work_locked(st, st->writer.failing)) {
			if (st->first != NULL) {
				await_more_locked(st);
				await_admission_locked(st);
			}
			batch = take_batch_locked(st, &n_ops);
			if (batch == NULL) {
				mutex_unlock(&st->lock);
				return NULL; /* stopping, and everything was taken */
			}
		}
		mutex_unlock(&st->lock);

		if (batch == NULL && !st->writer.failing) {
			if (writer_check_files(&st->writer) == 0)
				continue;
			st->writer.broken = true;
		}
		atomic_store_explicit(&st->is_working, true, memory_order_relaxed);
		uint64_t begun = clock_mono_ns();
		writer_run_batch(st, batch);
		uint64_t ended = clock_mono_ns();
		pace_ran(&st->writer.pace, begun, ended, n_ops);
		spent = ended - begun;
	}
}
