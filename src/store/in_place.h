#pragma once
/*
 * Private to store/: whether the open files are those that a restart would find.
 *
 * A deleted or moved file can be written to as ever.  What is stored in one was stored nowhere, as
 * far as the next start knows, and must not be acknowledged.
 */
#include <sys/stat.h>

/** A file by name and identity.  Zero: not known yet. */
struct in_place_file {
	const char *path; /* not owned */
	dev_t dev;
	ino_t ino;
};

/** Take what stands at @f->path now for the file.  0 or a negative errno. */
int in_place_note(struct in_place_file *f);
/** 0: it is there still; -ENOENT: nothing is; -ESTALE: another file is; or a negative errno.  One
 * system call.  Any thread while nobody notes. */
int in_place_check(const struct in_place_file *f);
