/*
 * What differs between the servers: the target of the upgrade, how a client gets into its room,
 * how a message is published and how one is recognised.
 */
#ifndef BENCH_LOAD_KIND_H
#define BENCH_LOAD_KIND_H

#include "conn.h"
#include "opts.h"

#include <stddef.h>
#include <stdint.h>

/** Hubbub: the id of the request that joins; those of messages are above it. */
#define KIND_JOIN_ID 2

/** The target of the request that upgrades @c. */
void kind_target(const struct conn *c, char *to, size_t size);

/** The connection is upgraded: say what has to be said first. */
void kind_greet(struct conn *c);

/** A whole frame came.  The payload may be written to. */
void kind_on_frame(struct conn *c, uint8_t first_byte, uint8_t *payload, size_t len);

/** Hubbub: append the request that joins the connection's room and asks for one event. */
void kind_put_join(struct conn *c);

/** Append to the output a message of publisher @pub with number @seq meant for the time @t. */
void kind_put_message(struct conn *c, uint32_t pub, uint32_t seq, uint64_t t);

#endif
