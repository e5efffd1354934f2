/*
 * What a running server does on a signal.
 */
#include "server/notify.h"
#include "server/server_internal.h"
#include <signal.h>
#include <string.h>

void signals_ignore_requests(void)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
}

void signals_hold(sigset_t *before)
{
	sigset_t requests;

	sigemptyset(&requests);
	sigaddset(&requests, SIGTERM);
	sigaddset(&requests, SIGINT);
	sigaddset(&requests, SIGHUP);
	sigaddset(&requests, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &requests, before);
}

void signals_let(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* The first of these stops in order; from then on the default action ends the process at once. */
static void on_stop(uv_signal_t *handle, int signum)
{
	log_info("stopping on %s", strsignal(signum));
	notify_send("STOPPING=1");
	server_begin_stop(handle->data, false);
}

static void on_reload(uv_signal_t *handle, int signum)
{
	(void)signum;
	server_reload(handle->data);
}

static void on_takeover(uv_signal_t *handle, int signum)
{
	(void)signum;
	takeover_start(handle->data);
}

int signals_watch(struct server *s)
{
	const struct {
		uv_signal_t *handle;
		uv_signal_cb on_signal;
		int number;
	} wanted[] = {
		{&s->on_term, on_stop, SIGTERM},
		{&s->on_int, on_stop, SIGINT},
		{&s->on_hup, on_reload, SIGHUP},
		{&s->on_usr2, on_takeover, SIGUSR2},
	};
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		wanted[i].handle->data = s;
		err = uv_signal_init(&s->loop, wanted[i].handle);
		if (err == 0)
			err = uv_signal_start(wanted[i].handle, wanted[i].on_signal,
					      wanted[i].number);
	}
	return err;
}

void signals_unwatch(struct server *s)
{
	uv_signal_t *const handles[] = {&s->on_term, &s->on_int, &s->on_hup, &s->on_usr2};

	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		uv_close((uv_handle_t *)handles[i], NULL);
	signals_ignore_requests();
}
