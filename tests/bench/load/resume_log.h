/*
 * What each client holds of its room's log: the seq of its last event.  An event that is not the
 * next one is a fault.
 */
#ifndef BENCH_LOAD_RESUME_LOG_H
#define BENCH_LOAD_RESUME_LOG_H

#include "swarm.h"

#include <jansson.h>

struct resume_log {
	struct swarm *swarm;
	char epoch[64];
	uint64_t *cursors; /* of each connection */
	uint64_t *acked;   /* of each room: the highest seq that was acknowledged */
	bool is_return;
	uint32_t n_whole;
	uint64_t n_acks;
	uint64_t n_partial; /* replies after which a client had to page on */
	uint64_t n_resumed; /* events that came in replies */
	uint64_t lost, repeated, acked_lost;
};

/** Follow the events of @sw, whose owner must begin with @l: its hooks for hubbub are set. */
void resume_log_init(struct resume_log *l, struct swarm *sw, uint32_t n_rooms);
void resume_log_deinit(struct resume_log *l);

/**
 * From now on a join asks for what came since the last event.  Each client forgets its last few
 * first, as if they had been on their way when the connection broke: a fast server would leave
 * nothing to catch up on.
 */
void resume_log_begin_return(struct resume_log *l);

/** Whether every client has the last message that was acknowledged in its room. */
bool resume_log_is_level(const struct resume_log *l, uint32_t n_rooms);

/** What was found.  The caller owns it. */
json_t *resume_log_json(const struct resume_log *l);

#endif
