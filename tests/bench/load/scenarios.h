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

#endif
