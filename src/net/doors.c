/* The sockets that listen, as the loop watches them. */
#include "net/internal.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int doors_add(struct doors *d, uv_loop_t *loop, int fd, void *data)
{
	struct door *door = &d->at[d->n];
	int err;

	assert(d->n < ACCEPTOR_MAX_DOORS);
	*door = (struct door){.fd = fd, .address = listen_address(fd)};
	if (door->address == NULL) {
		err = -errno;
		close(fd);
		return err;
	}
	/* The descriptor is new and the loop has none like it: this cannot fail. */
	err = uv_poll_init(loop, &door->poll, fd);
	assert(err == 0);
	door->poll.data = data;
	d->n++;
	return 0;
}

void doors_watch(struct doors *d, uv_poll_cb on_connection)
{
	for (unsigned i = 0; i < d->n; i++)
		uv_poll_start(&d->at[i].poll, UV_READABLE, on_connection);
}

void doors_unwatch(struct doors *d)
{
	for (unsigned i = 0; i < d->n; i++)
		uv_poll_stop(&d->at[i].poll);
}

void doors_close_handles(struct doors *d, uv_close_cb on_closed)
{
	for (unsigned i = 0; i < d->n; i++)
		uv_close((uv_handle_t *)&d->at[i].poll, on_closed);
}

void doors_deinit(struct doors *d)
{
	for (unsigned i = 0; i < d->n; i++)
		free(d->at[i].address);
}
