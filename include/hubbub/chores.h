#pragma once
/* Layer: server. */
#include "hubbub/config.h"

/*
 * `hubbub backup`, `restore` and `check` as commands: they tell of their progress on standard error
 * (a bar on a terminal, a few lines elsewhere), of their outcome on standard output, and end in
 * order on SIGINT, SIGTERM and SIGHUP.  Each returns the process's exit status.  Main thread, once.
 */

int chore_backup(const struct config *cfg);
int chore_restore(const struct config *cfg);
/** `hubbub user`, `invite` or `audit`, as @verb says. */
int chore_people(const struct config *cfg, enum config_verb verb);
/** 0 where nothing was found. */
int chore_check(const struct config *cfg);
