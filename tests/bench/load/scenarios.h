/*
 * The scenarios: each runs to its end and gives its result, which the caller owns.  One that finds
 * a wrong delivery puts "ok": false in it.
 */
#ifndef BENCH_LOAD_SCENARIOS_H
#define BENCH_LOAD_SCENARIOS_H

#include "opts.h"

#include <jansson.h>

/** Messages to all members of rooms: CPU per delivery, rate, latency. */
json_t *scenario_fanout(const struct opts *o);

/** Connections that are there and say nothing: memory and CPU. */
json_t *scenario_idle(const struct opts *o);

/** Connections that come: CPU and time for each. */
json_t *scenario_connect(const struct opts *o);

/** Durable sends, the next when one is acknowledged: rate, latency, CPU of the store. */
json_t *scenario_sends(const struct opts *o);

/** Reading history, alone and while messages are sent. */
json_t *scenario_history(const struct opts *o);

/** Joins by the thousand while rooms are talking: what these feel of it. */
json_t *scenario_joins(const struct opts *o);

/** A server that is cut off and comes back: how long until all clients are whole. */
json_t *scenario_resume(const struct opts *o);

#endif
