#pragma once
/* Layer: auth. */
#include "hubbub/span.h"
#include <stdbool.h>
#include <uv.h>

/**
 * Passwords, as Argon2id hashes (RFC 9106) by libsodium.
 *
 * Hashing takes a tenth of a second of a core and tens of megabytes on purpose, so it runs on
 * libuv's thread pool, which does nothing else: its size bounds how many run at once, and its
 * threads give way to the workers.
 */

#define PASSWORD_HASH_SIZE 128 /* text with its parameters and salt, NUL included */
#define PASSWORD_MIN_CHARS 8   /* NIST SP 800-63B, 5.1.1.2 */
#define PASSWORD_MAX_BYTES 1024
/** Jobs of all workers that may wait or run; past that a sign-in is told to come again. */
#define PASSWORD_MAX_JOBS 256

/** One hash to make or to check.  The owner's memory; freed by it, in done() at the earliest. */
struct password_job {
	uv_work_t work;
	/** NULL: make a hash.  Else the hash to check against; "" where there is none, which takes
	 * as long and never matches. */
	char *stored;
	char *password;
	size_t len;
	bool failed;
	/** The loop's thread.  0 or a negative errno: not done, memory or time has run out. */
	void (*done)(struct password_job *job, int err);
	/* Results. */
	bool matches;
	/** Of a matching check: the stored hash was made with lesser parameters: make a new one. */
	bool is_outdated;
	char hash[PASSWORD_HASH_SIZE]; /* made */
};

/** Before any job: how many threads hash at once.  Main thread, before other threads start. */
void password_init(unsigned n_threads);
/**
 * Start @job.  @password and @stored are copied and wiped when it is done.  Thread of @loop.
 * -EAGAIN: too many wait already.
 */
int password_submit(uv_loop_t *loop, struct password_job *job, struct span password,
		    const char *stored);
/** For programs without a loop: make a hash.  0 or -ENOMEM. */
int password_hash(char hash[PASSWORD_HASH_SIZE], struct span password);
/** NULL where @password may be chosen, else the reason, a static sentence. */
const char *password_judge(struct span password);
