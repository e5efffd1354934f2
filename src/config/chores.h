#pragma once
/* Private to config/. */
#include "config/settings.h"

/** The enum config_verb of the command @name; 0 if it is none of those beside `serve`. */
int chores_find(const char *name);
/** What `hubbub NAME --help` says. */
void chores_append_help(const char *name, struct buf *out);
/**
 * Take what is the command's own out of @argv, where the settings are left.
 *
 * -EINVAL with a sentence in @text.
 */
int chores_take_args(struct config *cfg, const char *name, int *argc, char **argv,
		     struct buf *text);
/** people_args.c: the same for user, invite and audit, which take @options, each followed by ' '.
 */
int people_take_args(struct config *cfg, const char *name, const char *options, int *argc,
		     char **argv, struct buf *text);
