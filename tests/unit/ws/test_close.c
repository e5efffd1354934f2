/* Closing: by either side, and for every frame that RFC 6455 forbids. */
#include "peer.h"

static void a_broken_frame_closes_with_1002(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct span bytes;
	} cases[] = {
		{"no mask", SPAN("\x81\x02hi")},
		{"no mask on a ping", SPAN("\x89\x00")},
		{"rsv1 without deflate", SPAN("\xc1\x80\0\0\0\0")},
		{"rsv2", SPAN("\xa1\x80\0\0\0\0")},
		{"rsv3", SPAN("\x91\x80\0\0\0\0")},
		{"rsv1 on a ping", SPAN("\xc9\x80\0\0\0\0")},
		{"opcode 3", SPAN("\x83\x80\0\0\0\0")},
		{"opcode 7", SPAN("\x87\x80\0\0\0\0")},
		{"opcode 11", SPAN("\x8b\x80\0\0\0\0")},
		{"opcode 15", SPAN("\x8f\x80\0\0\0\0")},
		{"fragmented ping", SPAN("\x09\x80\0\0\0\0")},
		{"fragmented close", SPAN("\x08\x80\0\0\0\0")},
		{"fragmented pong", SPAN("\x0a\x80\0\0\0\0")},
		{"ping of 126", SPAN("\x89\xfe\x00\x7e\0\0\0\0")},
		{"close of 64 bit", SPAN("\x88\xff\0\0\0\0\0\0\0\x01\0\0\0\0")},
		{"125 in 16 bit", SPAN("\x81\xfe\x00\x7d\0\0\0\0")},
		{"65535 in 64 bit", SPAN("\x81\xff\0\0\0\0\0\0\xff\xff\0\0\0\0")},
		{"top bit", SPAN("\x81\xff\x80\0\0\0\0\x01\0\0\0\0\0\0")},
		{"continuation of nothing", SPAN("\x80\x80\0\0\0\0")},
		{"first fragment continues", SPAN("\x00\x80\0\0\0\0")},
		{"text inside a text", SPAN("\x01\x80\0\0\0\0\x81\x80\0\0\0\0")},
		{"binary inside a text", SPAN("\x01\x80\0\0\0\0\x82\x80\0\0\0\0")},
		{"close body of one byte", SPAN("\x88\x81\0\0\0\0\x03")},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct buf b = {0};
		print_message("# %s\n", cases[i].what);
		FRAME(&b, 0x81, "before");
		buf_append_span(&b, cases[i].bytes);
		FRAME(&b, 0x81, "behind");
		FRAME(&b, 0x88, "\x03\xe8");
		expect_outcome(&b, false, "text(before) close(1002) ours(1002)");
	}
}

static void rsv1_belongs_to_the_first_data_frame_only(void **state)
{
	(void)state;
	static const struct span cases[] = {
		SPAN("\x01\x80\0\0\0\0\xc0\x80\0\0\0\0"),
		SPAN("\x41\x80\0\0\0\0\xc0\x80\0\0\0\0"),
		SPAN("\xc9\x80\0\0\0\0"),
		SPAN("\xe1\x80\0\0\0\0"),
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct buf b = {0};
		buf_append_span(&b, cases[i]);
		expect_outcome(&b, true, "close(1002) ours(1002)");
	}
}

static void close_codes_are_judged_and_echoed(void **state)
{
	(void)state;
	static const struct {
		unsigned from, to;
		bool is_lawful;
	} ranges[] = {
		{0, 0, false},         {999, 999, false},   {1000, 1003, true},
		{1004, 1006, false},   {1007, 1014, true},  {1015, 1030, false},
		{1100, 1100, false},   {2999, 2999, false}, {3000, 3001, true},
		{4000, 4000, true},    {4999, 4999, true},  {5000, 5000, false},
		{65535, 65535, false},
	};

	for (size_t i = 0; i < N(ranges); i++) {
		for (unsigned code = ranges[i].from; code <= ranges[i].to; code++) {
			struct buf b = {0};
			char expected[64];
			uint8_t body[4] = {(uint8_t)(code >> 8), (uint8_t)code, 'o', 'k'};

			frame(&b, 0x88, body, sizeof(body));
			FRAME(&b, 0x81, "behind");
			if (ranges[i].is_lawful)
				snprintf(expected, sizeof(expected), "close(%u) theirs(%u)", code,
					 code);
			else
				strcpy(expected, "close(1002) ours(1002)");
			expect_outcome(&b, false, expected);
		}
	}
}

static void an_empty_close_is_answered_by_an_empty_one(void **state)
{
	(void)state;
	struct buf b = {0};

	FRAME(&b, 0x88, "");
	expect_outcome(&b, false, "close() theirs(1005)");
}

static void a_close_reason_is_utf8(void **state)
{
	(void)state;
	struct buf b = {0};

	FRAME(&b, 0x88, "\x03\xe8gr\xc3\xbc\xc3\x9f");
	expect_outcome(&b, false, "close(1000) theirs(1000)");
	FRAME(&b, 0x88, "\x03\xe8gr\xc3");
	expect_outcome(&b, false, "close(1007) ours(1007)");
	FRAME(&b, 0x88, "\x03\xe8\xed\xa0\x80");
	expect_outcome(&b, false, "close(1007) ours(1007)");
}

static void binary_closes_with_1003_at_its_header(void **state)
{
	(void)state;
	struct buf b = {0};

	buf_append(&b, "\x82\x85\1\2\3\4", 6);
	expect_outcome(&b, false, "close(1003) ours(1003)");
	buf_append(&b, "\x02\x80\1\2\3\4", 6);
	expect_outcome(&b, true, "close(1003) ours(1003)");
}

static void nothing_is_delivered_after_our_close(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	peer_init(&peer, true);
	peer.close_on = "stop";
	FRAME(&b, 0x89, "early");
	FRAME(&b, 0x81, "stop");
	FRAME(&b, 0x81, "more");
	FRAME(&b, 0x89, "late");
	FRAME(&b, 0xc1, "\xff");
	feed(&peer, buf_span(&b), b.len);
	expect_log(&peer, "pong(early) text(stop) close(4010) ours(4010)");
	assert_true(ws_is_closing(peer.ws));
	assert_false(ws_is_closed(peer.ws));
	ws_close(peer.ws, WS_CLOSE_GOING_AWAY, "again");
	b.len = 0;
	FRAME(&b, 0x88, "\x0f\xaa");
	feed(&peer, buf_span(&b), 1);
	expect_log(&peer, "");
	assert_true(ws_is_closed(peer.ws));
	buf_deinit(&b);
	peer_deinit(&peer);
}

static void a_close_in_the_middle_of_a_message_drops_it(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	peer_init(&peer, false);
	FRAME(&b, 0x01, "half");
	feed(&peer, buf_span(&b), b.len);
	ws_close(peer.ws, WS_CLOSE_GOING_AWAY, NULL);
	b.len = 0;
	FRAME(&b, 0x80, "other half");
	FRAME(&b, 0x88, "\x03\xe9");
	feed(&peer, buf_span(&b), b.len);
	expect_log(&peer, "close(1001) ours(1001)");
	assert_true(ws_is_closed(peer.ws));
	buf_deinit(&b);
	peer_deinit(&peer);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
	(void)state;
	struct peer peer;
	struct buf reason = {0};

	peer_init(&peer, false);
	for (int i = 0; i < 100; i++)
		buf_append_str(&reason, "\xe2\x82\xac");
	buf_append_char(&reason, '\0');
	ws_close(peer.ws, WS_CLOSE_BANNED, reason.p);
	expect_log(&peer, "close(4003) ours(4003)");
	buf_deinit(&reason);
	peer_deinit(&peer);
}

static void the_latest_ping_is_answered_before_we_close(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	peer_init(&peer, false);
	for (int i = 0; i < 16; i++)
		FRAME(&b, 0x89, "x");
	feed(&peer, buf_span(&b), b.len);
	peer.log.len = 0;
	FRAME(&b, 0x89, "y");
	FRAME(&b, 0x89, "last");
	FRAME(&b, 0x83, "");
	feed(&peer, buf_span(&b), b.len);
	expect_log(&peer, "pong(x) pong(x) pong(x) pong(x) pong(x) pong(x) pong(x) pong(x) "
			  "pong(x) pong(x) pong(x) pong(x) pong(x) pong(x) pong(x) pong(x) "
			  "pong(last) close(1002) ours(1002)");
	buf_deinit(&b);
	peer_deinit(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_ping_is_answered_before_we_close),
		cmocka_unit_test(a_broken_frame_closes_with_1002),
		cmocka_unit_test(rsv1_belongs_to_the_first_data_frame_only),
		cmocka_unit_test(close_codes_are_judged_and_echoed),
		cmocka_unit_test(an_empty_close_is_answered_by_an_empty_one),
		cmocka_unit_test(a_close_reason_is_utf8),
		cmocka_unit_test(binary_closes_with_1003_at_its_header),
		cmocka_unit_test(nothing_is_delivered_after_our_close),
		cmocka_unit_test(a_close_in_the_middle_of_a_message_drops_it),
		cmocka_unit_test(a_long_reason_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
