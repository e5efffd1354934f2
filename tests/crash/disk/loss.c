/*
 * What a disk may show after it lost power.
 *
 * Everything that was synced is there.  Of what was done to a file since its last sync anything may
 * be there: all, nothing, what came first, or a random part in any order; and of one write some of
 * its sectors.  A sector is the old one or the new one, never a mixture, and its neighbours are not
 * harmed: SQLite's default (SQLITE_IOCAP_POWERSAFE_OVERWRITE) takes that for granted.
 *
 * Files are told from each other by their paths.  That a file was made or deleted counts as synced.
 */
#include "disk.h"
#include "hubbub/mem.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SECTOR = 512
};

struct change {
	struct change *next, *prev;
	bool is_truncate;
	sqlite3_int64 at;
	sqlite3_int64 size; /* of the file, before */
	int n;              /* bytes written; 0 for a truncation */
	char *after;        /* these */
	char *before;       /* what was there between at and the smaller of at + n and size */
};

struct disk_file {
	struct disk_file *next;
	char *path;
	struct change *first, *last;
};

static struct disk_file *files;
static uint64_t random_state;

/* xorshift64* */
static unsigned random_below(unsigned n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned)((random_state * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

struct disk_file *disk_file_at(const char *path)
{
	for (struct disk_file *f = files; f != NULL; f = f->next) {
		if (strcmp(f->path, path) == 0)
			return f;
	}
	struct disk_file *f = mem_zalloc(sizeof(*f));
	f->path = mem_strdup(path);
	f->next = files;
	files = f;
	return f;
}

static void note(struct disk_file *f, const struct change *change)
{
	struct change *c = mem_alloc(sizeof(*c));

	*c = *change;
	c->prev = f->last;
	if (f->last != NULL)
		f->last->next = c;
	else
		f->first = c;
	f->last = c;
}

void disk_file_note_write(struct disk_file *f, sqlite3_int64 at, int n, char *after, char *before,
			  sqlite3_int64 size)
{
	note(f, &(struct change){.at = at, .size = size, .n = n, .after = after, .before = before});
}

void disk_file_note_truncate(struct disk_file *f, sqlite3_int64 at, char *before,
			     sqlite3_int64 size)
{
	note(f, &(struct change){.is_truncate = true, .at = at, .size = size, .before = before});
}

void disk_file_forget(struct disk_file *f)
{
	struct change *next;

	for (struct change *c = f->first; c != NULL; c = next) {
		next = c->next;
		free(c->after);
		free(c->before);
		free(c);
	}
	f->first = f->last = NULL;
}

/* The process is about to die, and a test that goes on with half a file would prove nothing. */
static void put(int fd, const char *bytes, sqlite3_int64 n, sqlite3_int64 at)
{
	if (n > 0 && pwrite(fd, bytes, (size_t)n, at) != n)
		abort();
}

static void set_size(int fd, sqlite3_int64 size)
{
	if (ftruncate(fd, size) != 0)
		abort();
}

static void undo(int fd, const struct change *c)
{
	sqlite3_int64 end = c->is_truncate || c->at + c->n > c->size ? c->size : c->at + c->n;

	put(fd, c->before, end - c->at, c->at);
	set_size(fd, c->size);
}

/* Some of its sectors. */
static void tear(int fd, const struct change *c)
{
	sqlite3_int64 end = c->at + c->n;

	for (sqlite3_int64 at = c->at, next; at < end; at = next) {
		next = (at / SECTOR + 1) * SECTOR;
		if (next > end)
			next = end;
		if (random_below(2) == 0)
			put(fd, c->after + (at - c->at), next - at, at);
	}
}

static void redo(int fd, const struct change *c)
{
	if (c->is_truncate)
		set_size(fd, c->at);
	else
		put(fd, c->after, c->n, c->at);
}

static void redo_some(int fd, const struct disk_file *f)
{
	enum {
		NOTHING,
		ALL,
		THE_FIRST,
		ANY,
		N_WAYS
	} way = random_below(N_WAYS);
	unsigned n = 0;

	for (const struct change *c = f->first; c != NULL; c = c->next)
		n++;
	unsigned n_whole = way == ALL ? n : way == THE_FIRST ? random_below(n) : 0;
	for (const struct change *c = f->first; c != NULL && way != NOTHING; c = c->next) {
		unsigned fate = random_below(3);

		if (n_whole > 0 || (way == ANY && fate == 0)) {
			redo(fd, c);
			n_whole -= n_whole > 0;
		} else if (way == THE_FIRST || (way == ANY && fate == 1)) {
			if (!c->is_truncate)
				tear(fd, c);
			if (way == THE_FIRST)
				return;
		}
	}
}

void disk_lose_power(unsigned long seed)
{
	random_state = seed * 2 + 1;
	for (struct disk_file *f = files; f != NULL; f = f->next) {
		if (f->first == NULL)
			continue;
		int fd = open(f->path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			abort();
		for (const struct change *c = f->last; c != NULL; c = c->prev)
			undo(fd, c);
		redo_some(fd, f);
		close(fd);
	}
}
