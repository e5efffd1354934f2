/*
 * Wrong on purpose: now and then an event is not handed to a connection.
 */
#include "session/conn.h"

void __real_conn_send_piece(struct conn *c, struct piece *p);
void __wrap_conn_send_piece(struct conn *c, struct piece *p);

static atomic_uint n;

void __wrap_conn_send_piece(struct conn *c, struct piece *p)
{
	if (atomic_fetch_add(&n, 1) % 1000 != 999)
		__real_conn_send_piece(c, p);
}
