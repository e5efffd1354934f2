#pragma once
/* Layer: server. */

#define CONTROL_NAME "control" /* in the data directory */

/**
 * Connect to the server that serves @dir.  A blocking socket, the caller's, or a negative errno:
 * -ENOENT or -ECONNREFUSED where none does.
 */
int control_connect(const char *dir);
