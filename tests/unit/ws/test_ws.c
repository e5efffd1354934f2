/* The receiving side of a WebSocket: every violation, every split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/buf.h"
#include "hubbub/ws.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define MAX_MESSAGE 1000
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* What came of it, as one line of text: "text(hi) pong(x) close(1002) ours(1002)". */
struct peer {
	struct ws *ws;
	struct buf log;
	const char *close_on; /* a text at which the owner closes */
};

static void log_bytes(struct buf *b, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	if (len > 40) {
		buf_printf(b, "%zu bytes", len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		buf_append_char(b, p[i] < ' ' ? '?' : (char)p[i]);
}

static void on_message(void *owner, struct span text)
{
	struct peer *peer = owner;

	buf_append_str(&peer->log, "text(");
	log_bytes(&peer->log, text.p, text.len);
	buf_append_str(&peer->log, ") ");
	if (peer->close_on != NULL && span_equal(text, span_of(peer->close_on)))
		ws_close(peer->ws, WS_CLOSE_BREAKS_PROTOCOL, "enough");
}

static void on_send(void *owner, struct chunk *c)
{
	struct peer *peer = owner;
	const uint8_t *bytes = chunk_bytes(c);
	size_t len = chunk_len(c);

	assert_true(len >= 2 && len <= 127);
	assert_int_equal(bytes[1], len - 2);
	if (bytes[0] == 0x8a) {
		buf_append_str(&peer->log, "pong(");
		log_bytes(&peer->log, bytes + 2, len - 2);
		buf_append_str(&peer->log, ") ");
	} else {
		assert_int_equal(bytes[0], 0x88);
		assert_int_not_equal(len, 3);
		if (len == 2)
			buf_append_str(&peer->log, "close() ");
		else
			buf_printf(&peer->log, "close(%d) ", bytes[2] << 8 | bytes[3]);
	}
	chunk_unref(c);
}

static void on_closing(void *owner, uint16_t code, bool by_peer)
{
	struct peer *peer = owner;

	assert_true(ws_is_closing(peer->ws));
	buf_printf(&peer->log, "%s(%d) ", by_peer ? "theirs" : "ours", code);
}

static const struct ws_handler handler = {
	.on_message = on_message,
	.send = on_send,
	.on_closing = on_closing,
};

static void peer_init(struct peer *peer, bool deflate)
{
	struct ws_params params = {.deflate = deflate};

	*peer = (struct peer){0};
	peer->ws = ws_new(&params, MAX_MESSAGE, &handler, peer);
}

static void peer_deinit(struct peer *peer)
{
	ws_free(peer->ws);
	buf_deinit(&peer->log);
}

/* Feed @bytes in runs of @step, as the network would: the receiver may scribble on them. */
static void feed(struct peer *peer, struct span bytes, size_t step)
{
	for (size_t at = 0; at < bytes.len; at += step) {
		size_t n = bytes.len - at < step ? bytes.len - at : step;
		uint8_t *copy = malloc(n);
		memcpy(copy, bytes.p + at, n);
		ws_receive(peer->ws, copy, n);
		free(copy);
	}
}

static void expect_log(struct peer *peer, const char *expected)
{
	while (peer->log.len > 0 && peer->log.p[peer->log.len - 1] == ' ')
		peer->log.len--;
	buf_append_char(&peer->log, '\0');
	assert_string_equal(peer->log.p, expected);
	peer->log.len = 0;
}

/* A masked frame, its length in the shortest form. */
static void frame(struct buf *b, uint8_t first, const void *payload, size_t len)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	const uint8_t *p = payload;

	buf_append_char(b, (char)first);
	if (len < 126) {
		buf_append_char(b, (char)(0x80 | len));
	} else if (len < 65536) {
		buf_append_char(b, (char)0xfe);
		buf_append_char(b, (char)(len >> 8));
		buf_append_char(b, (char)len);
	} else {
		buf_append_char(b, (char)0xff);
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_append_char(b, (char)((uint64_t)len >> shift));
	}
	buf_append(b, mask, 4);
	for (size_t i = 0; i < len; i++)
		buf_append_char(b, (char)(p[i] ^ mask[i % 4]));
}

#define FRAME(b, first, literal) frame(b, first, literal, sizeof(literal) - 1)

/* Each whole input, at once and split at every size, gives the same outcome. */
static void expect_outcome(struct buf *input, bool deflate, const char *expected)
{
	size_t steps[] = {SIZE_MAX / 2, 1, 2, 3, 5, 7};

	for (size_t i = 0; i < N(steps); i++) {
		struct peer peer;
		peer_init(&peer, deflate);
		feed(&peer, buf_span(input), steps[i] > input->len ? input->len : steps[i]);
		expect_log(&peer, expected);
		peer_deinit(&peer);
	}
	for (size_t split = 1; split < input->len && split < 300; split++) {
		struct peer peer;
		peer_init(&peer, deflate);
		feed(&peer, (struct span){.p = input->p, .len = split}, split);
		feed(&peer, (struct span){.p = input->p + split, .len = input->len - split},
		     input->len - split);
		expect_log(&peer, expected);
		peer_deinit(&peer);
	}
	buf_deinit(input);
}

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
	expect_log(&peer, "text(ab) pong(between)");
	buf_deinit(&b);
	peer_deinit(&peer);
}

static void of_a_flood_of_pings_the_latest_is_answered(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	peer_init(&peer, false);
	for (int i = 0; i < 1000; i++)
		FRAME(&b, 0x89, "many");
	FRAME(&b, 0x89, "last");
	feed(&peer, buf_span(&b), b.len);
	expect_log(&peer, "pong(last)");
	buf_deinit(&b);
	peer_deinit(&peer);
}

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

static void binary_closes_with_1003_at_its_header(void **state)
{
	(void)state;
	struct buf b = {0};

	buf_append(&b, "\x82\x85\1\2\3\4", 6);
	expect_outcome(&b, false, "close(1003) ours(1003)");
	buf_append(&b, "\x02\x80\1\2\3\4", 6);
	expect_outcome(&b, true, "close(1003) ours(1003)");
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

static void empty_fragments_without_end_take_no_memory(void **state)
{
	(void)state;
	struct buf b = {0};
	struct peer peer;

	peer_init(&peer, false);
	FRAME(&b, 0x01, "a");
	for (int i = 0; i < 100000; i++)
		FRAME(&b, 0x00, "");
	FRAME(&b, 0x80, "b");
	feed(&peer, buf_span(&b), 4096);
	expect_log(&peer, "text(ab)");
	buf_deinit(&b);
	peer_deinit(&peer);
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
	expect_log(&peer, "text(stop) pong(early) close(4010) ours(4010)");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole_however_they_are_cut),
		cmocka_unit_test(control_frames_pass_between_fragments),
		cmocka_unit_test(a_ping_is_answered_with_its_body),
		cmocka_unit_test(of_a_flood_of_pings_the_latest_is_answered),
		cmocka_unit_test(a_broken_frame_closes_with_1002),
		cmocka_unit_test(rsv1_belongs_to_the_first_data_frame_only),
		cmocka_unit_test(close_codes_are_judged_and_echoed),
		cmocka_unit_test(an_empty_close_is_answered_by_an_empty_one),
		cmocka_unit_test(a_close_reason_is_utf8),
		cmocka_unit_test(bad_utf8_closes_with_1007),
		cmocka_unit_test(bad_utf8_is_refused_before_the_message_ends),
		cmocka_unit_test(binary_closes_with_1003_at_its_header),
		cmocka_unit_test(too_long_a_message_closes_with_1009),
		cmocka_unit_test(compressed_messages_are_inflated),
		cmocka_unit_test(broken_deflate_closes_with_1007),
		cmocka_unit_test(an_inflate_bomb_stops_at_the_bound),
		cmocka_unit_test(empty_fragments_without_end_take_no_memory),
		cmocka_unit_test(nothing_is_delivered_after_our_close),
		cmocka_unit_test(a_close_in_the_middle_of_a_message_drops_it),
		cmocka_unit_test(a_long_reason_is_cut_between_characters),
		cmocka_unit_test(two_peers_take_turns_in_the_middle_of_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
