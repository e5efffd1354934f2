/*
 * What the server's writer asks of SQLite to store messages, with nothing around it.
 */
#ifndef BENCH_SQLITE_STATEMENTS_H
#define BENCH_SQLITE_STATEMENTS_H

#include "store/store_internal.h"
#include "store/writer.h"

struct author {
	int64_t id;
	uint32_t n_sent;
	struct writer_room *room; /* authors stand in their rooms as the generator's do */
};

struct statements {
	struct store store; /* only its paths are used, and the length of the log kept in it */
	struct writer writer;
	struct writer_room *rooms;
	struct author *authors;
	uint32_t n_rooms, n_authors; /* n_authors is a multiple of n_rooms */
	uint32_t next_author;
};

/**
 * A new database at @path with @n_rooms rooms and @n_authors authors, as many in each room.
 * @path must outlive the statements.  Whatever fails ends the process with a message, here and
 * below.
 */
void statements_open(struct statements *st, const char *path, uint32_t n_rooms, uint32_t n_authors);
void statements_close(struct statements *st);

/** One transaction of @n messages. */
void statements_store(struct statements *st, uint32_t n);

/** Not the writer's work in the server: it has a thread for this. */
void statements_checkpoint(struct statements *st);

/** End the process: @what could not be done, for the reason @why. */
void fail(const char *what, const char *why) __attribute__((noreturn));

#endif
