#pragma once
/* Private to store/. */
#include "hubbub/upkeep.h"
#include "store/db.h"

/* What backup, restore and check have in common.  All of them put what went wrong in u->why. */

/** Open @path, a database of ours, for reading, and stay at this moment. */
int copy_open_source(struct db *db, const char *path, const struct upkeep *u);
/** Whether @db is a database that this program can use: 0, -EINVAL or -ENOTSUP. */
int copy_identify(struct db *db, const char *path, const struct upkeep *u);
/** See to it that a long statement of @db ends when the user gives up. */
void copy_watch(struct db *db, const struct upkeep *u);
/**
 * Copy what @from, in a read transaction, sees into the empty file @to: one file that needs no
 * other beside it.  Not synced.
 */
int copy_pages(struct db *from, const char *to, const struct upkeep *u);
/** PRAGMA @which (integrity_check or quick_check) finds nothing in @path. */
int copy_verify(struct db *db, const char *which, const char *path, const struct upkeep *u);

/** Begin the file @path (0600), empty; a second process that does is refused.  Its descriptor. */
int copy_begin_file(const char *path, const struct upkeep *u);
/** Remove @path and what SQLite may have left beside it. */
void copy_remove(const char *path);
/** Sync the directory that @path lies in. */
int copy_sync_dir(const char *path, const struct upkeep *u);
/** @err, with a sentence about @path. */
int copy_fail(const struct upkeep *u, int err, const char *doing, const char *path);
