/* The frames that the server sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/buf.h"
#include "hubbub/frame.h"
#include "ws/inflate.h"
#include <pthread.h>
#include <stdlib.h>

static void fill(struct buf *b, size_t len)
{
	while (b->len < len)
		buf_printf(b, "{\"ev\":\"message\",\"seq\":%zu}", b->len);
	b->len = len;
}

static size_t header_len(const uint8_t *bytes)
{
	unsigned len = bytes[1] & 0x7f;

	return len < 126 ? 2 : len == 126 ? 4 : 10;
}

static const uint8_t *wire_bytes(struct frame_wire wire)
{
	return chunk_bytes(wire.chunk) + wire.offset;
}

static void the_length_takes_its_shortest_form(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		struct span header;
	} cases[] = {
		{0, SPAN("\x81\x00")},
		{1, SPAN("\x81\x01")},
		{125, SPAN("\x81\x7d")},
		{126, SPAN("\x81\x7e\x00\x7e")},
		{65535, SPAN("\x81\x7e\xff\xff")},
		{65536, SPAN("\x81\x7f\0\0\0\0\0\x01\0\0")},
		{300000, SPAN("\x81\x7f\0\0\0\0\0\x04\x93\xe0")},
	};
	struct frame_maker maker = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};
		fill(&b, cases[i].len);
		struct frame *f = frame_new_text(buf_span(&b));
		buf_append_span(frame_maker_begin(&maker), buf_span(&b));
		frame_maker_end(&maker);
		struct frame *made = frame_maker_finish(&maker, false);
		struct frame_wire wire = frame_wire(f, true, 0);
		size_t n = cases[i].header.len;

		assert_int_equal(wire.len, n + b.len);
		assert_memory_equal(wire_bytes(wire), cases[i].header.p, n);
		assert_true(span_equal(frame_payload(f, 0), buf_span(&b)));
		assert_int_equal(frame_wire(made, false, 0).len, wire.len);
		assert_memory_equal(wire_bytes(frame_wire(made, false, 0)), wire_bytes(wire),
				    wire.len);
		frame_unref(made);
		frame_unref(f);
		buf_deinit(&b);
	}
	frame_maker_deinit(&maker);
}

static void the_compressed_variant_inflates_to_the_payload(void **state)
{
	(void)state;
	static const size_t lens[] = {256, 257, 1000, 70000, 300000};

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct buf b = {0};
		struct buf inflated = {0};
		fill(&b, lens[i]);
		struct frame *f = frame_new_text_compressed(buf_span(&b));
		struct frame_wire plain = frame_wire(f, false, 0);
		struct frame_wire c = frame_wire(f, true, 0);
		const uint8_t *bytes = wire_bytes(c);
		size_t n_header = header_len(bytes);

		assert_int_equal(wire_bytes(plain)[0], 0x81);
		assert_int_equal(bytes[0], 0xc1);
		assert_true(c.len < plain.len * 9 / 10);
		struct span wire = {.p = (const char *)bytes + n_header, .len = c.len - n_header};
		assert_int_equal(inflate_message(wire, b.len, &inflated), 0);
		assert_true(span_equal(buf_span(&inflated), buf_span(&b)));
		assert_true(span_equal(frame_payload(f, 0), buf_span(&b)));
		frame_unref(f);
		buf_deinit(&inflated);
		buf_deinit(&b);
	}
}

static void what_does_not_gain_stays_plain(void **state)
{
	(void)state;
	struct buf b = {0};
	uint32_t x = 1;

	fill(&b, 255);
	struct frame *f = frame_new_text_compressed(buf_span(&b));
	assert_int_equal(wire_bytes(frame_wire(f, true, 0))[0], 0x81);
	frame_unref(f);

	b.len = 0;
	for (int i = 0; i < 5000; i++) {
		x = x * 1664525 + 1013904223;
		buf_append_char(&b, (char)(' ' + (x >> 24) % 95));
	}
	f = frame_new_text_compressed(buf_span(&b));
	assert_true(frame_wire(f, true, 0).len <= 4 + b.len);
	frame_unref(f);
	buf_deinit(&b);
}

static void frames_of_a_thread_do_not_refer_to_earlier_ones(void **state)
{
	(void)state;
	struct buf b = {0};

	fill(&b, 2000);
	struct frame *first = frame_new_text_compressed(buf_span(&b));
	struct frame *second = frame_new_text_compressed(buf_span(&b));
	struct frame_wire c1 = frame_wire(first, true, 0);
	struct frame_wire c2 = frame_wire(second, true, 0);
	assert_int_equal(c1.len, c2.len);
	assert_memory_equal(wire_bytes(c1), wire_bytes(c2), c1.len);
	frame_unref(first);
	frame_unref(second);
	buf_deinit(&b);
}

/* Message @i of @f as a receiver of @wire, which begins with message @from, would read it. */
static void assert_reads(const struct frame *f, bool deflate, unsigned from)
{
	struct frame_wire wire = frame_wire(f, deflate, from);
	const uint8_t *p = wire_bytes(wire);
	const uint8_t *end = p + wire.len;
	struct buf inflated = {0};

	for (unsigned i = from; i < frame_n_messages(f); i++) {
		size_t n_header = header_len(p);
		size_t len = n_header == 2 ? p[1] : (size_t)p[2] << 8 | p[3];
		struct span text = {.p = (const char *)p + n_header, .len = len};

		assert_true(n_header < 10);
		if (p[0] == 0xc1) {
			assert_true(deflate);
			assert_int_equal(inflate_message(text, 1 << 20, &inflated), 0);
			text = buf_span(&inflated);
		}
		assert_true(span_equal(text, frame_payload(f, i)));
		p += n_header + len;
	}
	assert_ptr_equal(p, end);
	buf_deinit(&inflated);
}

static void a_run_may_be_taken_from_any_message_on(void **state)
{
	(void)state;
	static const size_t lens[] = {20, 3000, 0, 126, 500, 5};
	enum {
		N = sizeof(lens) / sizeof(lens[0])
	};
	struct frame_maker maker = {0};

	/* Twice, since a maker is used again. */
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < N; i++) {
			struct buf b = {0};

			fill(&b, lens[i]);
			buf_append_span(frame_maker_begin(&maker), buf_span(&b));
			frame_maker_end(&maker);
			buf_deinit(&b);
		}
		struct frame *f = frame_maker_finish(&maker, true);

		assert_int_equal(frame_n_messages(f), N);
		for (unsigned i = 0; i < N; i++) {
			assert_int_equal(frame_payload(f, i).len, lens[i]);
			assert_reads(f, false, i);
			assert_reads(f, true, i);
		}
		assert_true(frame_wire(f, true, 0).len < frame_wire(f, false, 0).len);
		frame_unref(f);
	}
	frame_maker_deinit(&maker);
}

static void bytes_outlive_the_frame_while_a_chunk_is_held(void **state)
{
	(void)state;
	struct frame *f = frame_new_text(SPAN("hi"));
	struct frame *second = frame_ref(f);
	struct chunk *c = chunk_ref(frame_wire(f, false, 0).chunk);

	frame_unref(f);
	assert_true(span_equal(frame_payload(second, 0), SPAN("hi")));
	frame_unref(second);
	assert_memory_equal(chunk_bytes(c), "\x81\x02hi", 4);
	chunk_unref(c);
	frame_unref(NULL);
}

static void *compress_and_drop(void *arg)
{
	struct buf b = {0};

	(void)arg;
	fill(&b, 4000);
	frame_unref(frame_new_text_compressed(buf_span(&b)));
	buf_deinit(&b);
	return NULL;
}

static void a_thread_that_ends_leaves_nothing_behind(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, compress_and_drop, NULL), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_length_takes_its_shortest_form),
		cmocka_unit_test(the_compressed_variant_inflates_to_the_payload),
		cmocka_unit_test(what_does_not_gain_stays_plain),
		cmocka_unit_test(frames_of_a_thread_do_not_refer_to_earlier_ones),
		cmocka_unit_test(a_run_may_be_taken_from_any_message_on),
		cmocka_unit_test(bytes_outlive_the_frame_while_a_chunk_is_held),
		cmocka_unit_test(a_thread_that_ends_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
