/*
 * A new program in this process, with no connection refused (SIGUSR2).
 *
 * First the program that lies where this one was started from is asked, by `check-config` with the
 * same arguments, whether it runs here, likes the settings and can read the database.  Only then
 * this one stops as for SIGTERM, but leaves its socket open, in whose backlog the kernel keeps who
 * connects; and at the end exec() puts the new one in its place, under the same process id.  The
 * socket goes over as service managers hand theirs over (sd_listen_fds(3)).
 */
#include "hubbub/buf.h"
#include "hubbub/mem.h"
#include "server/notify.h"
#include "server/server_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define OWN_NAMES "hubbub:hubbub-redirect"
#define CHECK_LIMIT_MS 10000

/* A name with a slash may be a link that another program is put behind, so it stays as it is. */
static char *find_program(const char *name)
{
	struct buf path = {0};
	char dir[PATH_MAX];
	ssize_t len;

	if (strchr(name, '/') == NULL) {
		len = readlink("/proc/self/exe", dir, sizeof(dir));
		return len > 0 && (size_t)len < sizeof(dir) ? mem_dup(dir, (size_t)len)
							    : mem_strdup(name);
	}
	if (name[0] != '/' && getcwd(dir, sizeof(dir)) != NULL)
		buf_printf(&path, "%s/", dir);
	buf_append_str(&path, name);
	return buf_take(&path, NULL);
}

void takeover_init(struct server *s)
{
	s->takeover.program = find_program(s->argv[0]);
}

void takeover_deinit(struct server *s)
{
	free(s->takeover.program);
}

/* One run of `check-config`; it goes when the loop has let go of both handles. */
struct takeover_check {
	uv_process_t process;
	uv_timer_t limit;
	struct server *server; /* NULL: nobody waits for what comes of it any more */
	unsigned n_handles;
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct takeover_check *c = handle->data;

	if (--c->n_handles == 0)
		free(c);
}

static void end_check(struct takeover_check *c)
{
	c->server->takeover.check = NULL;
	c->server = NULL;
	uv_close((uv_handle_t *)&c->process, on_handle_closed);
	uv_close((uv_handle_t *)&c->limit, on_handle_closed);
}

static void on_checked(uv_process_t *process, int64_t status, int by_signal)
{
	struct takeover_check *c = process->data;
	struct server *s = c->server;

	if (s == NULL)
		return;
	end_check(c);
	if (status != 0 || by_signal != 0) {
		log_error("%s cannot take over (it ended with %s %lld): going on as before",
			  s->takeover.program, by_signal != 0 ? "signal" : "status",
			  by_signal != 0 ? (long long)by_signal : (long long)status);
		return;
	}
	log_info("stopping, %s takes over", s->takeover.program);
	s->takeover.is_due = true;
	server_begin_stop(s, true);
}

static void on_limit(uv_timer_t *limit)
{
	struct takeover_check *c = limit->data;

	log_error("%s does not say whether it can take over", c->server->takeover.program);
	uv_process_kill(&c->process, SIGKILL);
}

/* `NAME check-config ...` for `NAME serve ...`. */
static char **check_args(struct server *s)
{
	static char verb[] = "check-config";
	char **args = mem_zalloc(((size_t)s->argc + 1) * sizeof(args[0]));

	for (int i = 0; i < s->argc; i++)
		args[i] = s->argv[i];
	args[1] = verb;
	return args;
}

void takeover_start(struct server *s)
{
	struct takeover_check *c;
	uv_stdio_container_t stdio[] = {
		{.flags = UV_IGNORE},
		{.flags = UV_IGNORE},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
	};

	if (s->takeover.check != NULL)
		return;
	char **args = check_args(s);
	uv_process_options_t options = {
		.file = s->takeover.program,
		.args = args,
		.stdio = stdio,
		.stdio_count = 3,
		.exit_cb = on_checked,
	};
	c = mem_zalloc(sizeof(*c));
	s->takeover.check = c;
	c->server = s;
	c->n_handles = 2;
	c->process.data = c->limit.data = c;
	uv_timer_init(&s->loop, &c->limit);
	int err = uv_spawn(&s->loop, &c->process, &options);
	free(args);
	if (err != 0) {
		log_error("cannot run %s: %s: going on as before", s->takeover.program,
			  uv_strerror(err));
		end_check(c);
		return;
	}
	uv_timer_start(&c->limit, on_limit, CHECK_LIMIT_MS, 0);
}

void takeover_cancel(struct server *s)
{
	if (s->takeover.check == NULL)
		return;
	uv_process_kill(&s->takeover.check->process, SIGKILL);
	end_check(s->takeover.check);
}

void takeover_exec(struct server *s)
{
	struct takeover *t = &s->takeover;
	char pid[16], n_fds[16];
	bool handed = true;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	notify_send("WATCHDOG=1"); /* the next program has all of its time */
	setenv("LISTEN_PID", pid, 1);
	snprintf(n_fds, sizeof(n_fds), "%u", t->n_fds);
	setenv("LISTEN_FDS", n_fds, 1);
	setenv("LISTEN_FDNAMES", OWN_NAMES, 1);
	/* First out of the way of one another; then dup2() leaves close-on-exec behind. */
	for (unsigned i = 0; i < t->n_fds; i++)
		t->fds[i] = fcntl(t->fds[i], F_DUPFD_CLOEXEC, FIRST_FD + ACCEPTOR_MAX_DOORS);
	for (unsigned i = 0; i < t->n_fds; i++)
		handed = handed && dup2(t->fds[i], FIRST_FD + (int)i) >= 0;
	if (handed)
		execv(t->program, s->argv);
	log_error("cannot run %s: %s", t->program, strerror(errno));
}

static bool read_number(const char *name, long *out)
{
	const char *text = getenv(name);
	char *end;

	if (text == NULL)
		return false;
	errno = 0;
	*out = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

int takeover_inherited(struct server *s)
{
	const char *names = getenv("LISTEN_FDNAMES");
	long pid, n;
	bool is_ours = read_number("LISTEN_PID", &pid) && pid == (long)getpid();
	bool has_fds = getenv("LISTEN_FDS") != NULL;
	bool has_number = read_number("LISTEN_FDS", &n);

	s->n_inherited = 0;
	s->inherits_own = names != NULL && strcmp(names, OWN_NAMES) == 0;

	/* Whoever is started by this one must not take them for theirs. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!is_ours || !has_fds || (has_number && n == 0))
		return 0;
	if (!has_number || n < 1 || n > ACCEPTOR_MAX_DOORS) {
		log_error("LISTEN_FDS must be 1, or 2 where the second is for http-redirect");
		return -EINVAL;
	}
	s->n_inherited = (unsigned)n;
	for (unsigned i = 0; i < s->n_inherited; i++)
		s->inherited[i] = FIRST_FD + (int)i;
	return 0;
}
