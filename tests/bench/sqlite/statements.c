/*
 * The writer's statements, in its order: see op_apply_write() in src/store/op_write.c, which
 * store_message() follows step by step.  Statements, rooms and their flush are the writer's own.
 */
#include "statements.h"

#include "../send_key.h"
#include "hubbub/event.h"
#include "hubbub/mem.h"
#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_ID "0badcafe"
#define TEXT_LEN 128
#define HASH_LEN 16
#define CHECKPOINT_PAGES 4000 /* as in src/store/checkpoint.c */

void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench-sqlite: %s: %s\n", what, why);
	exit(1);
}

static void must(struct statements *st, int err)
{
	if (err >= 0)
		return;
	char text[256];

	db_describe(&st->writer.db, err, text, sizeof(text));
	fail("the database failed", text);
}

/** A row with id, as hello and join make them; @n_texts columns of the text come first. */
static int64_t insert_named(struct statements *st, int statement, int n_texts, const char *format,
			    uint32_t i)
{
	sqlite3_stmt *s = db_stmt(&st->writer.db, statement);
	char text[64];
	int len = snprintf(text, sizeof(text), format, i);

	for (int column = 1; column <= n_texts; column++)
		db_bind_text(s, column, (struct span){.p = text, .len = (size_t)len});
	if (statement == W_ROOM_NEW) {
		db_bind_int(s, 4, ROOM_PUBLIC);
		db_bind_text(s, 5, SPAN(""));
	}
	if (statement == W_USER_NEW) {
		db_bind_blob(s, 3, (struct span){.p = text, .len = (size_t)len});
		db_bind_int(s, 4, 1);
	}
	must(st, db_run(s));
	return sqlite3_last_insert_rowid(st->writer.db.h);
}

static void populate(struct statements *st)
{
	must(st, db_run(db_stmt(&st->writer.db, W_BEGIN)));
	for (uint32_t i = 0; i < st->n_rooms; i++)
		st->rooms[i].id = insert_named(st, W_ROOM_NEW, 3, "room%012u", i);
	for (uint32_t i = 0; i < st->n_authors; i++) {
		struct author *author = &st->authors[i];

		author->id = insert_named(st, W_USER_NEW, 2, "author%026u", i);
		author->room = &st->rooms[i / (st->n_authors / st->n_rooms)];
	}
	must(st, db_run(db_stmt(&st->writer.db, W_COMMIT)));
}

void statements_open(struct statements *st, const char *path, uint32_t n_rooms, uint32_t n_authors)
{
	struct buf wal_path = {0};
	struct db db = {0};
	FILE *f = fopen(path, "we"); /* the store makes no file in db_open() either */

	buf_printf(&wal_path, "%s-wal", path);
	*st = (struct statements){
		.store.dir = (char *)".",
		.store.path = (char *)path,
		.store.wal_path = buf_take(&wal_path, NULL),
		.rooms = mem_zalloc(n_rooms * sizeof(*st->rooms)),
		.authors = mem_zalloc(n_authors * sizeof(*st->authors)),
		.n_rooms = n_rooms,
		.n_authors = n_authors,
	};
	st->store.wal_file.path = st->store.wal_path;
	st->writer.st = &st->store;
	if (f == NULL || fclose(f) != 0)
		fail(path, "cannot be made");
	if (db_open(&db, path, DB_WRITE) != 0 || schema_open(&db, path) != 0)
		fail(path, "gets no schema");
	db_close(&db);
	must(st, writer_open(&st->writer));
	populate(st);
}

void statements_close(struct statements *st)
{
	writer_close(&st->writer);
	free(st->store.wal_path);
	free(st->rooms);
	free(st->authors);
}

static void insert(struct statements *st, const struct author *author, struct span key)
{
	sqlite3_stmt *s = db_stmt(&st->writer.db, W_EVENT_NEW);
	const struct writer_room *room = author->room;
	char text[TEXT_LEN];

	memset(text, '.', sizeof(text));
	db_bind_int(s, 1, room->id);
	db_bind_int(s, 2, (int64_t)room->head + 1);
	db_bind_int(s, 3, 1790000000000 + (int64_t)room->head);
	db_bind_int(s, 4, EVENT_MESSAGE);
	db_bind_int(s, 5, author->id);
	db_bind_int(s, 9, (int64_t)room->n_messages + 1);
	db_bind_int(s, 10, author->n_sent); /* in the one room that an author has */
	db_bind_blob(s, 14, key);
	db_bind_blob(s, 15, (struct span){.p = text, .len = HASH_LEN});
	db_bind_blob(s, 17, (struct span){.p = text, .len = sizeof(text)});
	must(st, db_run(s));
	if (sqlite3_changes(st->writer.db.h) == 0)
		fail("the database failed", "a new key was there already");
}

static void store_message(struct statements *st, struct author *author)
{
	char text[SEND_KEY_SIZE];
	uint32_t i = (uint32_t)(author - st->authors);
	int len = snprintf(text, sizeof(text), SEND_KEY_FORMAT, RUN_ID, i, ++author->n_sent);
	struct span key = {.p = text, .len = (size_t)len};

	insert(st, author, key);
	author->room->head++;
	author->room->n_messages++;
	writer_mark_dirty(&st->writer, author->room);
}

void statements_store(struct statements *st, uint32_t n)
{
	struct db *db = &st->writer.db;
	/* What an author has under way comes to the server in one piece, so it lies together. */
	uint32_t in_a_row = n / st->n_authors > 1 ? n / st->n_authors : 1;

	must(st, db_run(db_stmt(db, W_BEGIN)));
	for (uint32_t i = 0; i < n;) {
		struct author *author = &st->authors[st->next_author];

		for (uint32_t end = i + in_a_row; i < end && i < n; i++)
			store_message(st, author);
		st->next_author = (st->next_author + 1) % st->n_authors;
	}
	must(st, writer_flush_rooms(&st->writer));
	must(st, db_run(db_stmt(db, W_COMMIT)));
}

void statements_checkpoint(struct statements *st)
{
	if (atomic_load(&st->store.wal_pages) >= CHECKPOINT_PAGES)
		sqlite3_wal_checkpoint_v2(st->writer.db.h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
					  NULL);
}
