/*
 * One batch as one transaction, and what becomes of it when that fails.
 *
 * Whatever fails, fails the whole batch: each of its ops is answered `unavailable`, the caches go,
 * and a new connection is opened before anything else is written.  Damage is the exception, since
 * it concerns some pages and not others: then each op is tried by itself.
 */
#include "hubbub/clock.h"
#include "hubbub/log.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <errno.h>
#include <stdlib.h>

enum {
	DAMAGE_SAID_EVERY_MS = 60000,
	DAMAGE_RETRY_MS = 30000, /* a restored backup takes longer still */
};

static int apply(struct writer *w, struct store_op *op)
{
	switch (op->kind) {
	case STORE_HELLO:
		return op_apply_hello(w, op);
	case STORE_JOIN:
		return op_apply_join(w, op);
	case STORE_CREATE:
		return op_apply_create(w, op);
	case STORE_WRITE:
		return op_apply_write(w, op);
	case STORE_MARK:
		return op_apply_mark(w, op);
	case STORE_FORGET:
		return op_apply_forget(w, op);
	case STORE_TOUCH:
		return op_apply_touch(w, op);
	case STORE_SETUP:
		return op_apply_setup(w, op);
	case STORE_SIGN_IN:
		return op_apply_sign_in(w, op);
	case STORE_SIGN_OUT:
		return op_apply_sign_out(w, op);
	case STORE_ACCOUNT:
		return op_apply_account(w, op);
	case STORE_UPKEEP:
		return op_apply_upkeep(w, op);
	case STORE_FOUND:
		break;
	}
	return op_refuse(op, PROTO_E_INTERNAL, "There is no such operation.");
}

static int apply_batch(struct writer *w, struct store_op *batch)
{
	int err = db_run(db_stmt(&w->db, W_BEGIN));

	if (err == 0 && batch == NULL)
		err = db_run(db_stmt(&w->db, W_PROBE));
	for (struct store_op *op = batch; err == 0 && op != NULL; op = op->next)
		err = apply(w, op);
	if (err == 0)
		err = writer_flush_rooms(w);
	if (err != 0)
		db_describe(&w->db, err, w->failure, sizeof(w->failure));
	return err;
}

/*
 * The files are looked at before, since what was committed to a lost one would be read, and behind
 * it, since only then it is known that a restart would find it.
 */
static int commit(struct writer *w)
{
	int err = writer_check_files(w);

	if (err != 0)
		return err;
	err = db_run(db_stmt(&w->db, W_COMMIT));
	if (err == 0)
		return writer_check_files(w);
	db_describe(&w->db, err, w->failure, sizeof(w->failure));
	return err;
}

/* NULL for @batch probes whether the disk takes writes. */
static int commit_batch(struct writer *w, struct store_op *batch)
{
	int err = apply_batch(w, batch);

	if (err == 0)
		err = commit(w);
	if (err == 0) {
		w->last_event = w->batch_event;
		w->last_user = w->batch_user;
		return 0;
	}
	/* Some errors have rolled back already; the connection says whether. */
	if (!sqlite3_get_autocommit(w->db.h))
		db_exec(&w->db, "ROLLBACK");
	w->batch_event = w->last_event;
	w->batch_user = w->last_user;
	writer_drop_caches(w);
	w->broken = true;
	return err;
}

/* Nothing that an op learned in the transaction may be told, or known when it is tried again. */
static void forget_results(struct store_op *op)
{
	free(op->name);
	free(op->token);
	op->name = op->token = NULL;
	store_room_deinit(&op->room);
	op->event = (struct event){0};
	op->scratch.len = op->names.len = op->entry.len = 0;
	op->n_added = 0;
	op->seq = 0;
	op->ts = 0;
	op->dup = op->renamed = op->drops_tail = false;
	op->err = PROTO_OK;
	op->why = NULL;
	op->retry_ms = 0;
}

static void fail_op(struct store_op *op, unsigned retry_ms)
{
	forget_results(op);
	op->err = PROTO_E_UNAVAILABLE;
	op->why = "The storage failed: try again under the same key.";
	op->retry_ms = retry_ms;
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

/* Some pages of the database are not what was written there, and an op needs them. */
static void note_damage(struct store *st)
{
	struct writer *w = &st->writer;
	uint64_t now = clock_mono_ms();

	mutex_lock(&st->lock);
	st->stats.failed_commits++;
	mutex_unlock(&st->lock);
	if (w->damage_said_ms != 0 && now - w->damage_said_ms < DAMAGE_SAID_EVERY_MS)
		return;
	w->damage_said_ms = now;
	log_error("store: what needs a damaged part of the database is unavailable: %s",
		  w->failure);
}

static int try_batch(struct writer *w, struct store_op *batch)
{
	int err = w->broken ? writer_recover(w) : 0;

	return err == 0 ? commit_batch(w, batch) : err;
}

/* All of @batch, which may be NULL, came to @err. */
static void tell(struct store *st, struct store_op *batch, int err)
{
	if (err == -EUCLEAN && batch != NULL)
		note_damage(st);
	else
		note_outcome(st, err == 0, batch != NULL);
	for (struct store_op *op = batch; err != 0 && op != NULL; op = op->next)
		fail_op(op, err == -EUCLEAN ? DAMAGE_RETRY_MS : WRITER_RETRY_MS);
	if (batch != NULL)
		st->hooks.publish(st->ctx, batch);
}

/*
 * One op of the batch, or more, met damage.  Each by itself: what does not need the damaged part
 * goes on.  Any other failure is one for all that are left, which would meet it as well.
 */
static void run_one_by_one(struct store *st, struct store_op *batch)
{
	while (batch != NULL) {
		struct store_op *op = batch, *rest = op->next;

		op->next = NULL;
		forget_results(op);
		int err = try_batch(&st->writer, op);
		if (err != 0 && err != -EUCLEAN) {
			op->next = rest;
			rest = NULL;
		}
		tell(st, op, err);
		batch = rest;
	}
}

void writer_run_batch(struct store *st, struct store_op *batch)
{
	struct writer *w = &st->writer;
	int err = try_batch(w, batch);

	if (err == -EUCLEAN && batch != NULL) {
		run_one_by_one(st, batch);
		/* Whether anything can be written is not known from what met damage last. */
		if (w->broken && !w->failing)
			tell(st, NULL, try_batch(w, NULL));
		err = w->broken ? -EUCLEAN : 0;
	} else {
		tell(st, batch, err);
	}
	if (err == 0) {
		writer_trim_caches(w);
		checkpoint_after_commit(st, w->db.h);
	}
}
