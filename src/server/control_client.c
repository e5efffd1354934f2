/*
 * The commands' side of the control socket: one request of the HTTP API, its answer as JSON.
 *
 * Where no server runs, one is started for the command: on a free port of this machine, for as long
 * as the command takes.  So all that changes accounts goes one way.
 */
#include "server/control_client.h"

#include "hubbub/control.h"
#include "hubbub/mem.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The server's line that it listens, so that it is there; false: it ended before. */
static bool has_started(int fd)
{
	char line[256];

	return read(fd, line, sizeof(line)) > 0;
}

static int start_server(struct control_client *ctl, const struct config *cfg)
{
	int out[2];

	if (pipe(out) != 0)
		return -errno;
	ctl->child = fork();
	if (ctl->child == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execl("/proc/self/exe", "hubbub", "serve", "--listen", "127.0.0.1:0", "--data",
		      cfg->data_dir, "--log-level", "error", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	bool ok = ctl->child > 0 && has_started(out[0]);
	close(out[0]);
	return ok ? 0 : -ECHILD;
}

int control_client_open(struct control_client *ctl, const struct config *cfg)
{
	*ctl = (struct control_client){.cfg = cfg};
	int fd = control_connect(cfg->data_dir);

	if (fd == -ENOENT || fd == -ECONNREFUSED) {
		if (start_server(ctl, cfg) != 0) {
			fputs("hubbub: no server that keeps accounts runs on these data, and none "
			      "could be started\n",
			      stderr);
			control_client_close(ctl);
			return -ECHILD;
		}
		fd = control_connect(cfg->data_dir);
	}
	if (fd < 0) {
		fprintf(stderr, "hubbub: cannot reach the server of %s: %s\n", cfg->data_dir,
			strerror(-fd));
		control_client_close(ctl);
		return fd;
	}
	close(fd);
	return 0;
}

void control_client_close(struct control_client *ctl)
{
	if (ctl->child > 0) {
		kill(ctl->child, SIGTERM);
		waitpid(ctl->child, NULL, 0);
	}
	ctl->child = 0;
}

static bool send_all(int fd, const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->p + at, b->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static void read_all(int fd, struct buf *b)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			buf_append(b, chunk, (size_t)n);
	}
	buf_append_char(b, '\0');
}

/* The answer's body; the error that it may be is told. */
static json_t *parse(const struct buf *answer)
{
	const char *body = strstr(answer->p, "\r\n\r\n");
	json_t *json = body != NULL && body[4] != '\0' ? json_loads(body + 4, 0, NULL) : NULL;
	const char *why = NULL;

	if (strncmp(answer->p, "HTTP/1.1 2", 10) == 0)
		return json != NULL ? json : json_object();
	json_unpack(json, "{s:{s:s}}", "err", "msg", &why);
	fprintf(stderr, "hubbub: %s\n", why != NULL ? why : "the server gave no answer");
	json_decref(json);
	return NULL;
}

json_t *control_client_ask(struct control_client *ctl, const char *method, const char *path,
			   json_t *body)
{
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	int fd = control_connect(ctl->cfg->data_dir);
	struct buf out = {0}, in = {0};
	json_t *json = NULL;

	buf_printf(&out,
		   "%s /api/v1%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		   method, path, text != NULL ? strlen(text) : 0, text != NULL ? text : "");
	if (fd >= 0 && send_all(fd, &out)) {
		read_all(fd, &in);
		json = parse(&in);
	} else {
		fprintf(stderr, "hubbub: the server went away\n");
	}
	if (fd >= 0)
		close(fd);
	buf_deinit(&out);
	buf_deinit(&in);
	free(text);
	json_decref(body);
	return json;
}
