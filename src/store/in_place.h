#pragma once
/*
 * Private to store/: whether the open files are those that a restart would find.
 *
 * A deleted or moved file can be written to as ever.  What is stored in one was stored nowhere, as
 * far as the next start knows, and must not be acknowledged.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/** A file by name and identity. */
struct in_place_file {
	const char *path; /* not owned */
	dev_t dev;
	ino_t ino;
};

/** Take what stands at @f->path now for the file.  0 or a negative errno. */
int in_place_note(struct in_place_file *f);
/** 0: it is there still; -ENOENT: nothing is; -ESTALE: another file is; or a negative errno.  Any
 * thread while nobody notes. */
int in_place_check(const struct in_place_file *f);

/**
 * Whether it is time to check, which costs more than to ask: a path is long, and there is one for
 * each file.  One thread's.
 */
struct in_place_watch {
	int fd;             /* inotify(7); -1: there is none */
	uint64_t looked_ms; /* when all was found in place, on the monotonic clock; 0: not so */
};

/** How long it may take until something is noticed that the kernel does not tell of: a move of a
 * folder above, a mount, a change by another machine. */
#define IN_PLACE_LOOK_MS 1000

/** Have the kernel tell when something is deleted from @dir or moved.  Where it cannot, it is
 * always time to check. */
void in_place_watch_open(struct in_place_watch *w, const char *dir);
void in_place_watch_close(struct in_place_watch *w);
/** Whether nothing has happened since in_place_watch_looked() that would move the files. */
bool in_place_watch_is_quiet(struct in_place_watch *w);
/** All files were checked after in_place_watch_is_quiet(): they are @in_place, or not. */
void in_place_watch_looked(struct in_place_watch *w, bool in_place);
