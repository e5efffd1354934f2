/*
 * Mutexes and condition variables whose errors end the process: each would be a programming error.
 *
 * In builds with asserts (that is, all of them) the mutexes check their errors too, so that a
 * thread that locks twice stops at the place instead of hanging.
 */
#include "hubbub/mutex.h"

#include "hubbub/clock.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Touched only by threads that have waited, so counting costs a lock that was free nothing. */
static struct {
	atomic_uint_fast64_t n, ns;
} waits;

static void check(int err)
{
	assert(err == 0);
	if (err != 0)
		abort();
}

void mutex_init(struct mutex *mu)
{
	pthread_mutexattr_t attr;

	check(pthread_mutexattr_init(&attr));
	check(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
	check(pthread_mutex_init(&mu->m, &attr));
	check(pthread_mutexattr_destroy(&attr));
}

void mutex_deinit(struct mutex *mu)
{
	check(pthread_mutex_destroy(&mu->m));
}

/* The mutex is not free.  That it is this thread's own, pthread_mutex_lock() finds out. */
static void lock_after_waiting(struct mutex *mu) NO_THREAD_SAFETY_ANALYSIS
{
	uint64_t begin = clock_mono_ns();

	check(pthread_mutex_lock(&mu->m));
	atomic_fetch_add_explicit(&waits.ns, clock_mono_ns() - begin, memory_order_relaxed);
	atomic_fetch_add_explicit(&waits.n, 1, memory_order_relaxed);
}

void mutex_lock(struct mutex *mu) NO_THREAD_SAFETY_ANALYSIS
{
	int err = pthread_mutex_trylock(&mu->m);

	if (err == EBUSY)
		lock_after_waiting(mu);
	else
		check(err);
}

void mutex_unlock(struct mutex *mu) NO_THREAD_SAFETY_ANALYSIS
{
	check(pthread_mutex_unlock(&mu->m));
}

struct mutex_waits mutex_get_waits(void)
{
	return (struct mutex_waits){
		.n = atomic_load_explicit(&waits.n, memory_order_relaxed),
		.ns = atomic_load_explicit(&waits.ns, memory_order_relaxed),
	};
}

void cond_init(struct cond *cv)
{
	pthread_condattr_t attr;

	check(pthread_condattr_init(&attr));
	check(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	check(pthread_cond_init(&cv->c, &attr));
	check(pthread_condattr_destroy(&attr));
}

void cond_deinit(struct cond *cv)
{
	check(pthread_cond_destroy(&cv->c));
}

void cond_wait(struct cond *cv, struct mutex *mu)
{
	check(pthread_cond_wait(&cv->c, &mu->m));
}

void cond_wait_ns(struct cond *cv, struct mutex *mu, uint64_t ns)
{
	struct timespec until;
	int err;

	check(clock_gettime(CLOCK_MONOTONIC, &until));
	ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	err = pthread_cond_timedwait(&cv->c, &mu->m, &until);
	if (err != ETIMEDOUT)
		check(err);
}

void cond_wait_ms(struct cond *cv, struct mutex *mu, unsigned ms)
{
	cond_wait_ns(cv, mu, (uint64_t)ms * 1000000);
}

void cond_signal(struct cond *cv)
{
	check(pthread_cond_signal(&cv->c));
}

void cond_broadcast(struct cond *cv)
{
	check(pthread_cond_broadcast(&cv->c));
}
