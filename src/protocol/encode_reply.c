/*
 * Replies as JSON, and the names of the errors in them.
 */
#include "hubbub/event.h"

static const char *const error_names[] = {
	[PROTO_OK] = "ok",
	[PROTO_E_BAD_REQUEST] = "bad_request",
	[PROTO_E_UNSUPPORTED] = "unsupported",
	[PROTO_E_UNAUTHORIZED] = "unauthorized",
	[PROTO_E_FORBIDDEN] = "forbidden",
	[PROTO_E_NOT_FOUND] = "not_found",
	[PROTO_E_NAME_TAKEN] = "name_taken",
	[PROTO_E_TOO_LARGE] = "too_large",
	[PROTO_E_RATE_LIMITED] = "rate_limited",
	[PROTO_E_KEY_CONFLICT] = "key_conflict",
	[PROTO_E_UNAVAILABLE] = "unavailable",
	[PROTO_E_INTERNAL] = "internal",
	[PROTO_E_SECOND_FACTOR] = "second_factor",
};

const char *proto_error_name(enum proto_error e)
{
	if ((size_t)e >= sizeof(error_names) / sizeof(error_names[0]))
		return error_names[PROTO_E_INTERNAL];
	return error_names[e];
}

static void append_re(struct buf *b, const struct request_id *id)
{
	buf_append_str(b, "{\"re\":");
	switch (id->kind) {
	case REQUEST_ID_NONE:
		buf_append_str(b, "null");
		break;
	case REQUEST_ID_INT:
		buf_append_u64(b, id->n);
		break;
	case REQUEST_ID_STRING:
		buf_append_json(b, id->s);
		break;
	}
}

void reply_encode_open(struct buf *b, const struct request_id *id)
{
	append_re(b, id);
	buf_append_str(b, ",\"ok\":true");
}

void reply_encode_ok(struct buf *b, const struct request_id *id)
{
	reply_encode_open(b, id);
	buf_append_char(b, '}');
}

void reply_encode_written(struct buf *b, const struct request_id *id, uint64_t seq, int64_t ts,
			  bool dup)
{
	reply_encode_open(b, id);
	buf_append_str(b, ",\"seq\":");
	buf_append_u64(b, seq);
	buf_append_str(b, ",\"ts\":");
	buf_append_i64(b, ts);
	buf_append_str(b, dup ? ",\"dup\":true}" : "}");
}

void reply_encode_error(struct buf *b, const struct request_id *id, enum proto_error e,
			const char *msg, unsigned retry_ms)
{
	const char *code = proto_error_name(e);

	append_re(b, id);
	buf_append_str(b, ",\"ok\":false,\"err\":{\"code\":\"");
	buf_append_str(b, code);
	buf_append_str(b, "\",\"msg\":");
	buf_append_json(b, span_of(msg != NULL ? msg : code));
	if (retry_ms != 0) {
		buf_append_str(b, ",\"retry_ms\":");
		buf_append_u64(b, retry_ms);
	}
	buf_append_str(b, "}}");
}
