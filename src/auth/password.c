/*
 * Argon2id off the workers.
 *
 * Where no account is, a hash made at the start is checked instead, so that an unknown login takes
 * as long as a wrong password (OWASP Authentication Cheat Sheet).
 */
#include "hubbub/password.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's text");

/* RFC 9106, 4: the second recommended choice, with libsodium's one lane. */
#define OPS 3
#define MEMORY ((size_t)64 << 20)
/* How far the pool's threads give way: an eleventh of a worker's share of a busy core. */
#define NICE 10

static atomic_uint n_jobs;
static char nobody[PASSWORD_HASH_SIZE];

/* A hash of nothing: in form right, so that checking it takes its time, but of random bytes. */
static void make_nobody(void)
{
	unsigned char salt[16], hash[32];
	char salt_text[32], hash_text[64];

	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(hash, sizeof(hash));
	sodium_bin2base64(salt_text, sizeof(salt_text), salt, sizeof(salt),
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	sodium_bin2base64(hash_text, sizeof(hash_text), hash, sizeof(hash),
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	snprintf(nobody, sizeof(nobody), "$argon2id$v=19$m=%zu,t=%d,p=1$%s$%s", MEMORY / 1024, OPS,
		 salt_text, hash_text);
}

void password_init(unsigned n_threads)
{
	char size[16];

	if (sodium_init() < 0)
		abort(); /* without random numbers nothing here is safe */
	snprintf(size, sizeof(size), "%u", n_threads);
	setenv("UV_THREADPOOL_SIZE", size, 1); /* read when the pool is first used */
	make_nobody();
}

int password_hash(char hash[PASSWORD_HASH_SIZE], struct span password)
{
	return crypto_pwhash_str_alg(hash, password.p, password.len, OPS, MEMORY,
				     crypto_pwhash_ALG_ARGON2ID13) == 0
		       ? 0
		       : -ENOMEM;
}

static void give_way(void)
{
	static _Thread_local bool gives_way;

	if (!gives_way)
		setpriority(PRIO_PROCESS, 0, NICE); /* on Linux of this thread alone */
	gives_way = true;
}

static void check(struct password_job *job)
{
	const char *stored = job->stored[0] != '\0' ? job->stored : nobody;

	job->matches = crypto_pwhash_str_verify(stored, job->password, job->len) == 0;
	job->is_outdated = job->matches && crypto_pwhash_str_needs_rehash(stored, OPS, MEMORY) != 0;
}

static void run(uv_work_t *work)
{
	struct password_job *job = work->data;

	give_way();
	if (job->stored != NULL)
		check(job);
	else
		job->failed = password_hash(job->hash, (struct span){job->password, job->len}) != 0;
}

static void wipe(char **secret, size_t len)
{
	if (*secret != NULL)
		sodium_memzero(*secret, len);
	free(*secret);
	*secret = NULL;
}

static void after(uv_work_t *work, int err)
{
	struct password_job *job = work->data;

	wipe(&job->password, job->len);
	free(job->stored);
	job->stored = NULL;
	atomic_fetch_sub(&n_jobs, 1);
	job->done(job, err != 0 ? err : job->failed ? -ENOMEM : 0);
}

int password_submit(uv_loop_t *loop, struct password_job *job, struct span password,
		    const char *stored)
{
	if (atomic_fetch_add(&n_jobs, 1) >= PASSWORD_MAX_JOBS) {
		atomic_fetch_sub(&n_jobs, 1);
		return -EAGAIN;
	}
	job->work.data = job;
	job->password = mem_dup(password.p, password.len);
	job->len = password.len;
	job->stored = stored != NULL ? mem_strdup(stored) : NULL;
	int err = uv_queue_work(loop, &job->work, run, after);
	assert(err == 0); /* it fails only without a function to run */
	return 0;
}

const char *password_judge(struct span password)
{
	size_t chars = 0;

	if (password.len > PASSWORD_MAX_BYTES)
		return "A password may have 1,024 bytes at most.";
	for (size_t i = 0; i < password.len; i++)
		chars += ((unsigned char)password.p[i] & 0xc0) != 0x80;
	return chars < PASSWORD_MIN_CHARS ? "A password has at least 8 characters." : NULL;
}
