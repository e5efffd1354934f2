/*
 * SQLite alone: what it costs to store a message, with the server's own schema, statements and
 * settings, in transactions of a given number of messages, and nothing else.
 *
 * Each message is looked for under its key, numbered among its author's, and inserted; a
 * transaction ends with the rows of the rooms that it changed, and the commit waits for the disk.
 * That is what the server's writer does for a message.  Checkpoints are left out, as the server
 * has a thread of their own for them.
 */
#include "hubbub/event.h"
#include "store/schema.h"
#include "store/store_internal.h"

#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define N_ROOMS 16
#define N_AUTHORS 64
#define TEXT_LEN 128
#define HASH_LEN 16
#define BATCH_MAX 100000
#define N_BATCHES_MAX 16
#define CHECKPOINT_PAGES 1000
#define WARM_UP_SHARE 0.2

struct room {
	int64_t id;
	uint64_t head;
	bool is_dirty;
};

struct bench {
	struct store store; /* only its path is used, and the length of the log kept in it */
	struct writer writer;
	struct room rooms[N_ROOMS];
	int64_t authors[N_AUTHORS];
	uint64_t n_messages;
	double seconds; /* for each size of a batch */
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench-sqlite: %s: %s\n", what, why);
	exit(1);
}

static void must(struct bench *b, int err)
{
	if (err >= 0)
		return;
	char text[256];

	db_describe(&b->writer.db, text, sizeof(text));
	fail("the database failed", text);
}

static double clock_s(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void open_database(struct bench *b)
{
	struct db db = {0};
	FILE *f = fopen(b->store.path, "we"); /* the store makes no file in db_open() either */

	if (f == NULL || fclose(f) != 0)
		fail(b->store.path, "cannot be made");
	if (db_open(&db, b->store.path, DB_WRITE) != 0 || schema_open(&db, b->store.path) != 0)
		fail(b->store.path, "gets no schema");
	db_close(&db);
	b->writer.st = &b->store;
	must(b, writer_open(&b->writer));
}

/** Rooms and users, as hello and join would make them. */
static void populate(struct bench *b)
{
	struct db *db = &b->writer.db;
	char text[64];
	int len;

	must(b, db_run(db_stmt(db, W_BEGIN)));
	for (int i = 0; i < N_ROOMS; i++) {
		sqlite3_stmt *s = db_stmt(db, W_ROOM_NEW);

		len = snprintf(text, sizeof(text), "room%012d", i);
		db_bind_text(s, 1, (struct span){.p = text, .len = (size_t)len});
		db_bind_text(s, 2, (struct span){.p = text, .len = (size_t)len});
		db_bind_text(s, 3, (struct span){.p = text, .len = (size_t)len});
		must(b, db_run(s));
		b->rooms[i].id = sqlite3_last_insert_rowid(db->h);
	}
	for (int i = 0; i < N_AUTHORS; i++) {
		sqlite3_stmt *s = db_stmt(db, W_USER_NEW);

		len = snprintf(text, sizeof(text), "author%026d", i);
		db_bind_text(s, 1, (struct span){.p = text, .len = (size_t)len});
		db_bind_text(s, 2, (struct span){.p = text, .len = (size_t)len});
		db_bind_blob(s, 3, (struct span){.p = text, .len = (size_t)len});
		db_bind_int(s, 4, 1);
		must(b, db_run(s));
		b->authors[i] = sqlite3_last_insert_rowid(db->h);
	}
	must(b, db_run(db_stmt(db, W_COMMIT)));
}

static int64_t next_own_ord(struct bench *b, int64_t author, int64_t room)
{
	sqlite3_stmt *s = db_stmt(&b->writer.db, W_OWN_ORD);
	int64_t ord = 1;

	db_bind_int(s, 1, author);
	db_bind_int(s, 2, room);
	int rc = db_step(s);

	must(b, rc);
	if (rc > 0) {
		ord += sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
	}
	return ord;
}

static void store_message(struct bench *b)
{
	uint64_t n = b->n_messages++;
	struct room *room = &b->rooms[n % N_ROOMS];
	int64_t author = b->authors[n % N_AUTHORS];
	char text[TEXT_LEN];
	char key[32];
	struct span key_span = {.p = key};

	memset(text, '.', sizeof(text));
	key_span.len = (size_t)snprintf(key, sizeof(key), "%08llx-%llu",
					(unsigned long long)n * 2654435761u % 0xffffffff,
					(unsigned long long)n);

	sqlite3_stmt *s = db_stmt(&b->writer.db, W_EVENT_BY_KEY);

	db_bind_int(s, 1, author);
	db_bind_blob(s, 2, key_span);
	must(b, db_step(s));
	int64_t own_ord = next_own_ord(b, author, room->id);

	s = db_stmt(&b->writer.db, W_EVENT_NEW);
	db_bind_int(s, 1, room->id);
	db_bind_int(s, 2, (int64_t)++room->head);
	db_bind_int(s, 3, 1790000000000 + (int64_t)n);
	db_bind_int(s, 4, EVENT_MESSAGE);
	db_bind_int(s, 5, author);
	db_bind_int(s, 9, (int64_t)room->head);
	db_bind_int(s, 10, own_ord);
	db_bind_blob(s, 14, key_span);
	db_bind_blob(s, 15, (struct span){.p = text, .len = HASH_LEN});
	db_bind_blob(s, 17, (struct span){.p = text, .len = TEXT_LEN});
	must(b, db_run(s));
	room->is_dirty = true;
}

static void run_batch(struct bench *b, int batch)
{
	struct db *db = &b->writer.db;

	must(b, db_run(db_stmt(db, W_BEGIN)));
	for (int i = 0; i < batch; i++)
		store_message(b);
	for (int i = 0; i < N_ROOMS; i++) {
		struct room *room = &b->rooms[i];

		if (!room->is_dirty)
			continue;
		sqlite3_stmt *s = db_stmt(db, W_ROOM_FLUSH);

		db_bind_int(s, 1, room->id);
		db_bind_int(s, 2, (int64_t)room->head);
		db_bind_int(s, 3, (int64_t)room->head);
		must(b, db_run(s));
		room->is_dirty = false;
	}
	must(b, db_run(db_stmt(db, W_COMMIT)));
}

/** Batches for @seconds; {"batch","messages","cpu_us_per_message","per_second"}. */
static json_t *measure(struct bench *b, int batch, double seconds)
{
	double end = clock_s(CLOCK_MONOTONIC) + seconds;
	double cpu = 0, wall = 0;
	uint64_t n = 0;

	for (double now = clock_s(CLOCK_MONOTONIC); now < end || n == 0;) {
		double cpu_before = clock_s(CLOCK_THREAD_CPUTIME_ID);

		run_batch(b, batch);
		cpu += clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
		wall += clock_s(CLOCK_MONOTONIC) - now;
		n += (uint64_t)batch;
		if (atomic_load(&b->store.wal_pages) > CHECKPOINT_PAGES)
			sqlite3_wal_checkpoint_v2(b->writer.db.h, NULL, SQLITE_CHECKPOINT_PASSIVE,
						  NULL, NULL);
		now = clock_s(CLOCK_MONOTONIC);
	}
	return json_pack("{s:i,s:I,s:f,s:f}", "batch", batch, "messages", (json_int_t)n,
			 "cpu_us_per_message", cpu * 1e6 / (double)n, "per_second",
			 (double)n / wall);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void usage(FILE *to)
{
	fputs("usage: bench-sqlite [--batch N[,N...]] [--seconds S] [--data DIR]\n"
	      "Stores messages as the server does, N in each transaction (1,10,100), for S seconds "
	      "(2)\nof each size, in a new folder below DIR (/tmp), and prints the CPU of each.\n",
	      to);
}

static int parse_batches(const char *text, int batches[N_BATCHES_MAX])
{
	int n = 0;

	for (;;) {
		char *end;
		long value = strtol(text, &end, 10);

		if (end == text || value < 1 || value > BATCH_MAX || n == N_BATCHES_MAX)
			return -1;
		batches[n++] = (int)value;
		if (*end == '\0')
			return n;
		if (*end != ',')
			return -1;
		text = end + 1;
	}
}

int main(int argc, char **argv)
{
	static struct bench b = {.seconds = 2};
	int batches[N_BATCHES_MAX] = {1, 10, 100};
	int n_batches = 3;
	const char *parent = "/tmp";
	char folder[4096];
	char path[4200];

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	for (int i = 1; i < argc; i += 2) {
		bool has_value = i + 1 < argc;

		if (has_value && strcmp(argv[i], "--batch") == 0) {
			n_batches = parse_batches(argv[i + 1], batches);
		} else if (has_value && strcmp(argv[i], "--seconds") == 0) {
			b.seconds = atof(argv[i + 1]);
		} else if (has_value && strcmp(argv[i], "--data") == 0) {
			parent = argv[i + 1];
		} else {
			n_batches = -1;
		}
		if (n_batches < 0) {
			usage(stderr);
			return 2;
		}
	}

	snprintf(folder, sizeof(folder), "%s/sqlite-XXXXXX", parent);
	if (mkdtemp(folder) == NULL)
		fail(parent, "no folder can be made in it");
	snprintf(path, sizeof(path), "%s/hubbub.db", folder);
	b.store.path = path;
	open_database(&b);
	populate(&b);

	json_t *list = json_array();

	for (int i = 0; i < n_batches; i++) {
		json_decref(measure(&b, batches[i], b.seconds * WARM_UP_SHARE));
		json_array_append_new(list, measure(&b, batches[i], b.seconds));
	}
	writer_close(&b.writer);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	/* The first size's figures stand outside as well. */
	json_t *j = json_copy(json_array_get(list, 0));

	json_object_set_new(j, "scenario", json_string("sqlite"));
	json_object_set_new(j, "batches", list);
	json_dumpf(j, stdout, JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(j);
	return 0;
}
