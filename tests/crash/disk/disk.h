#pragma once
/*
 * A disk that can lose power: what its parts share.
 */
#include <sqlite3.h>
#include <stdbool.h>

/** One file, whoever has it open, with what was done to it since its last sync. */
struct disk_file;

/** The file at @path, which is kept for ever.  Not thread-safe, as all of these. */
struct disk_file *disk_file_at(const char *path);
/** @n bytes @after are about to be written at @at of a file that has @size bytes so far, where
 * @before holds what is overwritten.  Takes over both, which are on the heap. */
void disk_file_note_write(struct disk_file *f, sqlite3_int64 at, int n, char *after, char *before,
			  sqlite3_int64 size);
/** It is about to be cut from @size bytes to @at; @before holds what goes, and is taken over. */
void disk_file_note_truncate(struct disk_file *f, sqlite3_int64 at, char *before,
			     sqlite3_int64 size);
/** Everything noted is on the disk for good; or the file is deleted. */
void disk_file_forget(struct disk_file *f);

/** Lose power: every file becomes what a disk may show afterwards.  @seed decides. */
void disk_lose_power(unsigned long seed);
