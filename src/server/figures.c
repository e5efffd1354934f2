/*
 * Figures for people: what the admin's page plots.
 */
#include "hubbub/clock.h"
#include "server/metrics.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the files in the data directory; 0 where it cannot be read. */
static uint64_t storage_bytes(const char *dir)
{
	DIR *d = opendir(dir);
	uint64_t total = 0;
	struct dirent *e;
	struct stat st;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			total += (uint64_t)st.st_size;
	}
	if (d != NULL)
		closedir(d);
	return total;
}

/* proc(5), statm: pages; 0 where it cannot be read. */
static uint64_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long size, resident = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put(struct buf *b, const char *name, uint64_t value)
{
	buf_printf(b, "%s\"%s\":%llu", b->len > 0 ? "," : "{", name, (unsigned long long)value);
}

void figures_write(struct buf *b, const struct session_env *env)
{
	struct store_stats store;
	struct room_stats rooms;
	uint64_t sockets = 0, requests = 0, deliveries = 0;

	store_get_stats(env->store, &store);
	room_registry_get_stats(env->rooms, &rooms);
	for (unsigned i = 0; i < env->n_workers; i++) {
		struct session_counters *n = &env->counters[i];

		sockets += atomic_load_explicit(&n->websockets, memory_order_relaxed);
		requests += atomic_load_explicit(&n->requests, memory_order_relaxed);
		deliveries += atomic_load_explicit(&n->deliveries, memory_order_relaxed);
	}
	put(b, "connections", sockets);
	put(b, "requests_total", requests);
	put(b, "deliveries_total", deliveries);
	put(b, "writes_total", store.ops);
	put(b, "store_queue", store.queue);
	put(b, "commits_total", store.commits);
	put(b, "commit_us_total", store.batch_ns / 1000);
	put(b, "rooms", rooms.loaded);
	put(b, "uptime_ms", clock_mono_ms() - env->started_ms);
	put(b, "storage_bytes", storage_bytes(env->cfg->data_dir));
	put(b, "resident_bytes", resident_bytes());
	buf_append_char(b, '}');
}
