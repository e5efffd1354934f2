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

static json_t *parse(struct buf *b)
{
	json_t *json = json_loadb(b->p, b->len, JSON_ALLOW_NUL, NULL);

	MUST(json != NULL);
	b->len = 0;
	return json;
}

static void check_string(const json_t *json, const char *name, struct span s)
{
	const json_t *v = json_object_get(json, name);

	MUST(json_is_string(v) && json_string_length(v) == s.len);
	MUST(memcmp(json_string_value(v), s.p, s.len) == 0);
}

/* A message in folded history: what became of it, or that it is gone. */
static void check_folded(struct span room, struct span text)
{
	const struct event_reaction reactions[] = {{text, 2, true}, {SPAN("+1"), 1, false}};
	struct event e = {.kind = EVENT_MESSAGE,
			  .room = room,
			  .seq = 9,
			  .from_name = text,
			  .text = text,
			  .thread = 3,
			  .folded = true,
			  .edited_ts = 5,
			  .reactions = reactions,
			  .n_reactions = 2};
	struct buf b = {0};

	event_encode(&b, &e);
	json_t *json = parse(&b);
	check_string(json, "text", text);
	MUST(json_integer_value(json_object_get(json, "edited")) == 5);
	const json_t *list = json_object_get(json, "reactions");
	MUST(json_array_size(list) == 2);
	check_string(json_array_get(list, 0), "emoji", text);
	MUST(json_is_true(json_object_get(json_array_get(list, 0), "me")));
	MUST(json_integer_value(json_object_get(json_array_get(list, 1), "count")) == 1);
	json_decref(json);

	e.deleted = true;
	event_encode(&b, &e);
	json = parse(&b);
	MUST(json_is_true(json_object_get(json, "deleted")));
	MUST(json_integer_value(json_object_get(json, "thread")) == 3);
	MUST(json_object_get(json, "text") == NULL && json_object_get(json, "reactions") == NULL);
	json_decref(json);
	buf_deinit(&b);
}

/* What is said of a room, its people and its topic. */
static void check_news(struct span room, struct span text)
{
	const struct presence_user users[] = {{1, text}, {2, SPAN("Bo")}};
	struct buf b = {0};
	json_t *json;

	for (int kind = EVENT_MESSAGE; kind <= EVENT_RENAME; kind++) {
		bool has_target = kind >= EVENT_EDIT && kind <= EVENT_REACT;
		struct event e = {.kind = (enum event_kind)kind,
				  .room = room,
				  .seq = 1,
				  .target = has_target ? 4 : 0,
				  .from_name = text,
				  .text = text,
				  .emoji = text};

		event_encode(&b, &e);
		json = parse(&b);
		check_string(json, "room", room);
		check_string(json_object_get(json, "from"), "name", text);
		MUST((json_object_get(json, "target") != NULL) == has_target);
		if (kind == EVENT_TOPIC || kind == EVENT_RENAME)
			check_string(json, kind == EVENT_TOPIC ? "topic" : "was", text);
		json_decref(json);
	}
	event_encode_typing(&b, room, 1, text);
	json = parse(&b);
	check_string(json_object_get(json, "from"), "name", text);
	json_decref(json);
	event_encode_read(&b, room, 1);
	json = parse(&b);
	check_string(json, "room", room);
	json_decref(json);
	for (unsigned n = 0; n <= 2; n++) {
		event_encode_presence(&b, room, users, n, users, 2 - n, 2);
		json = parse(&b);
		MUST(json_array_size(json_object_get(json, "join")) == n);
		json_decref(json);
	}
	buf_deinit(&b);
}

/* The reply names the request by the id that it came with. */
static void check_replies(const struct request *r, enum proto_error e, const char *why)
{
	struct buf b = {0};

	for (int kind = 0; kind < 3; kind++) {
		if (kind == 0)
			reply_encode_ok(&b, &r->id);
		else if (kind == 1)
			reply_encode_written(&b, &r->id, 1, 1, true);
		else
			reply_encode_error(&b, &r->id, e != PROTO_OK ? e : PROTO_E_INTERNAL,
					   why != NULL ? why : "", kind);
		json_t *json = parse(&b);
		const json_t *re = json_object_get(json, "re");

		if (r->id.kind == REQUEST_ID_STRING)
			check_string(json, "re", r->id.s);
		else if (r->id.kind == REQUEST_ID_INT)
			MUST((uint64_t)json_integer_value(re) == r->id.n);
		else
			MUST(re == NULL || json_is_null(re));
		json_decref(json);
	}
	buf_deinit(&b);
}

/* A text that comes in pieces: how much of it is whole, and whether more can make the rest so. */
static void check_pieces(const uint8_t *data, size_t size)
{
	bool may_go_on, can_go_on;
	size_t n = utf8_whole_len(data, size, &may_go_on), rest = size - n;

	MUST(n <= size && utf8_is_valid(data, n));
	MUST((rest == 0) == utf8_is_valid(data, size));
	MUST(utf8_sequence_len(data + n, rest) == 0);
	can_go_on = rest == 0;
	for (unsigned next = 0x80; next <= 0xbf && rest > 0 && rest < 4; next++) {
		uint8_t tried[4] = {0, 0x80, 0x80, 0x80};

		tried[1] = (uint8_t)next;
		memcpy(tried, data + n, rest);
		can_go_on |= utf8_sequence_len(tried, sizeof(tried)) > rest;
	}
	MUST(may_go_on == can_go_on);
}

/* The body of a request of the HTTP API; what has one is bounded as the contract says. */
static void check_body(struct span text, enum op op)
{
	struct request *r;
	const char *why = NULL;
	enum proto_error e = request_decode_body(&r, op, text, &cfg, &why);

	MUST(r != NULL && r->op == op);
	if (e != PROTO_OK) {
		MUST(why != NULL && *why != '\0');
	} else {
		MUST(r->password.len <= REQUEST_MAX_PASSWORD && r->code.len <= REQUEST_MAX_CODE);
		MUST(r->team.len <= REQUEST_MAX_TEAM && r->uses <= REQUEST_MAX_USES);
		MUST(r->expires_ms <= REQUEST_MAX_EXPIRES_MS && r->role < N_TEAM_ROLES);
		MUST((r->login.p == NULL) == (r->login_key.p == NULL));
		MUST((r->name.p == NULL) == (r->name_key.p == NULL));
	}
	request_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request *r;
	const char *why = NULL;

	check_pieces(data, size);
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
		if (r->op == OP_HELLO && r->name.p != NULL) {
			check_news(r->name_key, r->name);
			check_folded(r->name_key, r->name);
		}
	} else {
		MUST(why != NULL && *why != '\0');
		MUST(*proto_error_name(e) != '\0');
	}
	check_replies(r, e, why);
	request_free(r);
	check_body((struct span){.p = (const char *)data, .len = size},
		   (enum op)(N_WS_OPS + size % (N_OPS - N_WS_OPS)));
	return 0;
}
