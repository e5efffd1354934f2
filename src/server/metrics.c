/*
 * /metrics: Prometheus's text exposition format, version 0.0.4.
 */
#include "server/metrics.h"

#include "hubbub/mutex.h"
#include <stddef.h>

static uint64_t sum(const struct session_env *env, size_t offset)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < env->n_workers; i++) {
		const char *counters = (const char *)&env->counters[i];

		total += atomic_load_explicit((const atomic_uint_fast64_t *)(counters + offset),
					      memory_order_relaxed);
	}
	return total;
}

static void put(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
	buf_printf(b, "# HELP hubbub_%s %s\n# TYPE hubbub_%s %s\nhubbub_%s %llu\n", name, help,
		   name, type, name, (unsigned long long)value);
}

static void put_sessions(struct buf *b, const struct session_env *env)
{
	static const struct {
		const char *name, *type, *help;
		size_t offset;
	} rows[] = {
#define ROW(field, suffix, kind, text) \
	{#field suffix, kind, text, offsetof(struct session_counters, field)}
		ROW(connections, "", "gauge", "Open connections."),
		ROW(websockets, "", "gauge", "Open connections that are WebSockets."),
		ROW(accepted, "_total", "counter", "Connections accepted."),
		ROW(requests, "_total", "counter", "Frames received from clients."),
		ROW(http_requests, "_total", "counter", "HTTP requests."),
		ROW(deliveries, "_total", "counter", "Events handed to connections."),
		ROW(slow_readers, "_total", "counter", "Connections closed with 4008."),
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put(b, rows[i].name, rows[i].type, rows[i].help, sum(env, rows[i].offset));
}

static void put_workers(struct buf *b, const struct session_env *env)
{
	size_t inbox = 0, unsent = 0, backlog = 0;

	for (unsigned i = 0; i < env->n_workers; i++) {
		struct worker *w = &env->workers[i];

		inbox += inbox_len(&w->inbox);
		unsent += atomic_load_explicit(&w->unsent, memory_order_relaxed);
		backlog += atomic_load_explicit(&w->backlog, memory_order_relaxed);
	}
	put(b, "inbox", "gauge", "Messages that wait for the workers.", inbox);
	put(b, "unsent_bytes", "gauge", "Bytes that wait for clients' sockets.", unsent);
	put(b, "fanout_backlog_bytes", "gauge", "Bytes that rooms' members are still to be told.",
	    backlog);
}

static void put_lock_waits(struct buf *b)
{
	struct mutex_waits waits = mutex_get_waits();

	put(b, "lock_waits_total", "counter", "Times that a thread waited for a lock.", waits.n);
	buf_printf(b,
		   "# HELP hubbub_lock_wait_seconds_total Time that threads waited for locks.\n"
		   "# TYPE hubbub_lock_wait_seconds_total counter\n"
		   "hubbub_lock_wait_seconds_total %llu.%09llu\n",
		   (unsigned long long)(waits.ns / 1000000000),
		   (unsigned long long)(waits.ns % 1000000000));
}

void metrics_write(struct buf *b, const struct session_env *env)
{
	struct store_stats store;
	struct room_stats rooms;

	store_get_stats(env->store, &store);
	room_registry_get_stats(env->rooms, &rooms);
	put_sessions(b, env);
	put(b, "refused_total", "counter", "Connections and HTTP requests past a limit.",
	    atomic_load_explicit(&env->refused, memory_order_relaxed));
	put(b, "limit_accounts", "gauge", "Users and addresses whose limits are kept.",
	    limits_count(env->limits));
	put(b, "rooms_loaded", "gauge", "Rooms in memory.", rooms.loaded);
	put(b, "rooms_joined", "gauge", "Joined connections over all rooms.", rooms.joined);
	put(b, "store_ops_total", "counter", "Requests to the store's writer.", store.ops);
	put(b, "store_commits_total", "counter", "Transactions committed.", store.commits);
	put(b, "store_failed_commits_total", "counter", "Transactions that failed.",
	    store.failed_commits);
	put(b, "store_reads_total", "counter", "Reads answered by the store.", store.reads);
	put(b, "store_queue", "gauge", "Requests waiting for the store's writer.", store.queue);
	put(b, "store_read_queue", "gauge", "Requests waiting for the store's readers.",
	    store.read_queue);
	put(b, "store_healthy", "gauge", "1 while the last commit succeeded.",
	    store_is_healthy(env->store) ? 1 : 0);
	put_workers(b, env);
	put_lock_waits(b);
}
