/*
 * What is to fail now, as the test says.
 */
#include "faulty.h"
#include <assert.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static_assert(offsetof(struct faults, files) == 480, "as lib/faulty.mjs has it");
static_assert(offsetof(struct faults, wall_ms) == 496, "as lib/faulty.mjs has it");

static struct faults none;
struct faults *faults = &none;

uint32_t fault_random(void)
{
	static atomic_uint n_asked;
	uint64_t z = ((uint64_t)atomic_load(&faults->seed) << 32) + atomic_fetch_add(&n_asked, 1);

	/* splitmix64 */
	z = (z + 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (uint32_t)(z >> 32);
}

int fault_due(enum fault what, enum faulty_files file)
{
	int err = atomic_load(&faults->at[what].err);
	unsigned files = atomic_load(&faults->files);

	if (err == 0 || (files != 0 && (files & file) == 0))
		return 0;
	if (atomic_load(&faults->at[what].skip) > 0 &&
	    atomic_fetch_sub(&faults->at[what].skip, 1) > 0)
		return 0;
	if (fault_random() % 65536 >= atomic_load(&faults->at[what].chance))
		return 0;
	if (atomic_load(&faults->at[what].left) >= 0 &&
	    atomic_fetch_sub(&faults->at[what].left, 1) <= 0) {
		atomic_store(&faults->at[what].left, 0);
		return 0;
	}
	atomic_fetch_add(&faults->at[what].n_given, 1);
	return err;
}

/* Before main() and before the other parts, so that the server needs to know nothing of it. */
__attribute__((constructor(200))) static void map_control(void)
{
	const char *path = getenv("FAULTS");

	if (path == NULL)
		return;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	void *p = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	close(fd);
	faults = p;
}
