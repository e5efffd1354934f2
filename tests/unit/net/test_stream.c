/* What a stream reads and writes while both ends are there. */
#include "stream_side.h"

static void bytes_of_the_peer_arrive(void **state)
{
	struct side a;
	(void)state;

	open_pair(&a);
	assert_int_equal(write(a.peer, "hello", 5), 5);
	turn_until(a.got.len == 5);
	assert_memory_equal(a.got.p, "hello", 5);
	close_side(&a);
}

static void one_turn_reads_no_more_than_the_buffer(void **state)
{
	static char bytes[WORKER_RECV_SIZE + 1000];
	struct side a;
	int size = 1 << 20;
	(void)state;

	open_pair(&a);
	setsockopt(a.peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	assert_int_equal(write(a.peer, bytes, sizeof(bytes)), sizeof(bytes));
	turn_until(a.n_data == 1);
	assert_int_equal(a.got.len, WORKER_RECV_SIZE);
	turn_until(a.got.len == sizeof(bytes));
	close_side(&a);
}

static void what_one_turn_sends_leaves_together_and_in_order(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_pair(&a);
	send_text(&a, "ab");
	send_text(&a, "");
	send_text(&a, "cd");
	assert_int_equal(stream_unsent(&a.s), 4);
	assert_int_equal(peer_read(&a, text, sizeof(text)), 0);
	turn();
	assert_int_equal(stream_unsent(&a.s), 0);
	assert_null(a.s.out);
	assert_int_equal(a.n_drained, 1);
	assert_int_equal(peer_read(&a, text, sizeof(text)), 4);
	assert_memory_equal(text, "abcd", 4);
	close_side(&a);
}

static void more_than_the_socket_takes_waits_and_goes_on(void **state)
{
	enum {
		CHUNK = 3000,
		N = 2000
	};
	static char bytes[1 << 16];
	struct side a;
	size_t got = 0;
	(void)state;

	open_pair(&a);
	for (unsigned i = 0; i < N; i++) {
		struct chunk *c = chunk_new(CHUNK);

		for (unsigned k = 0; k < CHUNK; k++)
			chunk_fill(c)[k] = (uint8_t)((i * CHUNK + k) % 251);
		stream_send(&a.s, c);
	}
	assert_int_equal(stream_unsent(&a.s), (size_t)CHUNK * N);
	while (got < (size_t)CHUNK * N && !gave_up) {
		size_t n;

		turn();
		/* A number that divides nothing, so that chunks are cut anywhere. */
		n = peer_read(&a, bytes, 40009);
		for (size_t k = 0; k < n; k++, got++)
			assert_int_equal((uint8_t)bytes[k], got % 251);
	}
	turn_until(a.n_drained == 1);
	assert_int_equal(got, (size_t)CHUNK * N);
	assert_int_equal(stream_unsent(&a.s), 0);
	close_side(&a);
}

static void what_is_sent_while_the_socket_is_full_stays_behind(void **state)
{
	static char bytes[1 << 16];
	struct side a;
	struct buf all = {0};
	(void)state;

	open_pair(&a);
	stream_send(&a.s, chunk_new_copy(memset(bytes, 'x', sizeof(bytes)), sizeof(bytes)));
	while (!a.s.writing) {
		stream_send(&a.s, chunk_new_copy(bytes, sizeof(bytes)));
		turn();
	}
	send_text(&a, "last");
	assert_false(a.s.is_dirty);
	while (a.n_drained == 0 || all.len == 0 || all.p[all.len - 1] != 't') {
		size_t n = peer_read(&a, bytes, sizeof(bytes));

		buf_append(&all, bytes, n);
		turn();
		assert_false(gave_up);
	}
	assert_memory_equal(all.p + all.len - 5, "xlast", 5);
	buf_deinit(&all);
	close_side(&a);
}

static void drained_may_send_without_end(void **state)
{
	struct side a;
	char text[256];
	(void)state;

	open_pair(&a);
	a.send_on_drained = 100;
	send_text(&a, "m");
	turn_until(a.n_drained == 101);
	assert_int_equal(peer_read(&a, text, sizeof(text)), 101);
	close_side(&a);
}

static void a_paused_stream_reads_nothing_and_costs_nothing(void **state)
{
	struct side a;
	(void)state;

	open_pair(&a);
	a.pause_on_data = true;
	assert_int_equal(write(a.peer, "one", 3), 3);
	turn_until(a.got.len == 3);
	stream_pause(&a.s);
	assert_int_equal(write(a.peer, "two", 3), 3);
	assert_int_equal(a.s.watched, 0);
	for (int i = 0; i < 10; i++)
		turn();
	assert_int_equal(a.got.len, 3);
	stream_resume(&a.s);
	stream_resume(&a.s);
	turn_until(a.got.len == 6);
	assert_memory_equal(a.got.p, "onetwo", 6);
	close_side(&a);
}

static void a_paused_stream_still_writes(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_pair(&a);
	stream_pause(&a.s);
	send_text(&a, "out");
	turn();
	assert_int_equal(peer_read(&a, text, sizeof(text)), 3);
	close_side(&a);
}

static void what_is_written_at_once_is_there_before_the_turns_end_and_once(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_pair(&a);
	send_text(&a, "ab");
	stream_write_now(&a.s);
	assert_int_equal(stream_unsent(&a.s), 0);
	assert_int_equal(a.n_drained, 0); /* that is for the turn's end */
	assert_int_equal(peer_read(&a, text, sizeof(text)), 2);
	send_text(&a, "cd");
	assert_int_equal(atomic_load(&worker.unsent), 2);
	turn();
	assert_int_equal(a.n_drained, 1);
	assert_int_equal(atomic_load(&worker.unsent), 0);
	assert_int_equal(peer_read(&a, text, sizeof(text)), 2);
	assert_memory_equal(text, "cd", 2);
	close_side(&a);
}

static void what_a_full_socket_does_not_take_at_once_stays_queued(void **state)
{
	static char bytes[1 << 16];
	struct side a;
	size_t got = 0, unsent;
	(void)state;

	open_pair(&a);
	stream_send(&a.s, chunk_new(8 << 20));
	stream_write_now(&a.s);
	unsent = stream_unsent(&a.s);
	assert_true(unsent > 0 && unsent < (8 << 20));
	stream_write_now(&a.s);
	assert_int_equal(stream_unsent(&a.s), unsent);
	while (got < (8 << 20) && !gave_up) {
		turn();
		got += peer_read(&a, bytes, sizeof(bytes));
	}
	assert_int_equal(got, 8 << 20);
	assert_int_equal(atomic_load(&worker.unsent), 0);
	close_side(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(bytes_of_the_peer_arrive),
		CLAIM(one_turn_reads_no_more_than_the_buffer),
		CLAIM(what_one_turn_sends_leaves_together_and_in_order),
		CLAIM(more_than_the_socket_takes_waits_and_goes_on),
		CLAIM(what_is_sent_while_the_socket_is_full_stays_behind),
		CLAIM(drained_may_send_without_end),
		CLAIM(a_paused_stream_reads_nothing_and_costs_nothing),
		CLAIM(a_paused_stream_still_writes),
		CLAIM(what_is_written_at_once_is_there_before_the_turns_end_and_once),
		CLAIM(what_a_full_socket_does_not_take_at_once_stays_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
