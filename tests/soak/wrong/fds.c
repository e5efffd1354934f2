/*
 * Wrong on purpose: one of eight connections leaves a descriptor behind.
 */
#include "session/conn.h"
#include <unistd.h>

void __real_conn_new(struct hub *hub, int fd);
void __wrap_conn_new(struct hub *hub, int fd);

static atomic_uint n;

void __wrap_conn_new(struct hub *hub, int fd)
{
	if (atomic_fetch_add(&n, 1) % 8 == 0)
		(void)!dup(STDERR_FILENO);
	__real_conn_new(hub, fd);
}
