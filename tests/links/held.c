/*
 * A server of which parts can be made to stand still.
 *
 * While the file HELD/writer is there, no transaction is committed; while HELD/readers is, nothing
 * is read; and a worker that takes up a request with "hold" in it waits for HELD/worker to go.  The
 * store's queues hold HELD_QUEUE entries, or HELD_QUEUE_BYTES of text, where that is set, and each
 * message in an inbox counts as HELD_INBOX.
 */
#include "hubbub/inbox.h"
#include "hubbub/request.h"
#include "hubbub/store.h"
#include "store/db.h"
#include "store/reader.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __real_db_run(sqlite3_stmt *s);
int __wrap_db_run(sqlite3_stmt *s);
int __real_read_events(struct reader *rd, struct store_read *r);
int __wrap_read_events(struct reader *rd, struct store_read *r);
int __real_read_hello(struct reader *rd, struct store_read *r);
int __wrap_read_hello(struct reader *rd, struct store_read *r);
enum proto_error __real_request_decode(struct request **out, struct span text,
				       const struct config *cfg, const char **why);
enum proto_error __wrap_request_decode(struct request **out, struct span text,
				       const struct config *cfg, const char **why);
int __real_store_open(struct store **out, const struct store_options *opts);
int __wrap_store_open(struct store **out, const struct store_options *opts);
size_t __real_inbox_len(struct inbox *ib);
size_t __wrap_inbox_len(struct inbox *ib);

static void wait_while_held(const char *what)
{
	const char *dir = getenv("HELD");
	char path[PATH_MAX];

	if (dir == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, what);
	while (access(path, F_OK) == 0)
		usleep(1000);
}

static size_t number(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

int __wrap_db_run(sqlite3_stmt *s)
{
	if (strcmp(sqlite3_sql(s), "COMMIT") == 0 &&
	    !sqlite3_db_readonly(sqlite3_db_handle(s), "main"))
		wait_while_held("writer");
	return __real_db_run(s);
}

int __wrap_read_events(struct reader *rd, struct store_read *r)
{
	wait_while_held("readers");
	return __real_read_events(rd, r);
}

int __wrap_read_hello(struct reader *rd, struct store_read *r)
{
	wait_while_held("readers");
	return __real_read_hello(rd, r);
}

enum proto_error __wrap_request_decode(struct request **out, struct span text,
				       const struct config *cfg, const char **why)
{
	if (memmem(text.p, text.len, "\"hold\"", 6) != NULL)
		wait_while_held("worker");
	return __real_request_decode(out, text, cfg, why);
}

int __wrap_store_open(struct store **out, const struct store_options *opts)
{
	struct store_options smaller = *opts;

	smaller.max_queue = number("HELD_QUEUE", opts->max_queue);
	smaller.max_queue_bytes = number("HELD_QUEUE_BYTES", opts->max_queue_bytes);
	return __real_store_open(out, &smaller);
}

size_t __wrap_inbox_len(struct inbox *ib)
{
	return __real_inbox_len(ib) * number("HELD_INBOX", 1);
}
