/*
 * Checkpoints: moving committed pages from the WAL into the database file.
 *
 * They run on a thread and a connection of their own, so that no commit waits for them.  But the
 * WAL starts over only after a checkpoint that reached its end, and under steady load the writer
 * is always ahead.  So behind the thread the writer itself copies the little that has come
 * meanwhile, between two batches.
 *
 * A checkpoint copies a page once, however often it was written, and the hot pages of indexes are
 * written with every batch: the longer the WAL may grow, the less there is to copy.
 */
#include "hubbub/crash.h"
#include "hubbub/log.h"
#include "store/store_internal.h"
#include <errno.h>

enum {
	CHECKPOINT_PAGES = 4000 /* 16 MB, which a start after a crash has to read again */
};

static int on_commit(void *store, sqlite3 *h, const char *name, int pages)
{
	struct store *st = store;

	(void)h;
	(void)name;
	atomic_store_explicit(&st->wal_pages, pages, memory_order_relaxed);
	return SQLITE_OK;
}

void checkpoint_watch(struct store *st, sqlite3 *writer)
{
	sqlite3_wal_hook(writer, on_commit, st);
}

static void ask_thread(struct store *st)
{
	atomic_store(&st->checkpoint_state, CHECKPOINT_RUNS);
	mutex_lock(&st->checkpoint_lock);
	st->checkpoint_wanted = true;
	cond_signal(&st->checkpoint_work);
	mutex_unlock(&st->checkpoint_lock);
}

void checkpoint_after_commit(struct store *st, sqlite3 *writer)
{
	int pages = atomic_load_explicit(&st->wal_pages, memory_order_relaxed);
	int copied = 0, in_wal = -1;

	switch (atomic_load(&st->checkpoint_state)) {
	case CHECKPOINT_NONE:
		if (pages < CHECKPOINT_PAGES)
			st->checkpoint_at = CHECKPOINT_PAGES;
		if (pages >= st->checkpoint_at)
			ask_thread(st);
		break;
	case CHECKPOINT_RUNS:
		break;
	case CHECKPOINT_RAN:
		atomic_store(&st->checkpoint_state, CHECKPOINT_NONE);
		sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal,
					  &copied);
		/* A long read or a full disk may keep it from the end.  It is tried again when the
		 * WAL has grown by as much as a checkpoint is worth, not after each commit. */
		st->checkpoint_at = copied == in_wal ? CHECKPOINT_PAGES : pages + CHECKPOINT_PAGES;
		break;
	}
}

static int open_connection(struct store *st, struct db *db)
{
	unsigned log_number = atomic_load(&st->log_number);
	int err = db_open(db, st->path, DB_WRITE);

	if (err != 0)
		return err;
	/* Reading something makes SQLite find the WAL, without which a checkpoint does nothing. */
	int64_t version;
	err = db_get_int(db, "PRAGMA schema_version", &version);
	if (err != 0)
		db_close(db);
	else
		st->checkpoint_log_number = log_number;
	return err;
}

/* The old one goes last: while a connection is open, nobody removes the WAL. */
static int follow_log(struct store *st)
{
	struct db fresh;

	if (st->checkpoint_log_number == atomic_load(&st->log_number))
		return 0;
	int err = in_place_check(&st->db_file);
	if (err == 0)
		err = open_connection(st, &fresh);
	if (err != 0)
		return err;
	db_close(&st->checkpoint_db);
	st->checkpoint_db = fresh;
	return 0;
}

static void run_checkpoint(struct store *st, bool *failing)
{
	int err = follow_log(st);

	if (err == 0 &&
	    sqlite3_wal_checkpoint_v2(st->checkpoint_db.h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
				      NULL) != SQLITE_OK)
		err = db_errno(&st->checkpoint_db);
	atomic_store(&st->checkpoint_state, CHECKPOINT_RAN);
	bool failed = err != 0 && err != -EBUSY;

	/* Nothing is lost by it: what was committed stays in the WAL.  Once a change of state. */
	if (failed && !*failing) {
		char why[160];
		db_describe(&st->checkpoint_db, err, why, sizeof(why));
		log_warn("store: cannot checkpoint: %s", why);
	}
	*failing = failed;
}

static void *checkpoint_main(void *store)
{
	struct store *st = store;
	bool failing = false;

	pthread_setname_np(pthread_self(), "checkpoint");
	crash_watch_thread();
	mutex_lock(&st->checkpoint_lock);
	while (!st->checkpoint_stopping) {
		if (!st->checkpoint_wanted) {
			cond_wait(&st->checkpoint_work, &st->checkpoint_lock);
			continue;
		}
		st->checkpoint_wanted = false;
		mutex_unlock(&st->checkpoint_lock);
		run_checkpoint(st, &failing);
		mutex_lock(&st->checkpoint_lock);
	}
	mutex_unlock(&st->checkpoint_lock);
	return NULL;
}

int checkpoint_start(struct store *st)
{
	int err = open_connection(st, &st->checkpoint_db);

	if (err == 0)
		err = -pthread_create(&st->checkpoint_thread, NULL, checkpoint_main, st);
	if (err != 0)
		db_close(&st->checkpoint_db);
	return err;
}

void checkpoint_stop(struct store *st)
{
	mutex_lock(&st->checkpoint_lock);
	st->checkpoint_stopping = true;
	cond_signal(&st->checkpoint_work);
	mutex_unlock(&st->checkpoint_lock);
	pthread_join(st->checkpoint_thread, NULL);
	db_close(&st->checkpoint_db);
}
