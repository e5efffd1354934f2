#pragma once
/* What the readers of fields share: one value of a request, of a type and within bounds. */
#include "fields.h"

static inline enum proto_error field_refuse(struct field_source *src, const char *why)
{
	src->why = why;
	return PROTO_E_BAD_REQUEST;
}

static inline const json_t *field_get(const struct field_source *src, const char *name)
{
	return json_object_get(src->root, name);
}

static inline bool field_get_string(const json_t *v, struct span *out)
{
	if (!json_is_string(v))
		return false;
	*out = (struct span){.p = json_string_value(v), .len = json_string_length(v)};
	return true;
}

/* A string of 1 to @max bytes that must be there. */
static inline bool field_get_short_string(const json_t *v, size_t max, struct span *out)
{
	return field_get_string(v, out) && out->len > 0 && out->len <= max;
}

static inline bool field_get_integer(const json_t *v, uint64_t min, uint64_t *out)
{
	if (!json_is_integer(v))
		return false;

	json_int_t n = json_integer_value(v);
	if (n < 0 || (uint64_t)n < min || (uint64_t)n > REQUEST_MAX_SEQ)
		return false;
	*out = (uint64_t)n;
	return true;
}

/* A boolean that may be absent (false then). */
static inline bool field_get_flag(const json_t *v, bool *out)
{
	*out = json_is_true(v);
	return v == NULL || json_is_boolean(v);
}
