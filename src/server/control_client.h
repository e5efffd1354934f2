#pragma once
#include "hubbub/buf.h"
#include "hubbub/config.h"
#include <jansson.h>
#include <sys/types.h>

/** A command's way to the server of its data. */
struct control_client {
	const struct config *cfg;
	pid_t child; /* a server for this command alone; 0: one runs anyhow */
};

/** 0, or a negative errno after a line on standard error; then nothing is open. */
int control_client_open(struct control_client *ctl, const struct config *cfg);
void control_client_close(struct control_client *ctl);
/**
 * One request; @body (consumed) may be NULL.  The answer, for json_decref(), or NULL after a line
 * on standard error.
 */
json_t *control_client_ask(struct control_client *ctl, const char *method, const char *path,
			   json_t *body);
