#pragma once
#include "hubbub/session.h"

/** Append all metrics in Prometheus's text format.  Any thread. */
void metrics_write(struct buf *b, const struct session_env *env);
/** Append what admins see of the server as a JSON object of numbers.  Any thread. */
void figures_write(struct buf *b, const struct session_env *env);
