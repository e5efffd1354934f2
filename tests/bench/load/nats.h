/*
 * The NATS protocol over WebSocket, as far as a subscriber and publisher of one subject needs it.
 */
#ifndef BENCH_LOAD_NATS_H
#define BENCH_LOAD_NATS_H

#include "conn.h"

/** Say CONNECT and SUB; the PONG to a PING says that both have been heard. */
void nats_greet(struct conn *c);

/** Handle a frame: protocol messages one after another, the last of which may be unfinished. */
void nats_on_frame(struct conn *c, uint8_t *bytes, size_t len,
		   void (*become_ready)(struct conn *c));

#endif
