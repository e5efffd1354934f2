/*
 * What connections cost the kernel.
 *
 * The caches of its objects do not shrink when objects are freed, so the number of objects in use
 * is what counts; only root may read it.  A socket's dentry is one of many of all kinds, so one is
 * counted for each socket.
 */
#include "base.h"
#include "proc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const PER_SOCKET[] = {
	"TCP",           "sock_inode_cache",  "filp",
	"eventpoll_epi", "skbuff_small_head", "skbuff_head_cache",
};

#define N_PER_SOCKET (sizeof(PER_SOCKET) / sizeof(PER_SOCKET[0]))

/** Bytes of the objects in use that sockets are made of; 0 if that cannot be read. */
static uint64_t objects_in_use(FILE *f)
{
	char line[512];
	char name[64];
	unsigned long long active, total, size;
	uint64_t bytes = 0;
	uint64_t n_sockets = 0;
	uint64_t dentry_size = 0;

	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%63s %llu %llu %llu", name, &active, &total, &size) != 4)
			continue;
		if (strcmp(name, "sock_inode_cache") == 0)
			n_sockets = active;
		if (strcmp(name, "dentry") == 0)
			dentry_size = size;
		for (size_t i = 0; i < N_PER_SOCKET; i++) {
			if (strcmp(name, PER_SOCKET[i]) == 0)
				bytes += active * size;
		}
	}
	return bytes + n_sockets * dentry_size;
}

/** All of the kernel's object caches, where they cannot be told apart. */
static uint64_t all_caches(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	unsigned long long kib = 0;

	if (f == NULL)
		fail("/proc/meminfo cannot be read");
	while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "Slab: %llu", &kib) != 1)
		;
	fclose(f);
	return kib * 1024;
}

static uint64_t tcp_buffers(void)
{
	FILE *f = fopen("/proc/net/sockstat", "re");
	char line[256];
	unsigned long long pages = 0;

	if (f == NULL)
		fail("/proc/net/sockstat cannot be read");
	while (fgets(line, sizeof(line), f) != NULL &&
	       sscanf(line, "TCP: inuse %*u orphan %*u tw %*u alloc %*u mem %llu", &pages) != 1)
		;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t proc_kernel_bytes(void)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	uint64_t objects = 0;

	if (f != NULL) {
		objects = objects_in_use(f);
		fclose(f);
	}
	return (objects > 0 ? objects : all_caches()) + tcp_buffers();
}
