/*
 * Sockets that listen: our own, and those that a service manager or the process before us made.
 */
#include "hubbub/buf.h"
#include "net/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

static int resolve(const char *host, uint16_t port, struct addrinfo **out)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	};
	char service[6];
	int err;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	snprintf(service, sizeof(service), "%u", port);
	err = getaddrinfo(host, service, &hints, out);
	if (err == EAI_SYSTEM)
		return -errno;
	if (err == EAI_MEMORY)
		return -ENOMEM;
	return err != 0 ? -EINVAL : 0;
}

static int listen_on(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	int err;

	if (fd < 0)
		return -errno;
	/*
	 * A server that starts again must not wait for its old connections' TIME_WAIT.  And a chat
	 * message must not wait for the acknowledgement of the one before it: what is accepted has
	 * this of the socket that listens.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

char *listen_address(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	struct buf text = {0};

	if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
		return NULL;
	if (getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		errno = EINVAL;
		return NULL;
	}
	buf_printf(&text, addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return buf_take(&text, NULL);
}

int listen_open(const char *host, uint16_t port)
{
	struct addrinfo *ai;
	int fd = resolve(host, port, &ai);

	if (fd != 0)
		return fd;
	fd = listen_on(ai);
	freeaddrinfo(ai);
	return fd;
}

static int get_option(int fd, int option, int *value)
{
	socklen_t len = sizeof(*value);

	return getsockopt(fd, SOL_SOCKET, option, value, &len) == 0 ? 0 : -errno;
}

int listen_adopt(int fd)
{
	int family = 0, type = 0, listens = 0, on = 1;
	int err = get_option(fd, SO_DOMAIN, &family);

	if (err == 0)
		err = get_option(fd, SO_TYPE, &type);
	if (err == 0)
		err = get_option(fd, SO_ACCEPTCONN, &listens);
	if (err != 0)
		return err;
	if (type != SOCK_STREAM || (family != AF_INET && family != AF_INET6))
		return -EPROTOTYPE;
	if (!listens)
		return -EINVAL;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 || listen(fd, BACKLOG) != 0)
		return -errno;
	return 0;
}
