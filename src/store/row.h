#pragma once
/* Private to store/. */
#include "hubbub/event.h"
#include "store/db.h"

/** The columns that row_read_event() wants first, of events e, users u and rooms r. */
#define ROW_EVENT_COLUMNS                                                                         \
	"e.seq, e.ts, e.kind, e.author, u.name, e.body, e.target, e.thread, e.quote, e.mentions," \
	" e.emoji, e.react_on, e.count,"                                                          \
	" (SELECT name FROM users WHERE id = CASE e.kind WHEN 7 THEN e.count END)"
#define ROW_N_EVENT_COLUMNS 14

/**
 * An event out of a row; all but its room.  Its spans live until the statement's next step,
 * @mentions is where its mentions go.  False: the row is damaged.
 */
bool row_read_event(sqlite3_stmt *s, struct event *e, int64_t mentions[REQUEST_MAX_MENTIONS]);

/** Mentions as a row holds them: each id in 8 bytes, little endian.  Returns the bytes used. */
size_t row_pack_mentions(unsigned char out[8 * REQUEST_MAX_MENTIONS], const int64_t *ids,
			 unsigned n);
unsigned row_unpack_mentions(int64_t out[REQUEST_MAX_MENTIONS], struct span packed);
