/* The acceptor: real sockets, real workers, and a process that runs out of descriptors. */
#include "hubbub/acceptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define N_WORKERS 2
#define MAX_SOCKETS 64

static uv_loop_t loop;
static uv_async_t told; /* a worker has something new */
static struct worker workers[N_WORKERS];
static struct acceptor *acceptor;
static unsigned port;

/* Sockets that the workers were given, in the order in which each got them. */
static _Atomic int sockets[N_WORKERS][MAX_SOCKETS];
static atomic_uint n_sockets[N_WORKERS];

static void on_socket(struct worker *w, int fd, unsigned door, void *pass)
{
	(void)door;
	(void)pass;
	unsigned n = atomic_load(&n_sockets[w->index]);

	atomic_store(&sockets[w->index][n], fd);
	atomic_store(&n_sockets[w->index], n + 1);
	uv_async_send(&told);
}

static void on_stop(struct worker *w)
{
	worker_stopped(w);
}

static const struct worker_hooks hooks = {.on_socket = on_socket, .on_stop = on_stop};

static unsigned n_accepted(void)
{
	return atomic_load(&n_sockets[0]) + atomic_load(&n_sockets[1]);
}

static void turn_until_accepted(unsigned n)
{
	while (n_accepted() < n)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(n_accepted(), n);
}

static void on_told(uv_async_t *handle)
{
	(void)handle;
}

static void set_up(const char *host, unsigned max_connections)
{
	uv_loop_init(&loop);
	uv_async_init(&loop, &told, on_told);
	for (unsigned i = 0; i < N_WORKERS; i++) {
		atomic_store(&n_sockets[i], 0);
		assert_int_equal(worker_start(&workers[i], i, &hooks, NULL, 0, false), 0);
	}
	assert_int_equal(
		acceptor_open(&acceptor, &loop, host, 0, workers, N_WORKERS, max_connections), 0);
	port = (unsigned)atoi(strrchr(acceptor_address(acceptor, 0), ':') + 1);
}

/* Close one connection on the server's side. */
static void release(unsigned worker, unsigned i)
{
	int fd = atomic_exchange(&sockets[worker][i], -1);

	if (fd < 0)
		return;
	close(fd);
	acceptor_released(acceptor, worker);
}

static void stop_workers(void)
{
	for (unsigned i = 0; i < N_WORKERS; i++)
		worker_stop(&workers[i]);
	for (unsigned i = 0; i < N_WORKERS; i++)
		worker_join(&workers[i]);
}

static void close_loop(void)
{
	uv_close((uv_handle_t *)&told, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void tear_down(void)
{
	/* In the order of a server that stops: the connections outlive the listening socket. */
	acceptor_close(acceptor);
	stop_workers();
	for (unsigned w = 0; w < N_WORKERS; w++) {
		for (unsigned i = 0; i < atomic_load(&n_sockets[w]); i++)
			release(w, i);
	}
	close_loop();
}

/* The kernel completes the connection by itself: nothing has to be accepted for this. */
static int dial(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void connections_go_to_the_workers_in_turn(void **state)
{
	int clients[6];
	(void)state;

	set_up("127.0.0.1", 0);
	for (int i = 0; i < 6; i++)
		clients[i] = dial();
	turn_until_accepted(6);
	assert_int_equal(atomic_load(&n_sockets[0]), 3);
	assert_int_equal(atomic_load(&n_sockets[1]), 3);
	for (int i = 0; i < 6; i++)
		close(clients[i]);
	tear_down();
}

static void a_worker_that_lost_connections_gets_the_next(void **state)
{
	int clients[8];
	(void)state;

	set_up("127.0.0.1", 0);
	for (int i = 0; i < 4; i++)
		clients[i] = dial();
	turn_until_accepted(4);
	release(1, 0);
	release(1, 1);
	for (int i = 4; i < 8; i++)
		clients[i] = dial();
	turn_until_accepted(8);
	assert_int_equal(atomic_load(&n_sockets[0]), 3);
	assert_int_equal(atomic_load(&n_sockets[1]), 5);
	for (int i = 0; i < 8; i++)
		close(clients[i]);
	tear_down();
}

static void the_address_is_told_as_bound(void **state)
{
	char text[64];
	(void)state;

	set_up("localhost", 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	assert_true(port != 0);
	assert_string_equal(acceptor_address(acceptor, 0), text);
	tear_down();
}

static void an_ipv6_address_is_told_in_brackets(void **state)
{
	char text[64];
	int probe = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool have_ipv6 = probe >= 0 && bind(probe, (struct sockaddr *)&addr, sizeof(addr)) == 0;
	(void)state;

	if (probe >= 0)
		close(probe);
	if (!have_ipv6) {
		/* A machine without IPv6 says so. */
		assert_true(acceptor_open(&acceptor, &loop, "::1", 0, workers, 1, 0) < 0);
		return;
	}
	set_up("::1", 0);
	snprintf(text, sizeof(text), "[::1]:%u", port);
	assert_string_equal(acceptor_address(acceptor, 0), text);
	tear_down();
}

static void what_cannot_be_bound_is_an_error(void **state)
{
	struct acceptor *second;
	(void)state;

	set_up("127.0.0.1", 0);
	assert_int_equal(
		acceptor_open(&second, &loop, "127.0.0.1", (uint16_t)port, workers, N_WORKERS, 0),
		-EADDRINUSE);
	assert_int_equal(acceptor_open(&second, &loop, "chat.example", 0, workers, N_WORKERS, 0),
			 -EINVAL);
	assert_int_equal(acceptor_open(&second, &loop, "192.0.2.1", 0, workers, N_WORKERS, 0),
			 -EADDRNOTAVAIL);
	tear_down();
}

static void a_port_can_be_taken_again_at_once(void **state)
{
	unsigned first_port;
	int client;
	(void)state;

	set_up("127.0.0.1", 0);
	client = dial();
	turn_until_accepted(1);
	first_port = port;
	release(0, 0); /* our end closes first, so our port is left in TIME_WAIT */
	close(client);
	acceptor_close(acceptor);
	assert_int_equal(acceptor_open(&acceptor, &loop, "127.0.0.1", (uint16_t)first_port, workers,
				       N_WORKERS, 0),
			 0);
	tear_down();
}

static void above_the_bound_connections_wait_for_a_place(void **state)
{
	int clients[4];
	(void)state;

	set_up("127.0.0.1", 2);
	for (int i = 0; i < 4; i++)
		clients[i] = dial();
	turn_until_accepted(2);
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(n_accepted(), 2);
	release(0, 0);
	turn_until_accepted(3);
	release(1, 0);
	turn_until_accepted(4);
	for (int i = 0; i < 4; i++)
		close(clients[i]);
	tear_down();
}

static void without_descriptors_it_waits_and_goes_on_by_itself(void **state)
{
	struct rlimit before, none;
	int clients[2];
	(void)state;

	set_up("127.0.0.1", 0);
	for (int i = 0; i < 2; i++)
		clients[i] = dial();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3; /* what is open stays open */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	/* The first turn finds no descriptor; the next ones are those of the pause's timer. */
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(n_accepted(), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	turn_until_accepted(2);
	for (int i = 0; i < 2; i++)
		close(clients[i]);
	tear_down();
}

static void a_socket_for_a_stopped_worker_is_closed(void **state)
{
	char byte;
	int client;
	(void)state;

	set_up("127.0.0.1", 0);
	for (unsigned i = 0; i < N_WORKERS; i++)
		worker_stop(&workers[i]);
	client = dial();
	/* Accepted while both stop: whichever closes it, the client sees the end. */
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(recv(client, &byte, 1, 0), 0);
	close(client);
	acceptor_close(acceptor);
	for (unsigned i = 0; i < N_WORKERS; i++)
		worker_join(&workers[i]);
	assert_int_equal(n_accepted(), 0);
	close_loop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_go_to_the_workers_in_turn),
		cmocka_unit_test(a_worker_that_lost_connections_gets_the_next),
		cmocka_unit_test(the_address_is_told_as_bound),
		cmocka_unit_test(an_ipv6_address_is_told_in_brackets),
		cmocka_unit_test(what_cannot_be_bound_is_an_error),
		cmocka_unit_test(a_port_can_be_taken_again_at_once),
		cmocka_unit_test(above_the_bound_connections_wait_for_a_place),
		cmocka_unit_test(without_descriptors_it_waits_and_goes_on_by_itself),
		cmocka_unit_test(a_socket_for_a_stopped_worker_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
