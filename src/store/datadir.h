#pragma once
/* Private to store/. */

/**
 * Make @dir (0700, parents too) if it is missing, take its lock, and make sure that hubbub.db is
 * there (0600; SQLite gives its other files the same mode).
 *
 * Returns the lock's descriptor, to be closed by the caller when the database is closed; or a
 * negative errno after one log line (-EBUSY: another server has it).
 */
int datadir_lock(const char *dir);
/** The directory and its lock alone, and no log line: what restore needs. */
int datadir_claim(const char *dir);
