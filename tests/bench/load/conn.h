/*
 * One client's connection: its socket, what is left of the last read, what is still to be written.
 */
#ifndef BENCH_LOAD_CONN_H
#define BENCH_LOAD_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct swarm;

enum conn_state {
	CONN_CLOSED,
	CONN_CONNECTING,
	CONN_UPGRADING, /* the request is sent, the answer's head not whole yet */
	CONN_GREETING,  /* frames flow, the kind's greeting is not finished */
	CONN_READY,     /* in its room */
};

struct conn {
	struct swarm *swarm;
	int fd;
	uint32_t index; /* in the swarm */
	uint32_t room;
	uint8_t state;
	uint8_t greeting_step;
	bool waits_for_out; /* epoll watches for room in the socket */

	/* An unfinished frame. */
	uint8_t *rest;
	uint32_t rest_len, rest_cap;

	/* What the socket has not taken, or what is being put together. */
	uint8_t *out;
	uint32_t out_len, out_cap;

	/* NATS alone: a protocol message that goes on in the next frame. */
	uint8_t *nats;
	uint32_t nats_len, nats_cap;

	uint64_t opened_at; /* when connecting began */

	/* For the scenario's use. */
	uint32_t n_own; /* of its own messages that came in this read */
	uint32_t seq;   /* of its last message, or of its last request */
	bool is_marked;
};

/** Make room for @more bytes at the end of the output and return where they go. */
uint8_t *conn_reserve(struct conn *c, uint32_t more);

/**
 * Append one masked frame with @opcode: its header here, its payload of @len bytes by the caller,
 * who writes it, unmasked, where the return value says, and calls conn_end_frame() then.
 */
uint8_t *conn_begin_frame(struct conn *c, uint8_t opcode, uint32_t len);

/** Mask the @len bytes of payload at the output's end. */
void conn_end_frame(struct conn *c, uint32_t len);

/** Append a whole frame. */
void conn_put_frame(struct conn *c, uint8_t opcode, const void *payload, uint32_t len);

/** Append a text frame, formatted. */
void conn_put_textf(struct conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Write what is gathered; the rest follows when the socket takes it. */
void conn_flush(struct conn *c);

/** Close the socket and drop what is under way. */
void conn_close(struct conn *c);

/** Keep @len bytes at @bytes in a buffer that grows.  @bytes may lie within it. */
void conn_keep(uint8_t **buf, uint32_t *buf_len, uint32_t *buf_cap, const uint8_t *bytes,
	       size_t len);

#endif
