#pragma once
/*
 * Private to store/: the store itself, its queues and its threads.
 *
 * Lock order: none; no thread holds two of these locks, and hooks are called with none.
 */
#include "hubbub/mutex.h"
#include "hubbub/store.h"
#include "store/db.h"
#include "store/in_place.h"
#include "store/writer.h"
#include <stdatomic.h>

struct reader {
	struct store *st;
	struct db db;        /* closed after an error; the next read opens it again */
	bool failing;        /* that was logged */
	unsigned log_number; /* store.log_number when the connection was opened */
	pthread_t thread;
};

struct store {
	/* Constant after store_open(): */
	struct store_hooks hooks;
	void *ctx;
	char *dir;
	char *path;     /* DIR/hubbub.db */
	char *wal_path; /* and the write-ahead log beside it */
	struct in_place_file db_file;
	char *epoch;
	bool has_team;
	unsigned char hash_key[32];
	size_t max_queue, max_queue_bytes;
	int lock_fd;

	atomic_uint_fast64_t n_turns; /* of the writer's thread */
	atomic_bool is_working;

	/* The writer's queue. */
	atomic_bool wants_wake; /* something was queued since the last store_wake() */
	struct mutex lock;
	struct cond work; /* ops wait, or the writer is to stop */
	struct cond stop; /* the latter alone */
	/* Guarded by lock: */
	struct store_op *first, **last;
	size_t n_queued, queued_bytes;
	bool stopping;
	bool healthy;
	struct store_stats stats;

	/* The readers' queue. */
	atomic_bool wants_read_wake;
	struct mutex read_lock;
	struct cond read_work;
	/* Guarded by read_lock: */
	struct store_read *first_read, **last_read;
	size_t n_reads_queued;
	uint64_t n_reads;
	bool reads_stopping;

	struct writer writer;
	pthread_t writer_thread;
	struct in_place_file wal_file; /* the writer thread's */
	/* How often the write-ahead log was lost and begun anew: a connection from before has the
	 * old one, which is empty and nobody's. */
	atomic_uint log_number;
	struct reader *readers;
	unsigned n_readers;
	bool running; /* main thread's */

	/* The checkpoint thread; see checkpoint.c. */
	struct db checkpoint_db;
	pthread_t checkpoint_thread;
	struct mutex checkpoint_lock;
	struct cond checkpoint_work;
	/* Guarded by checkpoint_lock: */
	bool checkpoint_wanted, checkpoint_stopping;
	atomic_int checkpoint_state; /* enum checkpoint_state */
	atomic_int wal_pages;
	atomic_bool has_upkeep;
	int checkpoint_at;              /* pages in the WAL; the writer thread's */
	unsigned checkpoint_log_number; /* log_number when checkpoint_db was opened */
};

/* checkpoint.c */
enum checkpoint_state {
	CHECKPOINT_NONE,
	CHECKPOINT_RUNS, /* on the thread, or soon */
	CHECKPOINT_RAN,  /* the writer does the rest */
};
int checkpoint_start(struct store *st);
void checkpoint_stop(struct store *st);
/** Have the writer's connection tell how long the WAL is after each commit. */
void checkpoint_watch(struct store *st, sqlite3 *writer);
/** Writer's thread, between batches. */
void checkpoint_after_commit(struct store *st, sqlite3 *writer);

/** Open the reader's connection if it is closed, or has lost the log.  0 or a negative errno. */
int reader_open(struct reader *rd);
/** A reader's thread. */
void *reader_main(void *reader);
