/*
 * A service manager's end of sd_notify(3): binds the socket that its argument names and prints what
 * comes, a line for each field, until its standard input ends.
 */
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[4096];

	if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof(addr.sun_path))
		return 2;
	strcpy(addr.sun_path, argv[1]);
	if (argv[1][0] == '@')
		addr.sun_path[0] = '\0'; /* unix(7): an abstract address */
	if (bind(fd, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(argv[1]))) != 0)
		return 1;
	printf("bound\n");
	fflush(stdout);
	for (;;) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};

		if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
			return 0;
		ssize_t len = recv(fd, text, sizeof(text) - 1, 0);
		if (len < 0)
			return 1;
		printf("%.*s\n", (int)len, text);
		fflush(stdout);
	}
}
