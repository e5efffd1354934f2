/*
 * The store as a whole: opened, asked, stopped and closed.
 */
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "store/datadir.h"
#include "store/schema.h"
#include "store/store_internal.h"
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

static int read_meta(struct store *st, struct db *db)
{
	sqlite3_stmt *s;
	bool has_epoch = false, has_key = false;

	if (sqlite3_prepare_v2(db->h, "SELECT k, v FROM meta", -1, &s, NULL) != SQLITE_OK)
		return db_errno(db);
	int rc;
	while ((rc = db_step(s)) > 0) {
		struct span k = db_column(s, 0), v = db_column(s, 1);

		if (span_equal(k, SPAN("epoch")) && v.len != 0 && !has_epoch) {
			st->epoch = mem_dup(v.p, v.len);
			has_epoch = true;
		} else if (span_equal(k, SPAN("team"))) {
			st->has_team = true;
		} else if (span_equal(k, SPAN("hash_key")) && v.len == sizeof(st->hash_key)) {
			memcpy(st->hash_key, v.p, v.len);
			has_key = true;
		}
	}
	sqlite3_finalize(s);
	if (rc == 0 && !(has_epoch && has_key))
		rc = -EUCLEAN;
	return rc;
}

/* The schema is checked and migrated on a connection of its own, before anybody else's. */
static int open_database(struct store *st)
{
	struct db db;
	int err = in_place_note(&st->db_file);

	if (err == 0)
		err = db_open(&db, st->path, DB_WRITE);
	if (err != 0) {
		log_error("store: cannot open %s: %s", st->path, db_strerror(err));
		return err;
	}
	err = schema_open(&db, st->path);
	if (err == 0) {
		err = read_meta(st, &db);
		if (err != 0)
			log_error("store: %s is damaged; restore it from a backup", st->path);
	}
	if (err == 0) {
		st->writer.st = st;
		memcpy(st->writer.hash_key, st->hash_key, sizeof(st->hash_key));
		err = writer_open(&st->writer);
		if (err != 0)
			log_error("store: cannot open %s: %s", st->path, st->writer.failure);
	}
	db_close(&db);
	return err;
}

static void join_readers(struct store *st, unsigned n)
{
	mutex_lock(&st->read_lock);
	st->reads_stopping = true;
	cond_broadcast(&st->read_work);
	mutex_unlock(&st->read_lock);
	for (unsigned i = 0; i < n; i++)
		pthread_join(st->readers[i].thread, NULL);
}

static int start_threads(struct store *st)
{
	unsigned n = 0;
	int err = checkpoint_start(st);

	if (err != 0)
		goto fail;
	for (; n < st->n_readers; n++) {
		st->readers[n].st = st;
		/* Now, so that reading goes on when files cannot be opened later.  What fails
		 * here fails the first read again. */
		reader_open(&st->readers[n]);
		err = -pthread_create(&st->readers[n].thread, NULL, reader_main, &st->readers[n]);
		if (err != 0)
			goto fail_readers;
	}
	err = -pthread_create(&st->writer_thread, NULL, writer_main, st);
	if (err != 0)
		goto fail_readers;
	st->running = true;
	return 0;

fail_readers:
	join_readers(st, n);
	checkpoint_stop(st);
fail:
	log_error("store: cannot start its threads: %s", strerror(-err));
	return err;
}

static void init(struct store *st, const struct store_options *opts)
{
	st->hooks = *opts->hooks;
	st->ctx = opts->ctx;
	st->dir = mem_strdup(opts->dir);
	struct buf path = {0};
	buf_printf(&path, "%s/hubbub.db", opts->dir);
	st->path = buf_take(&path, NULL);
	buf_printf(&path, "%s-wal", st->path);
	st->wal_path = buf_take(&path, NULL);
	st->db_file.path = st->path;
	st->wal_file.path = st->wal_path;
	st->max_queue = opts->max_queue;
	st->max_queue_bytes = opts->max_queue_bytes;
	st->lock_fd = -1;
	mutex_init(&st->lock);
	cond_init(&st->work);
	cond_init(&st->stop);
	pace_init(&st->writer.pace, opts->pace_ns);
	st->writer.watch.fd = -1;
	st->last = &st->first;
	st->healthy = true;
	mutex_init(&st->read_lock);
	cond_init(&st->read_work);
	st->last_read = &st->first_read;
	st->n_readers = opts->n_readers != 0 ? opts->n_readers : 1;
	st->readers = mem_zalloc(st->n_readers * sizeof(*st->readers));
	mutex_init(&st->checkpoint_lock);
	cond_init(&st->checkpoint_work);
}

static void free_store(struct store *st)
{
	writer_close(&st->writer);
	for (unsigned i = 0; i < st->n_readers; i++)
		db_close(&st->readers[i].db); /* of one without a thread */
	if (st->lock_fd >= 0)
		close(st->lock_fd);
	cond_deinit(&st->checkpoint_work);
	mutex_deinit(&st->checkpoint_lock);
	cond_deinit(&st->read_work);
	mutex_deinit(&st->read_lock);
	cond_deinit(&st->stop);
	cond_deinit(&st->work);
	mutex_deinit(&st->lock);
	sodium_memzero(st->hash_key, sizeof(st->hash_key));
	sodium_memzero(st->writer.hash_key, sizeof(st->writer.hash_key));
	free(st->readers);
	free(st->epoch);
	free(st->wal_path);
	free(st->path);
	free(st->dir);
	free(st);
}

int store_open(struct store **out, const struct store_options *opts)
{
	int err;

	if (sodium_init() < 0) {
		log_error("store: no source of random numbers");
		return -EIO;
	}
	struct store *st = mem_zalloc(sizeof(*st));
	init(st, opts);
	st->lock_fd = datadir_lock(opts->dir);
	err = st->lock_fd < 0 ? st->lock_fd : open_database(st);
	if (err == 0)
		err = start_threads(st);
	if (err != 0) {
		free_store(st);
		return err;
	}
	*out = st;
	return 0;
}

int store_check_version(const char *dir)
{
	struct buf path = {0};
	struct db db;
	int err;

	buf_printf(&path, "%s/hubbub.db", dir);
	buf_append_char(&path, '\0');
	if (access(path.p, F_OK) != 0 && errno == ENOENT) {
		buf_deinit(&path);
		return 0;
	}
	err = db_open(&db, path.p, DB_READ);
	if (err != 0)
		log_error("store: cannot open %s: %s", path.p, db_strerror(err));
	else
		err = schema_check_version(&db, path.p);
	db_close(&db);
	buf_deinit(&path);
	return err;
}

const char *store_epoch(const struct store *st)
{
	return st->epoch;
}

bool store_had_team(const struct store *st)
{
	return st->has_team;
}

bool store_submit(struct store *st, struct store_op *op)
{
	size_t bytes = op->req != NULL ? op->req->text.len : 0;

	mutex_lock(&st->lock);
	bool fits = !st->stopping && st->n_queued < st->max_queue &&
		    (st->n_queued == 0 || st->queued_bytes + bytes <= st->max_queue_bytes);
	if (fits) {
		op->next = NULL;
		*st->last = op;
		st->last = &op->next;
		st->n_queued++;
		st->queued_bytes += bytes;
		atomic_store_explicit(&st->wants_wake, true, memory_order_release);
	}
	mutex_unlock(&st->lock);
	return fits;
}

/* Whoever takes the mark signals for all who set it. */
static bool take_mark(atomic_bool *mark)
{
	return atomic_load_explicit(mark, memory_order_relaxed) &&
	       atomic_exchange_explicit(mark, false, memory_order_acquire);
}

void store_wake(struct store *st)
{
	if (take_mark(&st->wants_wake)) {
		mutex_lock(&st->lock);
		cond_signal(&st->work);
		mutex_unlock(&st->lock);
	}
	if (take_mark(&st->wants_read_wake)) {
		mutex_lock(&st->read_lock);
		if (st->n_reads_queued > 1)
			cond_broadcast(&st->read_work);
		else
			cond_signal(&st->read_work);
		mutex_unlock(&st->read_lock);
	}
}

bool store_submit_read(struct store *st, struct store_read *read)
{
	mutex_lock(&st->read_lock);
	bool fits = !st->reads_stopping && st->n_reads_queued < st->max_queue;
	if (fits) {
		read->next = NULL;
		*st->last_read = read;
		st->last_read = &read->next;
		st->n_reads_queued++;
		atomic_store_explicit(&st->wants_read_wake, true, memory_order_release);
	}
	mutex_unlock(&st->read_lock);
	return fits;
}

bool store_has_upkeep(struct store *st)
{
	return atomic_load(&st->has_upkeep);
}

bool store_is_healthy(struct store *st)
{
	mutex_lock(&st->lock);
	bool healthy = st->healthy;
	mutex_unlock(&st->lock);
	return healthy;
}

void store_get_stats(struct store *st, struct store_stats *out)
{
	mutex_lock(&st->lock);
	*out = st->stats;
	out->queue = st->n_queued;
	mutex_unlock(&st->lock);
	out->turns = atomic_load_explicit(&st->n_turns, memory_order_relaxed);
	out->is_working = atomic_load_explicit(&st->is_working, memory_order_relaxed);
	mutex_lock(&st->read_lock);
	out->reads = st->n_reads;
	out->read_queue = st->n_reads_queued;
	mutex_unlock(&st->read_lock);
}

void store_stop(struct store *st)
{
	if (!st->running)
		return;
	st->running = false;
	mutex_lock(&st->lock);
	st->stopping = true;
	cond_signal(&st->work);
	cond_signal(&st->stop);
	mutex_unlock(&st->lock);
	pthread_join(st->writer_thread, NULL);
	join_readers(st, st->n_readers);
	checkpoint_stop(st);
}

/*
 * The last connection: what is deleted leaves the WAL with this checkpoint, and with the WAL the
 * directory.
 */
static void checkpoint_whole(struct store *st)
{
	struct db db;
	int err = in_place_check(&st->db_file);

	if (err == 0)
		err = db_open(&db, st->path, DB_WRITE);
	if (err == 0) {
		if (sqlite3_wal_checkpoint_v2(db.h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
		    SQLITE_OK)
			err = db_errno(&db);
		db_close(&db);
	}
	if (err != 0)
		log_warn("store: cannot empty the write-ahead log, the next clean stop will: %s",
			 db_strerror(err));
}

void store_close(struct store *st)
{
	assert(!st->running);
	writer_close(&st->writer);
	checkpoint_whole(st);
	free_store(st);
}
