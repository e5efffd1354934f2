/*
 * A disk that loses power, under a whole server: SQLite's default VFS in a test executable.
 *
 * Files are written as ever, and beside that every change is noted until its file is synced
 * (loss.c).  At the cut what was noted is undone, a random part of it is done again, and the
 * process ends by SIGKILL.  A cut comes before a write, truncation, sync or deletion, so also in
 * the middle of a start, a checkpoint or a stop.  A line on standard error tells of it, since the
 * end by SIGKILL alone does not say whose it was.
 *
 *   DISK_CUT=N     the cut comes before operation N (from 0) after the disk was armed
 *   DISK_SEED=N    decides what is lost
 *   DISK_ARMED=1   armed from the start; otherwise SIGUSR1 arms it
 *
 * The shared index beside a WAL is no file in this sense: it does not outlive the process.
 */
#include "disk.h"
#include "hubbub/mem.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct open_file {
	sqlite3_file base;      /* first: SQLite knows the file by it */
	struct disk_file *file; /* NULL: a temporary one */
};

static sqlite3_vfs *below;
/* One operation at a time on all files, so that a cut is one moment. */
static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static long cut_at = -1;
static unsigned long seed;
static atomic_long until_cut = -1; /* operations; negative: not armed */

/* The file below stands behind ours in the memory that SQLite gives. */
static sqlite3_file *below_of(sqlite3_file *f)
{
	return (sqlite3_file *)((struct open_file *)f + 1);
}

static struct disk_file *file_of(sqlite3_file *f)
{
	return ((struct open_file *)f)->file;
}

static void begin(void)
{
	pthread_mutex_lock(&disk_lock);
}

static int end(int rc)
{
	pthread_mutex_unlock(&disk_lock);
	return rc;
}

static void begin_change(void)
{
	begin();
	long n = atomic_load(&until_cut);
	if (n < 0)
		return;
	if (n == 0) {
		static const char said[] = "the disk lost power\n";

		disk_lose_power(seed);
		if (write(STDERR_FILENO, said, sizeof(said) - 1) < 0)
			abort();
		kill(getpid(), SIGKILL);
		for (;;)
			pause();
	}
	atomic_store(&until_cut, n - 1);
}

/* What the file holds from @at up to @end. */
static int read_before(sqlite3_file *f, sqlite3_int64 at, sqlite3_int64 end_at, char **out)
{
	sqlite3_file *real = below_of(f);

	*out = NULL;
	if (end_at <= at)
		return SQLITE_OK;
	*out = mem_alloc((size_t)(end_at - at));
	int rc = real->pMethods->xRead(real, *out, (int)(end_at - at), at);
	if (rc != SQLITE_OK) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

static int disk_close(sqlite3_file *f)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xClose(real);
}

static int disk_read(sqlite3_file *f, void *into, int n, sqlite3_int64 at)
{
	sqlite3_file *real = below_of(f);

	begin();
	return end(real->pMethods->xRead(real, into, n, at));
}

static int disk_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	sqlite3_file *real = below_of(f);
	sqlite3_int64 size = 0;
	char *before = NULL;

	begin_change();
	if (file_of(f) == NULL)
		return end(real->pMethods->xWrite(real, bytes, n, at));
	int rc = real->pMethods->xFileSize(real, &size);
	if (rc == SQLITE_OK)
		rc = read_before(f, at, at + n < size ? at + n : size, &before);
	if (rc == SQLITE_OK)
		rc = real->pMethods->xWrite(real, bytes, n, at);
	if (rc != SQLITE_OK) {
		free(before);
		return end(rc);
	}
	char *after = mem_alloc((size_t)n);
	memcpy(after, bytes, (size_t)n);
	disk_file_note_write(file_of(f), at, n, after, before, size);
	return end(SQLITE_OK);
}

static int disk_truncate(sqlite3_file *f, sqlite3_int64 to)
{
	sqlite3_file *real = below_of(f);
	sqlite3_int64 size = 0;
	char *before = NULL;

	begin_change();
	if (file_of(f) == NULL)
		return end(real->pMethods->xTruncate(real, to));
	int rc = real->pMethods->xFileSize(real, &size);
	if (rc == SQLITE_OK)
		rc = read_before(f, to, size, &before);
	if (rc == SQLITE_OK)
		rc = real->pMethods->xTruncate(real, to);
	if (rc != SQLITE_OK) {
		free(before);
		return end(rc);
	}
	disk_file_note_truncate(file_of(f), to, before, size);
	return end(SQLITE_OK);
}

static int disk_sync(sqlite3_file *f, int flags)
{
	sqlite3_file *real = below_of(f);

	begin_change();
	int rc = real->pMethods->xSync(real, flags);
	if (rc == SQLITE_OK && file_of(f) != NULL)
		disk_file_forget(file_of(f));
	return end(rc);
}

static int disk_size(sqlite3_file *f, sqlite3_int64 *size)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xFileSize(real, size);
}

static int disk_file_lock(sqlite3_file *f, int level)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xLock(real, level);
}

static int disk_file_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xUnlock(real, level);
}

static int disk_check_lock(sqlite3_file *f, int *out)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xCheckReservedLock(real, out);
}

static int disk_control(sqlite3_file *f, int op, void *arg)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xFileControl(real, op, arg);
}

static int disk_sector_size(sqlite3_file *f)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xSectorSize(real);
}

static int disk_characteristics(sqlite3_file *f)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xDeviceCharacteristics(real);
}

static int disk_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xShmMap(real, page, size, extend, out);
}

static int disk_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xShmLock(real, offset, n, flags);
}

static void disk_shm_barrier(sqlite3_file *f)
{
	sqlite3_file *real = below_of(f);

	real->pMethods->xShmBarrier(real);
}

static int disk_shm_unmap(sqlite3_file *f, int delete_it)
{
	sqlite3_file *real = below_of(f);

	return real->pMethods->xShmUnmap(real, delete_it);
}

/* Version 2: no memory mapping, whose writes nobody would see. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = disk_close,
	.xRead = disk_read,
	.xWrite = disk_write,
	.xTruncate = disk_truncate,
	.xSync = disk_sync,
	.xFileSize = disk_size,
	.xLock = disk_file_lock,
	.xUnlock = disk_file_unlock,
	.xCheckReservedLock = disk_check_lock,
	.xFileControl = disk_control,
	.xSectorSize = disk_sector_size,
	.xDeviceCharacteristics = disk_characteristics,
	.xShmMap = disk_shm_map,
	.xShmLock = disk_shm_lock,
	.xShmBarrier = disk_shm_barrier,
	.xShmUnmap = disk_shm_unmap,
};

/* The store's own VFS is a copy of this one and calls these with itself, so @vfs is not looked at.
 */
static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	struct open_file *o = (struct open_file *)f;
	sqlite3_file *real = below_of(f);

	(void)vfs;
	*o = (struct open_file){0};
	real->pMethods = NULL;
	int rc = below->xOpen(below, name, real, flags, out_flags);
	if (rc != SQLITE_OK) {
		if (real->pMethods != NULL)
			real->pMethods->xClose(real);
		return rc;
	}
	begin();
	if (name != NULL)
		o->file = disk_file_at(name);
	o->base.pMethods = &methods;
	return end(SQLITE_OK);
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	(void)vfs;
	begin_change();
	int rc = below->xDelete(below, name, sync_dir);
	if (rc == SQLITE_OK)
		disk_file_forget(disk_file_at(name));
	return end(rc);
}

static void on_arm(int signal_number)
{
	(void)signal_number;
	atomic_store(&until_cut, cut_at);
}

/* Before main(), so that the server needs to know nothing of it. */
__attribute__((constructor)) static void insert_disk(void)
{
	static sqlite3_vfs disk;
	const char *cut = getenv("DISK_CUT");
	const char *seed_text = getenv("DISK_SEED");
	const struct sigaction arm = {.sa_handler = on_arm, .sa_flags = SA_RESTART};

	below = sqlite3_vfs_find(NULL);
	disk = *below;
	disk.pNext = NULL;
	disk.zName = "disk";
	disk.szOsFile = (int)sizeof(struct open_file) + below->szOsFile;
	disk.xOpen = disk_open;
	disk.xDelete = disk_delete;
	if (sqlite3_vfs_register(&disk, 1) != SQLITE_OK || sigaction(SIGUSR1, &arm, NULL) != 0)
		abort();
	if (cut != NULL)
		cut_at = strtol(cut, NULL, 10);
	if (seed_text != NULL)
		seed = strtoul(seed_text, NULL, 10);
	if (getenv("DISK_ARMED") != NULL)
		atomic_store(&until_cut, cut_at);
}
