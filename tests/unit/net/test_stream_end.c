/* How a stream ends: by its peer, by a failure, by its owner. */
#include "stream_side.h"

static void the_peers_end_is_told_once_and_output_still_goes(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_pair(&a);
	shutdown(a.peer, SHUT_WR);
	turn_until(a.n_ends == 1);
	assert_int_equal(a.ends[0], 0);
	assert_int_equal(a.s.watched, 0);
	send_text(&a, "bye");
	for (int i = 0; i < 5; i++)
		turn();
	assert_int_equal(peer_read(&a, text, sizeof(text)), 3);
	assert_int_equal(a.n_ends, 1);
	close_side(&a);
}

static void a_write_to_a_closed_socket_is_told_as_an_error_once(void **state)
{
	struct side a;
	(void)state;

	open_pair(&a);
	stream_pause(&a.s); /* so that only the write can notice */
	close(a.peer);
	a.peer = -1;
	send_text(&a, "x");
	turn_until(a.n_ends == 1);
	assert_int_equal(a.ends[0], -EPIPE);
	assert_int_equal(stream_unsent(&a.s), 0);
	send_text(&a, "y");
	for (int i = 0; i < 5; i++)
		turn();
	assert_int_equal(a.n_ends, 1);
	close_side(&a);
}

static void a_reset_is_told_as_an_error_once(void **state)
{
	struct side a;
	(void)state;

	open_tcp(&a);
	reset_peer(&a);
	turn_until(a.n_ends == 1);
	assert_int_equal(a.ends[0], -ECONNRESET);
	for (int i = 0; i < 5; i++)
		turn();
	assert_int_equal(a.n_ends, 1);
	close_side(&a);
}

static void a_reset_ends_a_write_that_waits(void **state)
{
	static char bytes[1 << 16];
	struct side a;
	(void)state;

	open_tcp(&a);
	stream_pause(&a.s);
	while (!a.s.writing) {
		stream_send(&a.s, chunk_new_copy(bytes, sizeof(bytes)));
		turn();
	}
	reset_peer(&a);
	turn_until(a.n_ends == 1);
	assert_true(a.ends[0] < 0);
	assert_null(a.s.out);
	close_side(&a);
}

static void a_failed_write_after_the_peers_end_is_told_too(void **state)
{
	struct side a;
	(void)state;

	open_tcp(&a);
	shutdown(a.peer, SHUT_WR);
	turn_until(a.n_ends == 1);
	assert_int_equal(a.ends[0], 0);
	reset_peer(&a);
	send_text(&a, "x");
	turn_until(a.n_ends == 2);
	assert_true(a.ends[1] < 0);
	close_side(&a);
}

static void shutdown_comes_behind_what_is_queued(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_pair(&a);
	send_text(&a, "end");
	stream_shutdown(&a.s);
	send_text(&a, "dropped");
	turn();
	assert_int_equal(recv(a.peer, text, sizeof(text), 0), 3);
	assert_int_equal(recv(a.peer, text, sizeof(text), 0), 0);
	/* The other direction stays open. */
	assert_int_equal(write(a.peer, "more", 4), 4);
	turn_until(a.got.len == 4);
	close_side(&a);
}

static void shutdown_of_a_silent_stream_happens_at_once(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_pair(&a);
	stream_shutdown(&a.s);
	assert_int_equal(recv(a.peer, text, sizeof(text), 0), 0);
	close_side(&a);
}

static void a_stream_may_close_itself_in_each_callback(void **state)
{
	struct side a;
	(void)state;

	open_pair(&a);
	a.close_on_data = true;
	send_text(&a, "dropped");
	assert_int_equal(write(a.peer, "x", 1), 1);
	turn_until(a.n_closed == 1);
	close(a.peer);
	buf_deinit(&a.got);

	open_pair(&a);
	a.close_on_end = true;
	shutdown(a.peer, SHUT_WR);
	turn_until(a.n_closed == 1);
	close(a.peer);

	open_pair(&a);
	a.close_on_drained = true;
	send_text(&a, "x");
	turn_until(a.n_closed == 1);
	assert_int_equal(a.n_drained, 1);
	close(a.peer);
}

static void closing_drops_the_output_and_tells_nothing_more(void **state)
{
	struct side a;
	struct chunk *c = chunk_new_copy("x", 1);
	(void)state;

	open_pair(&a);
	stream_send(&a.s, chunk_ref(c));
	stream_close(&a.s);
	stream_close(&a.s);
	assert_int_equal(stream_unsent(&a.s), 0);
	chunk_fill(c); /* asserts that ours is the one reference */
	stream_send(&a.s, c);
	stream_pause(&a.s);
	stream_resume(&a.s);
	stream_shutdown(&a.s);
	turn_until(a.n_closed == 1);
	assert_int_equal(a.n_data + a.n_ends + a.n_drained, 0);
	close(a.peer);
}

static void closing_with_unsent_output_resets_the_peer(void **state)
{
	static char bytes[1 << 16];
	struct side a;
	ssize_t n;
	(void)state;

	open_tcp(&a);
	while (!a.s.writing) {
		stream_send(&a.s, chunk_new_copy(bytes, sizeof(bytes)));
		turn();
	}
	stream_close(&a.s);
	turn_until(a.n_closed == 1);
	while ((n = recv(a.peer, bytes, sizeof(bytes), 0)) > 0)
		continue;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	close(a.peer);
}

/* Whichever of three dirty streams goes first, it closes its neighbour in the list. */
static void closing_others_during_the_flush_is_safe(void **state)
{
	struct side sides[3];
	(void)state;

	for (unsigned victim = 0; victim < 3; victim++) {
		unsigned n_closed = 0;

		for (int i = 0; i < 3; i++) {
			open_pair(&sides[i]);
			sides[i].close_other = &sides[victim];
			send_text(&sides[i], "x");
		}
		turn();
		turn_until(sides[victim].n_closed == 1);
		for (int i = 0; i < 3; i++) {
			n_closed += sides[i].n_closed;
			if (sides[i].n_closed == 0) {
				assert_int_equal(sides[i].n_drained, 1);
				sides[i].close_other = NULL;
				close_side(&sides[i]);
			} else {
				close(sides[i].peer);
			}
		}
		assert_int_equal(n_closed, 1);
	}
}

static void a_failure_during_the_flush_may_close_others(void **state)
{
	struct side sides[2];
	(void)state;

	for (int i = 0; i < 2; i++) {
		open_pair(&sides[i]);
		stream_pause(&sides[i].s);
		close(sides[i].peer);
		sides[i].peer = -1;
		sides[i].close_on_end = true;
		send_text(&sides[i], "x");
	}
	sides[0].close_other = &sides[1];
	sides[1].close_other = &sides[0];
	turn_until(sides[0].n_closed == 1 && sides[1].n_closed == 1);
	assert_int_equal(sides[0].n_ends + sides[1].n_ends, 1);
}

static void dropping_keeps_only_the_end_of_what_was_begun(void **state)
{
	static char bytes[1 << 16];
	struct side a;
	struct chunk *big;
	size_t unsent, got = 0, n;
	(void)state;

	open_pair(&a);
	send_text(&a, "never begun");
	stream_drop_queued(&a.s);
	assert_int_equal(stream_unsent(&a.s), 0);
	big = chunk_new(8 << 20);
	memset(chunk_fill(big), 'x', 8 << 20);
	stream_send(&a.s, big); /* more than a socket takes */
	turn();
	unsent = stream_unsent(&a.s);
	assert_true(unsent > 0 && unsent < 8 << 20);
	send_text(&a, "never begun");
	stream_drop_queued(&a.s);
	assert_int_equal(stream_unsent(&a.s), unsent);
	send_text(&a, "last");
	while (a.s.out != NULL) {
		got += peer_read(&a, bytes, sizeof(bytes));
		turn();
		assert_false(gave_up);
	}
	while ((n = peer_read(&a, bytes, sizeof(bytes))) > 0)
		got += n;
	assert_int_equal(got, (8 << 20) + 4);
	close_side(&a);
}

static void a_stream_that_did_not_open_can_be_closed(void **state)
{
	struct side a = {0};
	int fd = open("/dev/null", O_RDONLY); /* epoll takes no such file */
	(void)state;

	assert_true(stream_open(&a.s, &worker, fd, &events) < 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	send_text(&a, "x");
	stream_close(&a.s);
	assert_int_equal(a.n_closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(the_peers_end_is_told_once_and_output_still_goes),
		CLAIM(a_write_to_a_closed_socket_is_told_as_an_error_once),
		CLAIM(a_reset_is_told_as_an_error_once),
		CLAIM(a_reset_ends_a_write_that_waits),
		CLAIM(a_failed_write_after_the_peers_end_is_told_too),
		CLAIM(shutdown_comes_behind_what_is_queued),
		CLAIM(shutdown_of_a_silent_stream_happens_at_once),
		CLAIM(a_stream_may_close_itself_in_each_callback),
		CLAIM(closing_drops_the_output_and_tells_nothing_more),
		CLAIM(closing_with_unsent_output_resets_the_peer),
		CLAIM(closing_others_during_the_flush_is_safe),
		CLAIM(a_failure_during_the_flush_may_close_others),
		CLAIM(dropping_keeps_only_the_end_of_what_was_begun),
		CLAIM(a_stream_that_did_not_open_can_be_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
