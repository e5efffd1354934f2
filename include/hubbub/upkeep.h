#pragma once
/* Layer: store. */
#include "hubbub/buf.h"
#include <stdbool.h>
#include <stdint.h>

/**
 * What is done to a data directory beside serving it: backup, restore, check.
 *
 * Each runs in a process of its own, on connections of its own, and takes as long as it takes.
 * struct upkeep is how it tells of itself; every hook is called on the caller's thread.
 */
struct upkeep {
	/** @step, static, is at @done of @all; @all 0: nobody knows how long it will be. */
	void (*progress)(void *ctx, const char *step, uint64_t done, uint64_t all);
	/** Asked often: whether to give up and clean up. */
	bool (*is_cancelled)(void *ctx);
	/** upkeep_check(): one line for people about one thing that is wrong. */
	void (*found)(void *ctx, const char *line);
	void *ctx;
	struct buf *why; /* what went wrong, for people, whenever a negative errno is returned */
};

/**
 * Copy the database of @dir, as of one moment, into the one file @file (0600), also while a server
 * writes to it.
 *
 * @file is there whole and synced, or it is as it was before: what is being made is called
 * @file.partial and removed on failure.  -EEXIST if there is a @file, unless @force; -EINTR if
 * cancelled; other negative errnos.
 */
int upkeep_backup(const char *dir, const char *file, bool force, const struct upkeep *u);

/**
 * Put the backup @file in the place of the database of @dir, under a new epoch, so that clients
 * start over.
 *
 * No server may run on @dir (-EBUSY).  A @file that is damaged, of another program or of a newer
 * version changes nothing.  The database that was there is kept beside the new one; its path goes
 * to @kept, which stays empty if there was none.  The process may end at any point: the old
 * database is there whole, or the new one.
 */
int upkeep_restore(const char *dir, const char *file, const struct upkeep *u, struct buf *kept);

struct upkeep_summary {
	uint64_t rooms, events, users, problems;
};

#define UPKEEP_E_FOUND 1 /* something is wrong with the data */

/**
 * Look for whatever must not be in the database of @dir, as of one moment, changing nothing, also
 * while a server writes to it.
 *
 * 0: nothing found; UPKEEP_E_FOUND: each kind for each room was told; negative: not all was looked
 * at.
 */
int upkeep_check(const char *dir, const struct upkeep *u, struct upkeep_summary *out);
