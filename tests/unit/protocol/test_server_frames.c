/*
 * What the encoders write is what the client's tests decode: the server's frames in the fixtures.
 */
#include "support.h"

#include "hubbub/event.h"
#include <jansson.h>

static int load_fixtures(void **state)
{
	*state = json_load_file(HUBBUB_FIXTURES "/server-frames.json", JSON_ALLOW_NUL, NULL);
	return json_is_array((json_t *)*state) ? 0 : -1;
}

static int free_fixtures(void **state)
{
	json_decref(*state);
	return 0;
}

/* Compare with the fixture called @name, which must be a valid one, and empty @b. */
static void expect(const json_t *fixtures, const char *name, struct buf *b)
{
	size_t i;
	json_t *fixture;

	json_array_foreach(fixtures, i, fixture)
	{
		if (strcmp(json_string_value(json_object_get(fixture, "name")), name) != 0)
			continue;
		const char *want = json_string_value(json_object_get(fixture, "text"));

		assert_true(json_is_true(json_object_get(fixture, "valid")));
		if (!span_equal(buf_span(b), span_of(want)))
			fail_msg("%s: got %.*s\nwant %s", name, (int)b->len, b->p, want);
		buf_deinit(b);
		return;
	}
	fail_msg("there is no fixture called %s", name);
}

static void events_of_the_log_are_those_of_the_fixtures(void **state)
{
	static const int64_t mentions[] = {5, 6};
	static const struct {
		const char *name;
		struct event event; /* room, ts and from are filled in */
	} rows[] = {
		{"message", {.kind = EVENT_MESSAGE, .seq = 1043, .text = SPAN("hi")}},
		{"message with thread, quote, mentions",
		 {.kind = EVENT_MESSAGE,
		  .seq = 1043,
		  .text = SPAN("hi"),
		  .thread = 7,
		  .quote = 9,
		  .mentions = mentions,
		  .n_mentions = 2}},
		{"message with a NUL", {.kind = EVENT_MESSAGE, .seq = 1043, .text = SPAN("a\0b")}},
		{"message of the largest seq",
		 {.kind = EVENT_MESSAGE, .seq = REQUEST_MAX_SEQ, .text = SPAN("hi")}},
		{"tombstone", {.kind = EVENT_MESSAGE, .seq = 1043, .deleted = true}},
		{"edit",
		 {.kind = EVENT_EDIT, .seq = 1044, .target = 1043, .text = SPAN("hi there")}},
		{"edit of a deleted message", {.kind = EVENT_EDIT, .seq = 1044, .target = 1043}},
		{"delete", {.kind = EVENT_DELETE, .seq = 1045, .target = 1043}},
		{"react",
		 {.kind = EVENT_REACT,
		  .seq = 1046,
		  .target = 1043,
		  .emoji = SPAN("👍"),
		  .on = true,
		  .count = 2}},
		{"react off",
		 {.kind = EVENT_REACT, .seq = 1046, .target = 1043, .emoji = SPAN("👍")}},
		{"topic", {.kind = EVENT_TOPIC, .seq = 1047, .text = SPAN("All things")}},
		{"rename with its title",
		 {.kind = EVENT_RENAME,
		  .seq = 1048,
		  .text = SPAN("Lobby"),
		  .title = SPAN("General")}},
		{"member",
		 {.kind = EVENT_MEMBER,
		  .seq = 1050,
		  .about_id = 5,
		  .about_name = SPAN("Bob"),
		  .act = MEMBER_ROLE,
		  .value = ROOM_ROLE_OWNER}},
		{"member muted",
		 {.kind = EVENT_MEMBER,
		  .seq = 1050,
		  .about_id = 5,
		  .about_name = SPAN("Bob"),
		  .act = MEMBER_MUTE,
		  .value = 1790000900000}},
		{"member left",
		 {.kind = EVENT_MEMBER,
		  .seq = 1050,
		  .about_id = 4,
		  .about_name = SPAN("Ada"),
		  .act = MEMBER_LEAVE,
		  .value = 5}},
		{"archive", {.kind = EVENT_ARCHIVE, .seq = 1050, .on = true}},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event e = rows[i].event;
		struct buf b = {0};

		e.room = SPAN("general");
		e.ts = 1790000000123;
		e.from_id = 4;
		e.from_name = SPAN("Ada");
		event_encode(&b, &e);
		expect(*state, rows[i].name, &b);
	}
}

static void events_beside_the_log_are_those_of_the_fixtures(void **state)
{
	const struct presence_user ada = {.id = 4, .name = SPAN("Ada")};
	const struct presence_user bob = {.id = 5, .name = SPAN("Bob")};
	struct buf b = {0};

	event_encode_presence(&b, SPAN("general"), &ada, 1, &bob, 1, 3);
	expect(*state, "presence", &b);
	event_encode_presence(&b, SPAN("general"), &ada, 1, NULL, 0, 1);
	expect(*state, "presence, joins only", &b);
	event_encode_presence(&b, SPAN("general"), NULL, 0, NULL, 0, 1000);
	expect(*state, "presence, count only", &b);
	event_encode_typing(&b, SPAN("general"), 4, SPAN("Ada"));
	expect(*state, "typing", &b);
	event_encode_read(&b, SPAN("general"), 12);
	expect(*state, "read", &b);
	event_encode_read(&b, SPAN("general"), 0);
	expect(*state, "read of 0", &b);
}

static void replies_are_those_of_the_fixtures(void **state)
{
	const struct request_id seven = {.kind = REQUEST_ID_INT, .n = 7};
	const struct request_id zero = {.kind = REQUEST_ID_INT};
	const struct request_id string = {.kind = REQUEST_ID_STRING, .s = SPAN("a-1")};
	const struct request_id none = {.kind = REQUEST_ID_NONE};
	struct buf b = {0};

	reply_encode_ok(&b, &seven);
	expect(*state, "reply ok", &b);
	reply_encode_ok(&b, &zero);
	expect(*state, "reply to id 0", &b);
	reply_encode_ok(&b, &string);
	expect(*state, "reply to a string id", &b);
	reply_encode_written(&b, &seven, 1043, 1790000000123, false);
	expect(*state, "reply to a write", &b);
	reply_encode_written(&b, &seven, 1043, 1790000000123, true);
	expect(*state, "reply to a repeated write", &b);
	reply_encode_error(&b, &seven, PROTO_E_RATE_LIMITED, "Too fast.", 1200);
	expect(*state, "error rate_limited", &b);
	reply_encode_error(&b, &none, PROTO_E_BAD_REQUEST, "This is no JSON object.", 0);
	expect(*state, "error with no id to answer to", &b);
}

static void every_error_has_its_fixture(void **state)
{
	const struct request_id seven = {.kind = REQUEST_ID_INT, .n = 7};

	for (int e = PROTO_E_BAD_REQUEST; e <= PROTO_E_INTERNAL; e++) {
		struct buf b = {0}, name = {0};

		if (e == PROTO_E_RATE_LIMITED)
			continue; /* it has a retry_ms besides */
		buf_printf(&name, "error %s", proto_error_name((enum proto_error)e));
		buf_append_char(&name, '\0');
		reply_encode_error(&b, &seven, (enum proto_error)e, "Something for people.", 0);
		expect(*state, name.p, &b);
		buf_deinit(&name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_of_the_log_are_those_of_the_fixtures),
		cmocka_unit_test(events_beside_the_log_are_those_of_the_fixtures),
		cmocka_unit_test(replies_are_those_of_the_fixtures),
		cmocka_unit_test(every_error_has_its_fixture),
	};

	return cmocka_run_group_tests(tests, load_fixtures, free_fixtures);
}
