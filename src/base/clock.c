/* The two clocks: the wall's, which may jump, and the monotonic one, which times are measured by.
 */
#include "hubbub/clock.h"

#include <assert.h>
#include <time.h>

static struct timespec now(clockid_t id)
{
	struct timespec ts;
	int err = clock_gettime(id, &ts);

	assert(err == 0);
	(void)err;
	return ts;
}

int64_t clock_wall_ms(void)
{
	struct timespec ts = now(CLOCK_REALTIME);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
	struct timespec ts = now(CLOCK_MONOTONIC);

	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t clock_mono_ns(void)
{
	struct timespec ts = now(CLOCK_MONOTONIC);

	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
