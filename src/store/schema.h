#pragma once
/* Private to store/. */
#include "store/db.h"

/** "Hubb": tells our files from other SQLite databases. */
#define SCHEMA_APPLICATION_ID 0x48756262

/**
 * Check that @db is ours (or empty), healthy and not newer than this program, and bring it up to
 * this program's version.  @name is for log lines.
 *
 * Logs one line and returns a negative errno when it is not: -EUCLEAN damaged, -EBUSY locked by
 * another process, -ENOTSUP of a newer version, -EINVAL no database of Hubbub's.
 */
int schema_open(struct db *db, const char *name);
/** Only whether @db is ours (or empty) and not newer; it reads alone.  Errors as schema_open(). */
int schema_check_version(struct db *db, const char *name);
/** The version that this program writes, and the newest that it knows. */
int schema_version(void);
