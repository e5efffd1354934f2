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

#endif
