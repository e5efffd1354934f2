#pragma once
/* Private to store/: rows as JSON, by their columns.  Texts that are not UTF-8 show a damaged page:
 * false. */
#include "hubbub/store.h"
#include "store/db.h"

bool json_append_text(struct buf *b, const char *label, sqlite3_stmt *s, int i);
void json_append_int(struct buf *b, const char *label, sqlite3_stmt *s, int i);
void json_append_flag(struct buf *b, const char *label, sqlite3_stmt *s, int i);
void json_append_role(struct buf *b, const char *label, sqlite3_stmt *s, int i);
/** The user whose id and name are in columns @i and the next; null where the id is 0. */
bool json_append_user(struct buf *b, const char *label, sqlite3_stmt *s, int i);

typedef bool json_row_encoder(struct buf *b, sqlite3_stmt *s, const struct store_read *r);
/** Append @label, which ends in '[', all rows of @s, and ']' to r->events.  0 or negative. */
int json_append_rows(struct store_read *r, sqlite3_stmt *s, const char *label,
		     json_row_encoder *encode);
