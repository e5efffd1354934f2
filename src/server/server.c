/*
 * The server: builds everything, starts it, stops it in order.
 *
 * Start: store, workers, acceptor; each needs those before it.  Stop: first nothing new comes in
 * (the acceptor closes, requests are answered `unavailable`); then the store commits and publishes
 * what was taken, so every acknowledgement is in a worker's inbox; then the workers close their
 * clients with 1001 behind those; then the store closes; and then, if it was asked for, another
 * program takes over (takeover.c).
 */
#include "hubbub/server.h"

#include "hubbub/clock.h"
#include "hubbub/crash.h"
#include "hubbub/errands.h"
#include "hubbub/mem.h"
#include "hubbub/password.h"
#include "hubbub/session.h"
#include "server/metrics.h"
#include "server/notify.h"
#include "server/server_internal.h"
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STOP_LIMIT_S 10
#define N_READERS 2
#define MAX_QUEUE 65536
#define MAX_QUEUE_BYTES (64 * 1024 * 1024)

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

static void write_figures(struct buf *b, void *ctx)
{
	const struct server *s = ctx;

	figures_write(b, &s->env);
}

void server_begin_stop(struct server *s, bool keeps_socket)
{
	signals_unwatch(s);
	takeover_cancel(s);
	watchdog_stop(s);
	upkeep_stop(s);
	control_close(s);
	/* The loop ends when these handles are gone. */
	if (keeps_socket)
		s->takeover.n_fds = acceptor_release_sockets(s->acceptor, s->takeover.fds);
	else
		acceptor_close(s->acceptor);
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

		if (err == 0 && s->tls != NULL)
			worker_set_tls(&s->workers[s->n_started], s->tls);
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

static int adopt_socket(struct server *s)
{
	int err = acceptor_adopt(&s->acceptor, &s->loop, s->inherited[0], s->workers, s->n_workers,
				 s->cfg->max_connections);

	if (err != 0)
		log_error("cannot use the socket that was handed over: %s", uv_strerror(err));
	else
		log_info("serving the socket that was handed over, whatever `listen` says");
	return err;
}

static int start_accepting(struct server *s)
{
	const struct config *cfg = s->cfg;

	if (s->n_inherited > 0)
		return adopt_socket(s);
	int err = acceptor_open(&s->acceptor, &s->loop, cfg->listen_host, cfg->listen_port,
				s->workers, s->n_workers, cfg->max_connections);
	if (err != 0)
		log_error("cannot listen on %s:%u: %s", cfg->listen_host, cfg->listen_port,
			  uv_strerror(err));
	return err;
}

/* Where browsers are sent on to https. */
static int open_redirect(struct server *s)
{
	const struct config *cfg = s->cfg;
	int err;

	if (cfg->redirect_host == NULL) {
		if (s->n_inherited < 2)
			return 0;
		close(s->inherited[1]);
		if (s->inherits_own)
			return 0; /* the setting has gone meanwhile */
		log_error("LISTEN_FDS must be 1: a second socket is for http-redirect");
		return -EINVAL;
	}
	err = s->n_inherited > 1
		      ? acceptor_add_adopted(s->acceptor, s->inherited[1])
		      : acceptor_add(s->acceptor, cfg->redirect_host, cfg->redirect_port);
	if (err != 0)
		log_error("cannot listen on %s:%u: %s", cfg->redirect_host, cfg->redirect_port,
			  uv_strerror(err));
	return err;
}

int server_load_tls(const struct config *cfg, struct tls_context **out, struct buf *why)
{
	*out = NULL;
	if (!config_has_tls(cfg))
		return 0;
	return tls_context_load(out, cfg->tls_cert, cfg->tls_key, why);
}

static int load_tls(const struct config *cfg, struct tls_context **out)
{
	struct buf why = {0};
	int err = server_load_tls(cfg, out, &why);

	if (err != 0)
		log_error("%.*s", (int)why.len, why.p);
	buf_deinit(&why);
	return err;
}

static int start(struct server *s)
{
	int err = load_tls(s->cfg, &s->tls);
	sigset_t before;

	if (err != 0)
		return err;
	signals_hold(&before);
	err = open_store(s); /* it says why it fails */
	if (err == 0)
		err = start_workers(s);
	if (err == 0)
		err = errands_start(&s->env.errands, s->workers);
	signals_let(&before);
	if (err != 0)
		return err;
	err = start_accepting(s);
	if (err != 0)
		return err;
	err = open_redirect(s);
	if (err != 0)
		return err;
	s->env.https_port = (uint16_t)atoi(strrchr(acceptor_address(s->acceptor, 0), ':') + 1);
	struct acceptor_gate gate = session_gate(&s->env);

	acceptor_set_gate(s->acceptor, &gate);
	limits_set_capacity(s->env.limits, acceptor_capacity(s->acceptor));
	control_open(s);
	/*
	 * A thread's first wait is over before signals are watched: ThreadSanitizer makes its
	 * record of the thread's signals there, and forgets one that comes meanwhile.
	 */
	uv_run(&s->loop, UV_RUN_NOWAIT);
	err = signals_watch(s);
	if (err != 0)
		log_error("cannot watch signals: %s", uv_strerror(err));
	return err;
}

static void stop(struct server *s)
{
	atomic_store(&s->env.stopping, true);
	errands_stop(s->env.errands);
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

/* So that whoever runs the server, and nobody else, can make the first account from elsewhere. */
static void make_setup_token(struct server *s)
{
	unsigned char raw[18];

	if (s->cfg->open)
		return;
	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(s->env.setup_token, sizeof(s->env.setup_token), raw, sizeof(raw),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void announce(const struct server *s)
{
	log_info("serving %s mode with %u workers, data in %s", s->cfg->open ? "open" : "account",
		 s->n_workers, s->cfg->data_dir);
	if (!s->cfg->open && !store_had_team(s->store))
		log_info("there is no account yet: open http%s://%s/ on this machine to make the "
			 "owner's, or from another machine its address with #setup=%s",
			 s->tls != NULL ? "s" : "",
			 acceptor_address(s->acceptor, SESSION_DOOR_MAIN), s->env.setup_token);
	printf("listening on http%s://%s\n", s->tls != NULL ? "s" : "",
	       acceptor_address(s->acceptor, SESSION_DOOR_MAIN));
	if (s->cfg->redirect_host != NULL)
		printf("sending http://%s on to https\n",
		       acceptor_address(s->acceptor, SESSION_DOOR_REDIRECT));
	fflush(stdout);
	notify_send("READY=1\nSTATUS=serving");
}

int server_run(const struct config *cfg, int argc, char *const *argv)
{
	struct server *s = mem_zalloc(sizeof(*s));
	int status = EXIT_FAILURE;

	crash_init();
	signals_ignore_requests();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of the write, like a full disk */
	raise_descriptor_limit();
	uv_loop_init(&s->loop);
	password_init(uv_available_parallelism() / 4 + 1);
	s->cfg = cfg;
	s->argc = argc;
	s->argv = argv;
	takeover_init(s);
	s->n_workers = cfg->workers != 0 ? cfg->workers : uv_available_parallelism();
	s->workers = mem_zalloc(s->n_workers * sizeof(s->workers[0]));
	s->env = (struct session_env){
		.cfg = cfg,
		.rooms = room_registry_new(s->workers, s->n_workers, &session_room_hooks),
		.limits = limits_new(cfg),
		.webauthn = webauthn_new(),
		.workers = s->workers,
		.n_workers = s->n_workers,
		.counters = mem_zalloc(s->n_workers * sizeof(s->env.counters[0])),
		.on_released = on_released,
		.write_metrics = write_metrics,
		.write_figures = write_figures,
		.started_ms = clock_mono_ms(),
		.ctx = s,
	};

	make_setup_token(s);
	if (takeover_inherited(s) == 0 &&
	    server_load_others(cfg, &s->env.oidc, &s->env.mailer) == 0 && start(s) == 0) {
		announce(s);
		watchdog_start(s);
		upkeep_start(s);
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
	limits_free(s->env.limits);
	oidc_free(s->env.oidc);
	webauthn_free(s->env.webauthn);
	mailer_free(s->env.mailer);
	buf_deinit(&s->env.refusal);
	room_registry_free(s->env.rooms);
	if (status == EXIT_SUCCESS && s->takeover.is_due) {
		alarm(0);
		takeover_exec(s);
		status = EXIT_FAILURE;
	}
	takeover_deinit(s);
	tls_context_unref(s->tls);
	server_free_reloaded(s);
	free(s->env.counters);
	free(s->workers);
	free(s);
	return status;
}

int server_check(const struct config *cfg)
{
	struct tls_context *tls;
	int err = load_tls(cfg, &tls);

	tls_context_unref(tls);
	if (err == 0) {
		struct oidc *oidc;
		struct mailer *mailer;

		err = server_load_others(cfg, &oidc, &mailer);
		oidc_free(oidc);
		mailer_free(mailer);
	}
	return err != 0 ? err : store_check_version(cfg->data_dir);
}
