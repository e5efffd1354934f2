/*
 * The service manager's side of things: readiness and watchdog.
 *
 * The protocol is one datagram to the socket that the environment names, promised to stay as it is
 * (sd_notify(3), "Standalone implementations").  libsystemd would bring libraries for compression
 * and cryptography into a process that listens to the internet, for these forty lines.
 */
#include "server/notify.h"

#include "hubbub/log.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len;
	int fd;

	if (path == NULL || path[0] == '\0')
		return;
	len = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(addr.sun_path)) {
		log_warn("NOTIFY_SOCKET names no socket: %s", path);
		return;
	}
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = '\0'; /* unix(7): an abstract address */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_warn("cannot tell the service manager: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static bool read_number(const char *name, uint64_t *out)
{
	const char *text = getenv(name);
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

uint64_t notify_watchdog_us(void)
{
	uint64_t us, pid;

	if (!read_number("WATCHDOG_USEC", &us) ||
	    (read_number("WATCHDOG_PID", &pid) && pid != (uint64_t)getpid()))
		return 0;
	return us;
}
