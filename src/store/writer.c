/*
 * The writer's thread: takes what waits, commits it as one transaction, publishes it, and only then
 * takes the next batch.
 *
 * While one batch is being committed the next one gathers, and sometimes a moment longer (pace.c).
 * Whatever fails,
 * fails the whole batch: each of its ops is answered `unavailable`, the caches go, and the
 * connection is closed and opened before anything else is written.
 */
#include "store/writer.h"
#include "hubbub/clock.h"
#include "hubbub/crash.h"
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "store/store_internal.h"
#include <stdlib.h>

enum {
	BATCH_MAX_OPS = 1024,
	BATCH_MAX_BYTES = 1 << 20,
	ADMISSION_WAIT_MS = 2,
};

static size_t op_bytes(const struct store_op *op)
{
	return op->req != NULL ? op->req->text.len : 0;
}

/* Until there is something to do.  False: nothing waits, but it is time to try the disk again. */
static bool await_work_locked(struct store *st, bool failing) REQUIRES(st->lock)
{
	while (st->first == NULL && !st->stopping) {
		if (!failing) {
			cond_wait(&st->work, &st->lock);
			continue;
		}
		cond_wait_ms(&st->work, &st->lock, WRITER_RETRY_MS);
		return st->first != NULL || st->stopping;
	}
	return true;
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

static int apply(struct writer *w, struct store_op *op)
{
	switch (op->kind) {
	case STORE_HELLO:
		return op_apply_hello(w, op);
	case STORE_JOIN:
		return op_apply_join(w, op);
	case STORE_WRITE:
		return op_apply_write(w, op);
	case STORE_MARK:
		return op_apply_mark(w, op);
	case STORE_FORGET:
		return op_apply_forget(w, op);
	case STORE_TOUCH:
		return op_apply_touch(w, op);
	case STORE_FOUND:
		break;
	}
	return op_refuse(op, PROTO_E_INTERNAL, "There is no such operation.");
}

/* NULL for @batch probes whether the disk takes writes. */
static int commit_batch(struct writer *w, struct store_op *batch)
{
	int err = db_run(db_stmt(&w->db, W_BEGIN));

	if (err == 0 && batch == NULL)
		err = db_run(db_stmt(&w->db, W_PROBE));
	for (struct store_op *op = batch; err == 0 && op != NULL; op = op->next)
		err = apply(w, op);
	if (err == 0)
		err = writer_flush_rooms(w);
	if (err == 0)
		err = db_run(db_stmt(&w->db, W_COMMIT));
	if (err == 0) {
		w->last_event = w->batch_event;
		w->last_user = w->batch_user;
		return 0;
	}
	db_describe(&w->db, w->failure, sizeof(w->failure));
	/* Some errors have rolled back already; the connection says whether. */
	if (!sqlite3_get_autocommit(w->db.h))
		db_exec(&w->db, "ROLLBACK");
	w->batch_event = w->last_event;
	w->batch_user = w->last_user;
	writer_drop_caches(w);
	w->broken = true;
	return err;
}

/* Nothing that an op learned in the transaction may be told. */
static void fail_op(struct store_op *op)
{
	free(op->name);
	free(op->token);
	op->name = op->token = NULL;
	store_room_deinit(&op->room);
	op->event = (struct event){0};
	op->scratch.len = 0;
	op->seq = 0;
	op->ts = 0;
	op->dup = op->renamed = op->drops_tail = false;
	op->err = PROTO_E_UNAVAILABLE;
	op->why = "The storage failed: try again under the same key.";
	op->retry_ms = WRITER_RETRY_MS;
}

static void note_outcome(struct store *st, bool ok, bool committed)
{
	struct writer *w = &st->writer;

	mutex_lock(&st->lock);
	st->healthy = ok;
	st->stats.commits += committed && ok;
	st->stats.failed_commits += !ok;
	mutex_unlock(&st->lock);
	if (!ok && !w->failing)
		log_error("store: cannot write, answering unavailable until it works: %s",
			  w->failure);
	if (ok && w->failing)
		log_info("store: writing works again");
	w->failing = !ok;
}

static void run_batch(struct store *st, struct store_op *batch)
{
	struct writer *w = &st->writer;
	int err = w->broken ? writer_recover(w) : 0;

	if (err == 0)
		err = commit_batch(w, batch);
	note_outcome(st, err == 0, batch != NULL);
	for (struct store_op *op = batch; err != 0 && op != NULL; op = op->next)
		fail_op(op);
	if (batch != NULL)
		st->hooks.publish(st->ctx, batch);
	if (err == 0) {
		writer_trim_caches(w);
		checkpoint_after_commit(st, w->db.h);
	}
}

void *writer_main(void *store)
{
	struct store *st = store;

	pthread_setname_np(pthread_self(), "store");
	crash_watch_thread();
	for (;;) {
		struct store_op *batch = NULL;
		size_t n_ops = 0;

		atomic_store_explicit(&st->is_working, false, memory_order_relaxed);
		atomic_fetch_add_explicit(&st->n_turns, 1, memory_order_relaxed);
		mutex_lock(&st->lock);
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

		atomic_store_explicit(&st->is_working, true, memory_order_relaxed);
		uint64_t begun = clock_mono_ns();
		run_batch(st, batch);
		pace_ran(&st->writer.pace, begun, clock_mono_ns(), n_ops);
	}
}
