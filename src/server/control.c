/*
 * The control socket: how `hubbub user`, `invite` and `audit` reach a server that runs.
 *
 * It lies in the data directory, where only the server's user and root can reach it, and speaks the
 * HTTP API: whoever comes by it is the shell, who administers the team (unix(7), SO_PEERCRED).
 */
#include "hubbub/control.h"

#include "hubbub/mem.h"
#include "server/server_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct control {
	struct server *server;
	uv_poll_t poll;
	int fd;
};

/* A path of any length fits by way of its directory. */
static int address_in(const char *dir, struct sockaddr_un *addr)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/" CONTROL_NAME, fd);
	return fd;
}

static int new_socket(int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	return fd < 0 ? -errno : fd;
}

int control_connect(const char *dir)
{
	struct sockaddr_un addr;
	int dir_fd = address_in(dir, &addr), fd, err = 0;

	if (dir_fd < 0)
		return dir_fd;
	fd = new_socket(0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		err = -errno;
		close(fd);
	}
	close(dir_fd);
	return err != 0 ? err : fd;
}

static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct control *ctl = poll->data;
	struct worker *w = &ctl->server->workers[0];
	struct inbox_list list = {0};
	int fd;

	(void)status;
	(void)events;
	while ((fd = accept4(ctl->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (is_ours(fd))
			worker_list_socket(&list, fd, SESSION_DOOR_SHELL, NULL, 0, NULL);
		else
			close(fd);
	}
	worker_give_sockets(w, &list);
}

static int listen_in(const char *dir)
{
	struct sockaddr_un addr;
	int dir_fd = address_in(dir, &addr), fd, err = 0;
	mode_t mask;

	if (dir_fd < 0)
		return dir_fd;
	unlinkat(dir_fd, CONTROL_NAME, 0); /* of a server that was killed: the directory is ours */
	fd = new_socket(SOCK_NONBLOCK);
	mask = umask(0177);
	if (fd >= 0 &&
	    (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 16) != 0)) {
		err = -errno;
		close(fd);
	}
	umask(mask);
	close(dir_fd);
	return err != 0 ? err : fd;
}

void control_open(struct server *s)
{
	if (s->cfg->open)
		return;
	int fd = listen_in(s->cfg->data_dir);

	if (fd < 0) {
		log_warn("no commands from the shell will be heard: cannot listen on %s/%s: %s",
			 s->cfg->data_dir, CONTROL_NAME, strerror(-fd));
		return;
	}
	s->control = mem_zalloc(sizeof(*s->control));
	s->control->server = s;
	s->control->fd = fd;
	s->control->poll.data = s->control;
	uv_poll_init(&s->loop, &s->control->poll, fd);
	uv_poll_start(&s->control->poll, UV_READABLE, on_readable);
}

static void on_closed(uv_handle_t *handle)
{
	struct control *ctl = handle->data;

	close(ctl->fd);
	free(ctl);
}

void control_close(struct server *s)
{
	struct sockaddr_un addr;
	int dir_fd;

	if (s->control == NULL)
		return;
	dir_fd = address_in(s->cfg->data_dir, &addr);
	if (dir_fd >= 0) {
		unlinkat(dir_fd, CONTROL_NAME, 0);
		close(dir_fd);
	}
	uv_close((uv_handle_t *)&s->control->poll, on_closed);
	s->control = NULL;
}
