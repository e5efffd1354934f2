/* Messages and pings: however they are cut, compressed or overdone. */
#include "peer.h"
#include "ws/guard.h"
#include <pthread.h>
#include <zlib.h>

static void deflate_into(struct buf *out, const void *bytes, size_t len, int flush)
{
	z_stream z = {0};
	static uint8_t room[4096];

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)bytes;
	z.avail_in = (uInt)len;
	z.next_out = room;
	z.avail_out = sizeof(room);
	deflate(&z, flush);
	assert_int_equal(z.avail_in, 0);
	buf_append(out, room, sizeof(room) - z.avail_out);
	deflateEnd(&z);
	if (flush == Z_SYNC_FLUSH)
		out->len -= 4;
	else
		buf_append_char(out, '\0');
}

static void messages_arrive_whole_however_they_are_cut(void **state)
{
	(void)state;
	struct buf b = {0};
	char big[MAX_MESSAGE];

	memset(big, 'x', sizeof(big));
	FRAME(&b, 0x81, "hi");
	FRAME(&b, 0x81, "");
	FRAME(&b, 0x01, "gr\xc3");
	FRAME(&b, 0x00, "");
	FRAME(&b, 0x80, "\xbc\xc3\x9f");
	frame(&b, 0x81, big, 125);
	frame(&b, 0x81, big, 126);
	frame(&b, 0x81, big, sizeof(big));
	expect_outcome(&b, false,
		       "text(hi) text() text(gr\xc3\xbc\xc3\x9f) text(125 bytes) text(126 bytes) "
		       "text(1000 bytes)");
}

static void control_frames_pass_between_fragments(void **state)
{
	(void)state;
	struct buf b = {0};

	FRAME(&b, 0x01, "a");
	FRAME(&b, 0x8a, "unasked");
	FRAME(&b, 0x00, "b");
	FRAME(&b, 0x8a, "");
	FRAME(&b, 0x80, "c");
	FRAME(&b, 0x81, "d");
	expect_outcome(&b, false, "text(abc) text(d)");
}

static void a_ping_is_answered_with_its_body(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	FRAME(&b, 0x89, "x");
	expect_outcome(&b, false, "pong(x)");
	FRAME(&b, 0x89, "");
	expect_outcome(&b, false, "pong()");

	peer_init(&peer, false);
	FRAME(&b, 0x01, "a");
	FRAME(&b, 0x89, "between");
	FRAME(&b, 0x80, "b");
	feed(&peer, buf_span(&b), b.len);
	expect_log(&peer, "pong(between) text(ab)");
	buf_deinit(&b);
	peer_deinit(&peer);
}

static void of_a_flood_of_pings_the_first_and_the_latest_are_answered(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;
	static const char sixteen[] =
		"pong(many) pong(many) pong(many) pong(many) pong(many) pong(many) pong(many) "
		"pong(many) pong(many) pong(many) pong(many) pong(many) pong(many) pong(many) "
		"pong(many) pong(many) pong(last)";

	peer_init(&peer, false);
	for (int i = 0; i < 1000; i++)
		FRAME(&b, 0x89, "many");
	FRAME(&b, 0x89, "last");
	feed(&peer, buf_span(&b), b.len);
	expect_log(&peer, sixteen);
	buf_deinit(&b);
	peer_deinit(&peer);
}

static void bad_utf8_closes_with_1007(void **state)
{
	(void)state;
	static const struct span cases[] = {
		SPAN("\xff"),
		SPAN("a\xc3"),
		SPAN("\xc0\xaf"),
		SPAN("\xed\xa0\x80"),
		SPAN("\xf4\x90\x80\x80"),
		SPAN("\xe2\x82"),
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct buf b = {0};
		frame(&b, 0x81, cases[i].p, cases[i].len);
		FRAME(&b, 0x81, "behind");
		expect_outcome(&b, false, "close(1007) ours(1007)");
	}
}

static void bad_utf8_is_refused_before_the_message_ends(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	peer_init(&peer, false);
	FRAME(&b, 0x01, "a\xff");
	feed(&peer, buf_span(&b), b.len);
	expect_log(&peer, "close(1007) ours(1007)");
	assert_true(ws_is_closed(peer.ws));
	buf_deinit(&b);
	peer_deinit(&peer);
}

static void too_long_a_message_closes_with_1009(void **state)
{
	(void)state;
	struct buf b = {0};
	char big[MAX_MESSAGE + 1];

	memset(big, 'x', sizeof(big));
	frame(&b, 0x81, big, sizeof(big));
	b.len = 8; /* the header says it all */
	expect_outcome(&b, false, "close(1009) ours(1009)");
	frame(&b, 0x01, big, 600);
	frame(&b, 0x00, big, 400);
	frame(&b, 0x80, "", 0);
	expect_outcome(&b, false, "text(1000 bytes)");
	frame(&b, 0x01, big, 600);
	frame(&b, 0x00, big, 400);
	frame(&b, 0x80, big, 1);
	expect_outcome(&b, false, "close(1009) ours(1009)");
	buf_append(&b, "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14);
	expect_outcome(&b, false, "close(1009) ours(1009)");
	FRAME(&b, 0x01, "x");
	buf_append(&b, "\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14);
	expect_outcome(&b, false, "close(1009) ours(1009)");
}

static void compressed_messages_are_inflated(void **state)
{
	(void)state;
	struct buf b = {0};
	struct buf z = {0};
	char big[MAX_MESSAGE];

	/* The examples of RFC 7692, 7.2.3. */
	FRAME(&b, 0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00");
	FRAME(&b, 0x41, "\xf2\x48\xcd");
	FRAME(&b, 0x80, "\xc9\xc9\x07\x00");
	FRAME(&b, 0xc1, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00");
	FRAME(&b, 0xc1, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00");
	FRAME(&b, 0xc1, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00");
	FRAME(&b, 0xc1, "\x00");
	FRAME(&b, 0x81, "plain");
	memset(big, 'x', sizeof(big));
	deflate_into(&z, big, sizeof(big), Z_SYNC_FLUSH);
	frame(&b, 0xc1, z.p, z.len);
	z.len = 0;
	deflate_into(&z, big, 126, Z_FINISH);
	frame(&b, 0xc1, z.p, z.len);
	buf_deinit(&z);
	expect_outcome(&b, true,
		       "text(Hello) text(Hello) text(Hello) text(Hello) text(Hello) text() "
		       "text(plain) text(1000 bytes) text(126 bytes)");
}

static void broken_deflate_closes_with_1007(void **state)
{
	(void)state;
	static const struct span cases[] = {
		SPAN("\xff\xff\xff"),                 /* no such block */
		SPAN("\xf2\x48\xcd\xc9"),             /* cut short */
		SPAN("\x00\x05\x00\xfa\xff\x48\x65"), /* a stored block cut short */
		SPAN("\x00\x05\x00\x00\x00Hello"),    /* its length does not match */
	};
	struct buf z = {0};
	struct buf b = {0};

	for (size_t i = 0; i < N(cases); i++) {
		frame(&b, 0xc1, cases[i].p, cases[i].len);
		FRAME(&b, 0x81, "behind");
		expect_outcome(&b, true, "close(1007) ours(1007)");
	}
	deflate_into(&z, "bad \xff", 5, Z_SYNC_FLUSH);
	frame(&b, 0xc1, z.p, z.len);
	buf_deinit(&z);
	expect_outcome(&b, true, "close(1007) ours(1007)");
}

static void an_inflate_bomb_stops_at_the_bound(void **state)
{
	(void)state;
	struct buf z = {0};
	struct buf b = {0};
	size_t n = 1000 * 1000;
	char *big = calloc(1, n);

	memset(big, 'x', n);
	deflate_into(&z, big, MAX_MESSAGE + 1, Z_SYNC_FLUSH);
	frame(&b, 0xc1, z.p, z.len);
	expect_outcome(&b, true, "close(1009) ours(1009)");
	z.len = 0;
	deflate_into(&z, big, n, Z_SYNC_FLUSH);
	assert_true(z.len <= MAX_MESSAGE);
	frame(&b, 0xc1, z.p, z.len);
	expect_outcome(&b, true, "close(1009) ours(1009)");
	/* What is on the wire is bounded by itself. */
	frame(&b, 0xc1, big, 2 * MAX_MESSAGE);
	expect_outcome(&b, true, "close(1009) ours(1009)");
	buf_deinit(&z);
	free(big);
}

static void a_message_has_a_bounded_number_of_fragments(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	for (int more = 0; more < 2; more++) {
		peer_init(&peer, false);
		FRAME(&b, 0x01, "a");
		for (int i = 0; i < MAX_MESSAGE + GUARD_SPARE_FRAGMENTS - 2 + more; i++)
			FRAME(&b, 0x00, "");
		FRAME(&b, 0x80, "b");
		FRAME(&b, 0x81, "next");
		feed(&peer, buf_span(&b), 4096);
		expect_log(&peer, more == 0 ? "text(ab) text(next)" : "close(1009) ours(1009)");
		buf_deinit(&b);
		peer_deinit(&peer);
	}
}

/* The first frame of a compressed message whose end never comes. */
static void expect_early_end(const void *text, size_t len, const char *expected)
{
	struct buf z = {0};
	struct buf b = {0};

	deflate_into(&z, text, len, Z_SYNC_FLUSH);
	buf_append(&z, "\0\0\xff\xff", 4); /* the flush whole: more of the message could follow */
	frame(&b, 0x41, z.p, z.len);
	expect_outcome(&b, true, expected);
	/* The same inside one frame. */
	frame(&b, 0xc1, z.p, z.len);
	b.p[1] += 100;
	expect_outcome(&b, true, expected);
	buf_deinit(&z);
}

static void a_bad_compressed_message_is_refused_before_it_ends(void **state)
{
	(void)state;
	static const struct span damaged[] = {SPAN("\xff\xff\xff"),
					      SPAN("\x00\x05\x00\x00\x00Hello")};
	char big[MAX_MESSAGE + 1];
	struct buf b = {0};

	expect_early_end("Hello \xff", 7, "close(1007) ours(1007)");
	expect_early_end("Hello \xed\xa0", 8, "close(1007) ours(1007)");
	memset(big, 'x', sizeof(big));
	expect_early_end(big, sizeof(big), "close(1009) ours(1009)");
	big[MAX_MESSAGE] = (char)0xff; /* bad and too long: the same however it is cut */
	expect_early_end(big, sizeof(big), "close(1007) ours(1007)");
	for (size_t i = 0; i < N(damaged); i++) {
		frame(&b, 0x41, damaged[i].p, damaged[i].len);
		expect_outcome(&b, true, "close(1007) ours(1007)");
	}
	/* A character may be cut in two between two frames. */
	expect_early_end("Hello \xc3", 7, "");
}

static void more_compressed_messages_than_inflaters_may_be_under_way(void **state)
{
	(void)state;
	static struct peer peers[200];
	struct buf b = {0};

	FRAME(&b, 0x41, "\xf2\x48\xcd");
	for (size_t i = 0; i < N(peers); i++) {
		peer_init(&peers[i], true);
		feed(&peers[i], buf_span(&b), b.len);
	}
	b.len = 0;
	FRAME(&b, 0x00, "\xc9\xc9");
	FRAME(&b, 0x80, "\x07\x00");
	for (size_t i = 0; i < N(peers); i++) {
		if (i % 3 != 0) {
			feed(&peers[i], buf_span(&b), 1);
			expect_log(&peers[i], "text(Hello)");
		}
		peer_deinit(&peers[i]);
	}
	buf_deinit(&b);
}

static void two_peers_take_turns_in_the_middle_of_messages(void **state)
{
	(void)state;
	struct peer peers[40];
	struct buf b = {0};

	/* More than a thread keeps readers for. */
	for (size_t i = 0; i < N(peers); i++)
		peer_init(&peers[i], i % 2 == 0);
	FRAME(&b, 0x01, "one");
	for (size_t i = 0; i < N(peers); i++)
		feed(&peers[i], buf_span(&b), 3);
	b.len = 0;
	FRAME(&b, 0x80, " two");
	FRAME(&b, 0x81, "next");
	for (size_t i = 0; i < N(peers); i++) {
		feed(&peers[i], buf_span(&b), 3);
		expect_log(&peers[i], "text(one two) text(next)");
		peer_deinit(&peers[i]);
	}
	buf_deinit(&b);
}

static void *talk(void *arg)
{
	struct peer *peer = arg;
	struct buf b = {0};

	FRAME(&b, 0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00");
	FRAME(&b, 0x81, "hi");
	feed(peer, buf_span(&b), 3);
	buf_deinit(&b);
	return NULL;
}

static void a_thread_that_ends_leaves_no_readers_behind(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct peer peer;
		pthread_t thread;

		peer_init(&peer, true);
		assert_int_equal(pthread_create(&thread, NULL, talk, &peer), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		expect_log(&peer, "text(Hello) text(hi)");
		peer_deinit(&peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole_however_they_are_cut),
		cmocka_unit_test(control_frames_pass_between_fragments),
		cmocka_unit_test(a_ping_is_answered_with_its_body),
		cmocka_unit_test(of_a_flood_of_pings_the_first_and_the_latest_are_answered),
		cmocka_unit_test(bad_utf8_closes_with_1007),
		cmocka_unit_test(bad_utf8_is_refused_before_the_message_ends),
		cmocka_unit_test(too_long_a_message_closes_with_1009),
		cmocka_unit_test(compressed_messages_are_inflated),
		cmocka_unit_test(broken_deflate_closes_with_1007),
		cmocka_unit_test(an_inflate_bomb_stops_at_the_bound),
		cmocka_unit_test(a_message_has_a_bounded_number_of_fragments),
		cmocka_unit_test(a_bad_compressed_message_is_refused_before_it_ends),
		cmocka_unit_test(more_compressed_messages_than_inflaters_may_be_under_way),
		cmocka_unit_test(a_thread_that_ends_leaves_no_readers_behind),
		cmocka_unit_test(two_peers_take_turns_in_the_middle_of_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
