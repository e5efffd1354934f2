#pragma once
/*
 * A machine that fails on demand, under a whole server: what its parts share.
 *
 * The file that FAULTS names holds a struct faults, which the server maps and a test writes to
 * while the server runs.  Without it nothing fails.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** What may fail.  lib/faulty.mjs has the same names in the same order. */
enum fault {
	FAULT_OPEN,
	FAULT_READ,
	FAULT_WRITE,
	FAULT_SHORT_WRITE, /* some of the bytes are written, and no error is given */
	FAULT_SYNC,
	FAULT_TRUNCATE,
	FAULT_UNLINK,
	FAULT_MAP,
	FAULT_MKDIR,
	FAULT_OPEN_TO_WRITE, /* as on a medium that is mounted read-only */
	FAULT_ACCEPT,
	FAULT_THREAD,
	FAULT_RING,
	FAULT_RING_SUBMIT,
	FAULT_WATCH,
	N_FAULTS
};

/** Whose calls fail: a mask.  Calls that concern no file of the database belong to FILES_OTHER. */
enum faulty_files {
	FILES_DB = 1,
	FILES_WAL = 2,
	FILES_SHM = 4,
	FILES_OTHER = 8,
	FILES_ALL = 15
};

struct faults {
	struct {
		atomic_int err;      /* an errno; 0: it works */
		atomic_uint chance;  /* of 65536 */
		atomic_int skip;     /* calls that work before */
		atomic_uint n_given; /* how often it failed */
		atomic_int left;     /* how often it still fails; negative: always */
	} at[24];
	/* At byte 480: */
	atomic_uint files; /* enum faulty_files; 0 stands for all */
	atomic_uint seed;
	atomic_llong space;   /* bytes by which files may grow, plus 1; 0: without end */
	atomic_llong wall_ms; /* how far the wall clock is off */
};

/** Constant after the program's start; never NULL. */
extern struct faults *faults;

/** Whether this call is to fail.  The errno, or 0.  Any thread. */
int fault_due(enum fault what, enum faulty_files file);
/** Any number, decided by the seed and by how many were asked for. */
uint32_t fault_random(void);
