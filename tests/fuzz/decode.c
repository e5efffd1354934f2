/*
 * A text frame from a client.  What is taken keeps every bound of the contract; what is refused has
 * a reason; and an event made of it is JSON that says the same.
 */
#include "fuzz.h"

#include "hubbub/event.h"
#include "hubbub/request.h"
#include "hubbub/utf8.h"
#include <jansson.h>
#include <string.h>

static const struct config cfg = {.open = true, .max_text = 300, .max_frame = 65536};

static void check_text(struct span s, size_t max)
{
	if (s.p != NULL)
		MUST(s.len <= max && utf8_is_valid(s.p, s.len));
}

static void check(const struct request *r)
{
	MUST(r->op < N_OPS);
	MUST(r->id.kind != REQUEST_ID_NONE || r->op == OP_PONG);
	MUST(r->id.kind != REQUEST_ID_INT || r->id.n <= REQUEST_MAX_SEQ);
	MUST(r->id.kind != REQUEST_ID_STRING ||
	     (r->id.s.len >= 1 && r->id.s.len <= REQUEST_MAX_ID));
	MUST(r->room.p == NULL || r->rid.p == NULL);
	MUST(r->limit <= REQUEST_MAX_LIMIT);
	MUST(r->n_mentions <= REQUEST_MAX_MENTIONS);
	MUST(r->since <= REQUEST_MAX_SEQ && r->bound <= REQUEST_MAX_SEQ &&
	     r->seq <= REQUEST_MAX_SEQ);
	check_text(r->room, 80 * 4);
	check_text(r->title, 65536);
	check_text(r->rid, REQUEST_MAX_RID);
	check_text(r->key, REQUEST_MAX_KEY);
	check_text(r->emoji, REQUEST_MAX_EMOJI);
	check_text(r->text, cfg.max_text);
	check_text(r->name, 40 * 4);
	if (op_is_write(r->op)) {
		MUST(r->room.p != NULL || r->rid.p != NULL);
		MUST(r->key.p != NULL && r->key.len > 0);
	}
	if (r->op == OP_SEND)
		MUST(r->text.p != NULL && r->text.len > 0);
}

/* What the members of the room would be sent. */
static void check_event(const struct request *r)
{
	struct event e = {
		.kind = EVENT_MESSAGE,
		.room = r->room.p != NULL ? r->room : SPAN("~rid"),
		.seq = 7,
		.ts = 1,
		.from_id = 3,
		.from_name = r->text,
		.text = r->text,
		.thread = r->thread,
		.quote = r->quote,
		.mentions = r->mentions,
		.n_mentions = r->n_mentions,
	};
	struct buf b = {0};

	event_encode(&b, &e);
	json_t *json = json_loadb(b.p, b.len, JSON_ALLOW_NUL, NULL);
	MUST(json != NULL);
	const json_t *text = json_object_get(json, "text");
	MUST(json_string_length(text) == r->text.len);
	MUST(memcmp(json_string_value(text), r->text.p, r->text.len) == 0);
	MUST(json_array_size(json_object_get(json, "mentions")) == r->n_mentions);
	json_decref(json);
	buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request *r;
	const char *why = NULL;

	/* The WebSocket layer has seen to this. */
	if (!utf8_is_valid(data, size))
		return 0;
	enum proto_error e =
		request_decode(&r, (struct span){.p = (const char *)data, .len = size}, &cfg, &why);

	MUST(r != NULL);
	if (e == PROTO_OK) {
		check(r);
		if (r->op == OP_SEND)
			check_event(r);
	} else {
		MUST(why != NULL && *why != '\0');
		MUST(*proto_error_name(e) != '\0');
	}
	request_free(r);
	return 0;
}
