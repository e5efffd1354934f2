#pragma once
/* Layer: server. */
#include "hubbub/config.h"

/**
 * Serve until SIGTERM or SIGINT: opens the store, starts the workers, listens, prints one line on
 * standard output, and stops everything in order.  A second signal ends the process at once.
 *
 * Returns the process's exit status.  Main thread, once.
 */
int server_run(const struct config *cfg);
