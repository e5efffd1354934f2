/*
 * Messages that flow through rooms: publishers that send them, in a closed or an open loop, and
 * the check that every member gets each of them once and in order.
 *
 * Closed loop: a publisher keeps in_flight of its messages under way and sends the next when one
 * of its own has come back to it; those that come back in one read are followed in one write.
 * Open loop: messages go out on a schedule, whatever comes back.  One that is sent late, because
 * the generator or the socket was busy, still counts from its intended time.
 */
#ifndef BENCH_LOAD_FLOW_H
#define BENCH_LOAD_FLOW_H

#include "hist.h"
#include "swarm.h"

struct flow {
	struct swarm *swarm;
	uint32_t members;    /* of a room: connection i is in room i / members */
	uint32_t publishers; /* in each room */
	uint32_t n_rooms;
	uint32_t in_flight;     /* 0: open loop */
	double interval_ns;     /* open loop: between two messages of all publishers together */
	bool by_reply;          /* closed loop of hubbub: a message is under way until its reply */
	uint32_t latency_rooms; /* latency is of the rooms below this one */

	bool is_running;
	uint64_t started_at;
	uint64_t n_scheduled; /* open loop */
	uint64_t n_sent;
	uint64_t n_delivered;
	uint32_t *last; /* [connection][publisher in its room]: the last seq that came */

	/* Latency is of the messages meant for a time from window_from to window_to. */
	uint64_t window_from, window_to;
	struct hist latency;
	struct hist send_late;

	/* Hubbub's replies to messages, of the same window; the time of each message under way. */
	uint64_t n_acked;
	struct hist ack_latency;
	uint64_t *sent_at; /* [connection][seq % ring] */
	uint32_t ring;

	uint64_t lost, repeated, reordered, alien;
};

/**
 * Prepare a flow in the first connections of @sw, and take its messages: on_message and
 * on_read_end of @sw are set, and its owner must be @f or begin with it.
 */
void flow_init(struct flow *f, struct swarm *sw, const struct opts *o);
void flow_deinit(struct flow *f);

/**
 * Also take the replies to messages (hubbub alone): on_reply of the swarm is set.  With @by_reply
 * the loop is closed by them and not by the messages that come back.
 */
void flow_watch_replies(struct flow *f, bool by_reply);

/** What flow_init() sets in the swarm, for a scenario that sorts messages and replies itself. */
void flow_on_message(struct conn *c, const uint8_t *payload);
void flow_on_reply(struct conn *c, const char *text, size_t len);

/** Begin to publish. */
void flow_start(struct flow *f);

/** Publish and receive for @ns nanoseconds. */
void flow_run_for(struct flow *f, uint64_t ns);

/** Send what the schedule asks for by now; returns the nanoseconds until the next is due. */
uint64_t flow_send_due(struct flow *f);

/** Publish no more, wait until all is delivered, count what does not come as lost. */
void flow_stop(struct flow *f);

/** Whether nothing was lost, repeated or out of order. */
bool flow_is_clean(const struct flow *f);

/** {"lost","repeated","reordered","alien","ok"}.  The caller owns it. */
json_t *flow_checks_json(const struct flow *f);

#endif
