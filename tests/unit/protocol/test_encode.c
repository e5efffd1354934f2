#include "support.h"

#include "hubbub/event.h"

/* The head that all events of these tests share. */
#define HEAD(ev)                                                                     \
	"{\"ev\":\"" ev "\",\"room\":\"general\",\"seq\":1043,\"ts\":1790000000123," \
	"\"from\":{\"id\":\"u4\",\"name\":\"Ada\"}"

static const int64_t mentions[] = {5, 6};
static const struct event_reaction reactions[] = {
	{.emoji = {.p = "👍", .len = 4}, .count = 2, .me = true},
	{.emoji = {.p = "\"", .len = 1}, .count = 1},
};

static const struct {
	struct event event; /* room, seq, ts and from are filled in */
	const char *want;
} event_rows[] = {
	{{.kind = EVENT_MESSAGE, .text = SPAN("hi")}, HEAD("message") ",\"text\":\"hi\"}"},
	{{.kind = EVENT_MESSAGE, .text = SPAN("a\0\"\n")},
	 HEAD("message") ",\"text\":\"a\\u0000\\\"\\n\"}"},
	{{.kind = EVENT_MESSAGE,
	  .text = SPAN("hi"),
	  .thread = 7,
	  .quote = 9,
	  .mentions = mentions,
	  .n_mentions = 2},
	 HEAD("message") ",\"text\":\"hi\",\"thread\":7,\"quote\":9,\"mentions\":[\"u5\",\"u6\"]}"},
	{{.kind = EVENT_MESSAGE, .deleted = true}, HEAD("message") ",\"deleted\":true}"},
	{{.kind = EVENT_MESSAGE}, HEAD("message") ",\"deleted\":true}"},
	{{.kind = EVENT_MESSAGE, .deleted = true, .text = SPAN("old"), .thread = 7, .quote = 9},
	 HEAD("message") ",\"thread\":7,\"deleted\":true}"},
	{{.kind = EVENT_MESSAGE, .text = SPAN("hi"), .folded = true},
	 HEAD("message") ",\"text\":\"hi\",\"reactions\":[]}"},
	{{.kind = EVENT_MESSAGE,
	  .text = SPAN("hi"),
	  .folded = true,
	  .edited_ts = 1790000000999,
	  .reactions = reactions,
	  .n_reactions = 2},
	 HEAD("message") ",\"text\":\"hi\",\"edited\":1790000000999,\"reactions\":["
			 "{\"emoji\":\"👍\",\"count\":2,\"me\":true},"
			 "{\"emoji\":\"\\\"\",\"count\":1,\"me\":false}]}"},
	{{.kind = EVENT_MESSAGE, .folded = true, .deleted = true, .edited_ts = 5},
	 HEAD("message") ",\"deleted\":true}"},
	{{.kind = EVENT_EDIT, .target = 1042, .text = SPAN("hi there")},
	 HEAD("edit") ",\"target\":1042,\"text\":\"hi there\"}"},
	{{.kind = EVENT_EDIT, .target = 1042}, HEAD("edit") ",\"target\":1042}"},
	{{.kind = EVENT_DELETE, .target = 1042}, HEAD("delete") ",\"target\":1042}"},
	{{.kind = EVENT_REACT, .target = 1042, .emoji = SPAN("👍"), .on = true, .count = 2},
	 HEAD("react") ",\"target\":1042,\"emoji\":\"👍\",\"on\":true,\"count\":2}"},
	{{.kind = EVENT_REACT, .target = 1042, .emoji = SPAN(":+1:")},
	 HEAD("react") ",\"target\":1042,\"emoji\":\":+1:\",\"on\":false,\"count\":0}"},
	{{.kind = EVENT_TOPIC, .text = SPAN("All things")},
	 HEAD("topic") ",\"topic\":\"All things\"}"},
	{{.kind = EVENT_RENAME, .text = SPAN("lobby")}, HEAD("rename") ",\"was\":\"lobby\"}"},
};

static void take(struct buf *b, const char *want)
{
	if (!span_equal(buf_span(b), span_of(want)))
		fail_msg("got %.*s\nwant %s", (int)b->len, b->p, want);
	buf_deinit(b);
}

static void events_have_the_shapes_of_the_contract(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(event_rows); i++) {
		struct event e = event_rows[i].event;
		struct buf b = {0};

		e.room = SPAN("general");
		e.seq = 1043;
		e.ts = 1790000000123;
		e.from_id = 4;
		e.from_name = SPAN("Ada");
		event_encode(&b, &e);
		take(&b, event_rows[i].want);
	}
}

static void numbers_keep_all_their_digits(void **state)
{
	(void)state;
	struct event e = {
		.kind = EVENT_DELETE,
		.room = SPAN("~0a"),
		.seq = REQUEST_MAX_SEQ,
		.ts = INT64_MAX,
		.from_id = INT64_MAX,
		.from_name = SPAN(""),
		.target = REQUEST_MAX_SEQ,
	};
	struct buf b = {0};

	event_encode(&b, &e);
	take(&b, "{\"ev\":\"delete\",\"room\":\"~0a\",\"seq\":9007199254740991,"
		 "\"ts\":9223372036854775807,\"from\":{\"id\":\"u9223372036854775807\","
		 "\"name\":\"\"},\"target\":9007199254740991}");
}

static const struct request_id no_id = {.kind = REQUEST_ID_NONE};
static const struct request_id int_id = {.kind = REQUEST_ID_INT, .n = 7};
static const struct request_id string_id = {.kind = REQUEST_ID_STRING, .s = SPAN("a\"\0é")};

static void replies_repeat_the_id_as_it_came(void **state)
{
	(void)state;
	struct buf b = {0};

	reply_encode_ok(&b, &int_id);
	take(&b, "{\"re\":7,\"ok\":true}");
	reply_encode_ok(&b, &string_id);
	take(&b, "{\"re\":\"a\\\"\\u0000é\",\"ok\":true}");
	reply_encode_ok(&b, &no_id);
	take(&b, "{\"re\":null,\"ok\":true}");
	reply_encode_open(&b, &int_id);
	take(&b, "{\"re\":7,\"ok\":true");
}

static void replies_to_writes_say_where_it_went(void **state)
{
	(void)state;
	struct buf b = {0};

	reply_encode_written(&b, &int_id, 1043, 1790000000123, false);
	take(&b, "{\"re\":7,\"ok\":true,\"seq\":1043,\"ts\":1790000000123}");
	reply_encode_written(&b, &int_id, 1043, 1790000000123, true);
	take(&b, "{\"re\":7,\"ok\":true,\"seq\":1043,\"ts\":1790000000123,\"dup\":true}");
}

static void refusals_carry_code_and_message(void **state)
{
	(void)state;
	struct buf b = {0};

	reply_encode_error(&b, &int_id, PROTO_E_RATE_LIMITED, "Too fast.", 1200);
	take(&b, "{\"re\":7,\"ok\":false,\"err\":{\"code\":\"rate_limited\",\"msg\":\"Too fast.\","
		 "\"retry_ms\":1200}}");
	reply_encode_error(&b, &no_id, PROTO_E_BAD_REQUEST, "Say \"what\".", 0);
	take(&b, "{\"re\":null,\"ok\":false,\"err\":{\"code\":\"bad_request\","
		 "\"msg\":\"Say \\\"what\\\".\"}}");
	reply_encode_error(&b, &int_id, PROTO_E_INTERNAL, NULL, 0);
	take(&b, "{\"re\":7,\"ok\":false,\"err\":{\"code\":\"internal\",\"msg\":\"internal\"}}");
}

static void every_error_has_its_name(void **state)
{
	(void)state;
	static const char *const names[] = {
		"ok",           "bad_request",  "unsupported", "unauthorized",
		"forbidden",    "not_found",    "name_taken",  "too_large",
		"rate_limited", "key_conflict", "unavailable", "internal",
	};

	for (int e = PROTO_OK; e <= PROTO_E_INTERNAL; e++)
		assert_string_equal(proto_error_name((enum proto_error)e), names[e]);
	assert_string_equal(proto_error_name((enum proto_error)99), "internal");
}

static void what_is_not_in_the_log_has_no_seq_of_its_own(void **state)
{
	(void)state;
	const struct presence_user ada = {.id = 4, .name = SPAN("Ada")};
	const struct presence_user both[] = {ada, {.id = 5, .name = SPAN("Bob")}};
	struct buf b = {0};

	event_encode_typing(&b, SPAN("general"), 4, SPAN("Ada"));
	take(&b,
	     "{\"ev\":\"typing\",\"room\":\"general\",\"from\":{\"id\":\"u4\",\"name\":\"Ada\"}}");
	event_encode_read(&b, SPAN("general"), 0);
	take(&b, "{\"ev\":\"read\",\"room\":\"general\",\"seq\":0}");
	event_encode_presence(&b, SPAN("general"), both, 2, &ada, 1, 3);
	take(&b,
	     "{\"ev\":\"presence\",\"room\":\"general\",\"join\":[{\"id\":\"u4\",\"name\":\"Ada\"},"
	     "{\"id\":\"u5\",\"name\":\"Bob\"}],\"leave\":[{\"id\":\"u4\",\"name\":\"Ada\"}],"
	     "\"online\":3}");
	event_encode_presence(&b, SPAN("general"), &ada, 1, NULL, 0, 1);
	take(&b, "{\"ev\":\"presence\",\"room\":\"general\",\"join\":[{\"id\":\"u4\",\"name\":"
		 "\"Ada\"}],"
		 "\"leave\":[],\"online\":1}");
	event_encode_presence(&b, SPAN("general"), NULL, 0, NULL, 0, 1000);
	take(&b, "{\"ev\":\"presence\",\"room\":\"general\",\"online\":1000}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_have_the_shapes_of_the_contract),
		cmocka_unit_test(numbers_keep_all_their_digits),
		cmocka_unit_test(replies_repeat_the_id_as_it_came),
		cmocka_unit_test(replies_to_writes_say_where_it_went),
		cmocka_unit_test(refusals_carry_code_and_message),
		cmocka_unit_test(every_error_has_its_name),
		cmocka_unit_test(what_is_not_in_the_log_has_no_seq_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
