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

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};
		fill(&b, cases[i].len);
		struct frame *f = frame_new_text(buf_span(&b));
		struct chunk *c = frame_wire(f, true);
		size_t n = cases[i].header.len;

		assert_int_equal(chunk_len(c), n + b.len);
		assert_memory_equal(chunk_bytes(c), cases[i].header.p, n);
		assert_true(span_equal(frame_payload(f), buf_span(&b)));
		chunk_unref(c);
		frame_unref(f);
		buf_deinit(&b);
	}
}

static void the_compressed_variant_inflates_to_the_payload(void **state)
{
	(void)state;
	static const size_t lens[] = {256, 257, 1000, 70000, 300000};

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct buf b = {0};
		struct buf inflated = {0};
		fill(&b, lens[i]);
		struct frame *f = frame_new_text(buf_span(&b));
		frame_compress(f);
		struct chunk *plain = frame_wire(f, false);
		struct chunk *c = frame_wire(f, true);
		const uint8_t *bytes = chunk_bytes(c);
		size_t n_header = bytes[1] < 126 ? 2 : bytes[1] == 126 ? 4 : 10;

		assert_int_equal(chunk_bytes(plain)[0], 0x81);
		assert_int_equal(bytes[0], 0xc1);
		assert_true(chunk_len(c) < chunk_len(plain) * 9 / 10);
		struct span wire = {
			.p = (const char *)bytes + n_header,
			.len = chunk_len(c) - n_header,
		};
		assert_int_equal(inflate_message(wire, b.len, &inflated), 0);
		assert_true(span_equal(buf_span(&inflated), buf_span(&b)));
		assert_true(span_equal(frame_payload(f), buf_span(&b)));
		chunk_unref(c);
		chunk_unref(plain);
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
	struct frame *f = frame_new_text(buf_span(&b));
	frame_compress(f);
	struct chunk *c = frame_wire(f, true);
	assert_int_equal(chunk_bytes(c)[0], 0x81);
	chunk_unref(c);
	frame_unref(f);

	b.len = 0;
	for (int i = 0; i < 5000; i++) {
		x = x * 1664525 + 1013904223;
		buf_append_char(&b, (char)(' ' + (x >> 24) % 95));
	}
	f = frame_new_text(buf_span(&b));
	frame_compress(f);
	c = frame_wire(f, true);
	assert_true(chunk_len(c) <= 4 + b.len);
	chunk_unref(c);
	frame_unref(f);
	buf_deinit(&b);
}

static void frames_of_a_thread_do_not_refer_to_earlier_ones(void **state)
{
	(void)state;
	struct buf b = {0};

	fill(&b, 2000);
	struct frame *first = frame_new_text(buf_span(&b));
	struct frame *second = frame_new_text(buf_span(&b));
	frame_compress(first);
	frame_compress(second);
	struct chunk *c1 = frame_wire(first, true);
	struct chunk *c2 = frame_wire(second, true);
	assert_int_equal(chunk_len(c1), chunk_len(c2));
	assert_memory_equal(chunk_bytes(c1), chunk_bytes(c2), chunk_len(c1));
	chunk_unref(c1);
	chunk_unref(c2);
	frame_unref(first);
	frame_unref(second);
	buf_deinit(&b);
}

static void bytes_outlive_the_frame_while_a_chunk_is_held(void **state)
{
	(void)state;
	struct frame *f = frame_new_text(SPAN("hi"));
	struct frame *second = frame_ref(f);
	struct chunk *c = frame_wire(f, false);

	frame_unref(f);
	assert_true(span_equal(frame_payload(second), SPAN("hi")));
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
	struct frame *f = frame_new_text(buf_span(&b));
	frame_compress(f);
	frame_unref(f);
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
		cmocka_unit_test(bytes_outlive_the_frame_while_a_chunk_is_held),
		cmocka_unit_test(a_thread_that_ends_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
