#pragma once
/* Layer: base. */
#include <pthread.h>
#include <stdint.h>

#if defined(__clang__)
#define THREAD_ATTR(x) __attribute__((x))
#else
#define THREAD_ATTR(x)
#endif

#define CAPABILITY(name) THREAD_ATTR(capability(name))
#define REQUIRES(...) THREAD_ATTR(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) THREAD_ATTR(acquire_capability(__VA_ARGS__))
#define RELEASE(...) THREAD_ATTR(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS THREAD_ATTR(no_thread_safety_analysis)

/** A mutex that Clang's -Wthread-safety can follow.  Errors are programming errors: they abort. */
struct CAPABILITY("mutex") mutex {
	pthread_mutex_t m;
};

/** A condition variable, always used with one mutex. */
struct cond {
	pthread_cond_t c;
};

void mutex_init(struct mutex *mu);
void mutex_deinit(struct mutex *mu);
void mutex_lock(struct mutex *mu) ACQUIRE(*mu);
void mutex_unlock(struct mutex *mu) RELEASE(*mu);

/** How often, and for how long in all, threads waited in mutex_lock() for another to unlock. */
struct mutex_waits {
	uint64_t n;
	uint64_t ns;
};

/**
 * What all threads of the process have waited for all mutexes so far.  Any thread.  Waits that have
 * not ended are not in it, and neither is what cond_wait() waits for its mutex behind the signal.
 */
struct mutex_waits mutex_get_waits(void);

void cond_init(struct cond *cv);
void cond_deinit(struct cond *cv);
/** Wait until signalled; may wake without cause, so wait in a loop on the condition itself. */
void cond_wait(struct cond *cv, struct mutex *mu) REQUIRES(*mu);
/** The same, for at most @ms milliseconds (monotonic). */
void cond_wait_ms(struct cond *cv, struct mutex *mu, unsigned ms) REQUIRES(*mu);
/** The same, for at most @ns nanoseconds. */
void cond_wait_ns(struct cond *cv, struct mutex *mu, uint64_t ns) REQUIRES(*mu);
void cond_signal(struct cond *cv);
void cond_broadcast(struct cond *cv);
