#pragma once
/* Layer: server. */
#include "hubbub/config.h"

/**
 * Serve until SIGTERM or SIGINT: opens the store, starts the workers, listens, prints one line on
 * standard output, and stops everything in order.  A second signal ends the process at once.
 * SIGHUP reads the settings again, and SIGUSR2 has another program go on; for both @argv is what
 * the process was started with.
 *
 * Returns the process's exit status.  Main thread, once.
 */
int server_run(const struct config *cfg, int argc, char *const *argv);
/**
 * Whether the data directory that @cfg names holds a database that this program can use, or none
 * yet: 0, else a negative errno after one clear log line.  Also while another process serves it.
 */
int server_check(const struct config *cfg);
