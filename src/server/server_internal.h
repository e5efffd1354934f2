#pragma once
/* What the files of server/ share: the server while it runs.  The main thread's. */
#include "hubbub/acceptor.h"
#include "hubbub/mail.h"
#include "hubbub/oidc.h"
#include "hubbub/session.h"
#include "hubbub/store.h"
#include "hubbub/tls.h"
#include <signal.h>
#include <uv.h>

/** Settings that a reload made; those of the start are the caller's. */
struct config_version {
	struct config cfg;
	struct config_version *older;
};

struct takeover_check;

/** Another program is to go on in this process's place. */
struct takeover {
	char *program; /* where this one was started from; another may lie there by now */
	struct takeover_check *check; /* under way; NULL: none */
	bool is_due;                  /* when everything has stopped */
	int fds[ACCEPTOR_MAX_DOORS];  /* what it is handed */
	unsigned n_fds;
};

/** Where the service manager's watchdog saw each thread last. */
struct watchdog {
	uv_timer_t timer;
	unsigned *worker_ticks;
	uint64_t store_turns;
	bool store_had_work;
};

/** What the store is to do by itself. */
struct upkeep {
	uv_timer_t timer;
	unsigned n_idle; /* ticks since the last look */
};

struct server {
	int argc;
	char *const *argv;
	const struct config *cfg; /* the newest */
	struct config_version *reloaded;
	uv_loop_t loop;
	uv_signal_t on_term, on_int, on_hup, on_usr2;
	struct takeover takeover;
	struct watchdog watchdog;
	struct upkeep upkeep;
	struct session_env env;
	struct store *store;
	struct acceptor *acceptor;
	struct control *control;           /* NULL: none */
	int inherited[ACCEPTOR_MAX_DOORS]; /* to listen on, in the order of the doors */
	unsigned n_inherited;
	bool inherits_own;       /* they were this program's before */
	struct tls_context *tls; /* the newest; NULL: no TLS */
	struct worker *workers;
	unsigned n_workers;
	unsigned n_started;
};

/* signals.c */
/** While the server starts or stops, requests by signal must not end it. */
void signals_ignore_requests(void);
/**
 * Threads that are started in between leave requests by signal to the main thread, whose loop hears
 * of them at once: one that waits in the kernel need not be woken for them.
 */
void signals_hold(sigset_t *before);
void signals_let(const sigset_t *before);
/** 0 or a negative errno. */
int signals_watch(struct server *s);
void signals_unwatch(struct server *s);

/* server.c */
/** Take nothing new from here on; the loop ends when its handles are gone. */
void server_begin_stop(struct server *s, bool keeps_socket);

/* control.c */
/** Listen for the shell's commands on DATA/control, a socket that only this user reaches. */
void control_open(struct server *s);
void control_close(struct server *s);

/* server.c */
/** The certificate that @cfg names; NULL where it names none.  0, or -EINVAL with the reason in
 * @why. */
int server_load_tls(const struct config *cfg, struct tls_context **out, struct buf *why);

/* upkeep.c */
/** Have the store do by itself what is due, from time to time. */
void upkeep_start(struct server *s);
void upkeep_stop(struct server *s);

/* others.c */
/** The identity provider and the mail server as @cfg says; NULL where it says none.  Before other
 * threads start.  0, or a negative errno after a clear log line; both are the caller's in any case.
 */
int server_load_others(const struct config *cfg, struct oidc **oidc, struct mailer **mailer);

/* reload.c */
/** SIGHUP: read the settings again. */
void server_reload(struct server *s);
void server_free_reloaded(struct server *s);

/* takeover.c */
void takeover_init(struct server *s);
/** SIGUSR2: see whether the program there is one that can go on; if so, stop for it. */
void takeover_start(struct server *s);
/** Forget a check under way: the server stops. */
void takeover_cancel(struct server *s);
/** Run the other program in this process; returns only if that fails.  Nothing else may run. */
void takeover_exec(struct server *s);
void takeover_deinit(struct server *s);
/**
 * The sockets that a service manager or the process before this one handed over, into s->inherited.
 * 0, or a negative errno after a clear log line.  Before other threads start: it changes the
 * environment.
 */
int takeover_inherited(struct server *s);

/* watchdog.c */
/** Tell the service manager's watchdog, where there is one, that everything turns. */
void watchdog_start(struct server *s);
void watchdog_stop(struct server *s);
