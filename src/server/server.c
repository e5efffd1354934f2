/*
 * The server: builds everything, starts it, stops it in order.
 *
 * Start: store, workers, acceptor; each needs those before it.  Stop: first nothing new comes in
 * (the acceptor closes, requests are answered `unavailable`); then the store commits and publishes
 * what was taken, so every acknowledgement is in a worker's inbox; then the workers close their
 * clients with 1001 behind those; then the store closes.
 */
#include "hubbub/server.h"

#include "hubbub/acceptor.h"
#include "hubbub/mem.h"
#include "hubbub/session.h"
#include "server/metrics.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STOP_LIMIT_S 10
#define N_READERS 2
#define MAX_QUEUE 65536
#define MAX_QUEUE_BYTES (64 * 1024 * 1024)

struct server {
	const struct config *cfg;
	uv_loop_t loop;
	uv_signal_t on_term, on_int;
	struct session_env env;
	struct store *store;
	struct acceptor *acceptor;
	struct worker *workers;
	unsigned n_workers;
	unsigned n_started;
};

static bool may_take(void *ctx)
{
	struct server *s = ctx;

	return room_registry_has_room(s->env.rooms);
}

static void publish(void *ctx, struct store_op *ops)
{
	struct server *s = ctx;

	room_registry_publish(s->env.rooms, ops);
}

static void answer(void *ctx, struct store_read *read)
{
	struct server *s = ctx;

	session_answer_read(&s->env, read);
}

static const struct store_hooks store_hooks = {
	.may_take = may_take,
	.publish = publish,
	.answer = answer,
};

static void on_released(void *ctx, unsigned worker)
{
	struct server *s = ctx;

	acceptor_released(s->acceptor, worker);
}

static void write_metrics(struct buf *b, void *ctx)
{
	struct server *s = ctx;

	metrics_write(b, &s->env);
}

/* The first signal stops in order; from then on the default action ends the process at once. */
static void on_signal(uv_signal_t *handle, int signum)
{
	struct server *s = handle->data;

	log_info("stopping on %s", strsignal(signum));
	uv_close((uv_handle_t *)&s->on_term, NULL);
	uv_close((uv_handle_t *)&s->on_int, NULL);
	acceptor_close(s->acceptor); /* the loop ends when these handles are gone */
}

static int watch_signals(struct server *s)
{
	int err;

	s->on_term.data = s->on_int.data = s;
	if ((err = uv_signal_init(&s->loop, &s->on_term)) != 0 ||
	    (err = uv_signal_init(&s->loop, &s->on_int)) != 0 ||
	    (err = uv_signal_start(&s->on_term, on_signal, SIGTERM)) != 0)
		return err;
	return uv_signal_start(&s->on_int, on_signal, SIGINT);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int start_workers(struct server *s)
{
	for (; s->n_started < s->n_workers; s->n_started++) {
		int err =
			worker_start(&s->workers[s->n_started], s->n_started, &session_worker_hooks,
				     &s->env, s->cfg->gather_ms, !s->cfg->no_io_uring);

		if (err != 0) {
			log_error("cannot start a worker thread: %s", uv_strerror(err));
			return err;
		}
	}
	return 0;
}

static int open_store(struct server *s)
{
	struct store_options options = {
		.dir = s->cfg->data_dir,
		.hooks = &store_hooks,
		.ctx = s,
		.n_readers = N_READERS,
		.max_queue = MAX_QUEUE,
		.max_queue_bytes = MAX_QUEUE_BYTES,
		.pace_ns = (uint64_t)s->cfg->gather_ms * 400000,
	};
	int err = store_open(&s->store, &options);

	s->env.store = s->store;
	return err;
}

static int start(struct server *s)
{
	int err = open_store(s);

	if (err != 0)
		return err; /* the store said why */
	err = start_workers(s);
	if (err != 0)
		return err;
	err = acceptor_open(&s->acceptor, &s->loop, s->cfg->listen_host, s->cfg->listen_port,
			    s->workers, s->n_workers, s->cfg->max_connections);
	if (err != 0) {
		log_error("cannot listen on %s:%u: %s", s->cfg->listen_host, s->cfg->listen_port,
			  uv_strerror(err));
		return err;
	}
	err = watch_signals(s);
	if (err != 0)
		log_error("cannot watch signals: %s", uv_strerror(err));
	return err;
}

static void stop(struct server *s)
{
	atomic_store(&s->env.stopping, true);
	if (s->store != NULL)
		store_stop(s->store);
	for (unsigned i = 0; i < s->n_started; i++)
		worker_stop(&s->workers[i]);
	for (unsigned i = 0; i < s->n_started; i++) {
		worker_join(&s->workers[i]);
		session_free_worker(&s->workers[i]);
	}
	if (s->store != NULL)
		store_close(s->store);
}

static void announce(const struct server *s)
{
	log_info("serving %s mode with %u workers, data in %s", s->cfg->open ? "open" : "account",
		 s->n_workers, s->cfg->data_dir);
	printf("listening on http://%s\n", acceptor_address(s->acceptor));
	fflush(stdout);
}

int server_run(const struct config *cfg)
{
	struct server *s = mem_zalloc(sizeof(*s));
	int status = EXIT_FAILURE;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of the write, like a full disk */
	raise_descriptor_limit();
	uv_loop_init(&s->loop);
	s->cfg = cfg;
	s->n_workers = cfg->workers != 0 ? cfg->workers : uv_available_parallelism();
	s->workers = mem_zalloc(s->n_workers * sizeof(s->workers[0]));
	s->env = (struct session_env){
		.cfg = cfg,
		.rooms = room_registry_new(s->workers, s->n_workers, &session_room_hooks),
		.workers = s->workers,
		.n_workers = s->n_workers,
		.counters = mem_zalloc(s->n_workers * sizeof(s->env.counters[0])),
		.on_released = on_released,
		.write_metrics = write_metrics,
		.ctx = s,
	};

	if (start(s) == 0) {
		announce(s);
		uv_run(&s->loop, UV_RUN_DEFAULT);
		alarm(STOP_LIMIT_S);
		status = EXIT_SUCCESS;
	}
	stop(s);
	if (status == EXIT_SUCCESS)
		log_info("stopped");
	/* After a failed start handles may be open still: the process ends anyway. */
	if (uv_loop_close(&s->loop) == UV_EBUSY)
		log_debug("the main loop had open handles");
	room_registry_free(s->env.rooms);
	free(s->env.counters);
	free(s->workers);
	free(s);
	return status;
}
