/*
 * The clients: one epoll instance, one receive buffer, and connections that are opened, upgraded
 * and brought into their rooms, some hundred at a time.
 */
#ifndef BENCH_LOAD_SWARM_H
#define BENCH_LOAD_SWARM_H

#include "conn.h"
#include "opts.h"

#define WS_TEXT 1
#define WS_BINARY 2

struct swarm {
	const struct opts *opts;
	void *owner; /* the scenario's */
	int epoll;
	struct conn *conns;
	uint32_t n_conns;
	uint32_t n_ready;
	uint64_t now; /* when the read that is being looked at returned */
	char run_id[16];
	uint8_t *buf;

	/* Hubbub alone: tokens to be known by again, one string per connection, or NULL. */
	char **tokens;
	/* Hubbub alone: hello is as far as a connection goes. */
	bool stays_outside;

	/* A measured message came; its payload has opts->size bytes.  By default ignored. */
	void (*on_message)(struct conn *c, const uint8_t *payload);
	/* All of a read is looked at; may be NULL. */
	void (*on_read_end)(struct conn *c);
	/* It is in its room; may be NULL. */
	void (*on_ready)(struct conn *c);
	/* The server closed it; NULL: the run fails. */
	void (*on_lost)(struct conn *c);

	/* Hubbub alone, and all may be NULL: */
	/* An event with its whole text, in place of on_message. */
	void (*on_event)(struct conn *c, const char *text, size_t len);
	/* A reply that is ok, once ready; one that is not fails the run. */
	void (*on_reply)(struct conn *c, const char *text, size_t len);
	/* Append the request that joins, with the id KIND_JOIN_ID. */
	void (*put_join)(struct conn *c);
	/* The reply to it, before on_ready. */
	void (*on_joined)(struct conn *c, const char *text, size_t len);
};

/** Prepare for @n connections, none open yet; connection i is in room i / @per_room. */
void swarm_init(struct swarm *sw, const struct opts *o, uint32_t n, uint32_t per_room);

/** Close what is open and free everything. */
void swarm_deinit(struct swarm *sw);

/** Begin to open connection @c, which is closed. */
void swarm_connect(struct conn *c);

/** Open connections @from to @to, excluded, and wait until all are in their rooms. */
void swarm_open(struct swarm *sw, uint32_t from, uint32_t to);

/** Wait @timeout_ns at most, 0 for not at all, and handle what came.  Returns how many did. */
int swarm_poll(struct swarm *sw, uint64_t timeout_ns);

/** Close connections @from to @to, excluded, by a reset: no TIME_WAIT stays behind. */
void swarm_close(struct swarm *sw, uint32_t from, uint32_t to);

/** Look at what comes for @ns nanoseconds. */
void swarm_run_for(struct swarm *sw, uint64_t ns);

/** Watch for room in the socket as well, or no more. */
void swarm_watch(struct conn *c, bool for_out);

/** The connection is broken: tell the scenario, or fail. */
void swarm_lost(struct conn *c, const char *why);

#endif
