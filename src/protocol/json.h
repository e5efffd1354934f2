#pragma once
#include "hubbub/span.h"
#include <jansson.h>
#include <stdbool.h>

/**
 * Parse one text frame into a JSON object (RFC 8259), by the contract's stricter rules.
 *
 * Returns the object (drop it with json_decref()), or NULL where the frame is no JSON object at
 * all.  *@why is NULL when the frame keeps all rules, else a static sentence; an object that comes
 * with a @why is good for nothing but its id, so that the refusal can name the request.
 */
json_t *json_read_object(struct span text, const char **why);
