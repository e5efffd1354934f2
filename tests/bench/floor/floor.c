/*
 * The floor: the least that a WebSocket server on libuv can do for a message.
 *
 * A client that opens /<room> is a member of that room.  Every frame that a member sends goes to
 * all members of the room.  The frames of one turn of the loop are gathered in one buffer per
 * room, and each member gets that buffer in one write at the end of the turn.  Payloads are
 * unmasked and not looked at; nothing is stored, checked or bounded.
 */
#include "handshake.h"
#include "room.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX (256 * 1024)
#define BACKLOG 4096

static char read_buf[READ_MAX];

static void on_closed(uv_handle_t *handle)
{
	struct member *m = (struct member *)handle;

	free(m->rest);
	free(m);
}

static void close_member(struct member *m)
{
	if (uv_is_closing((uv_handle_t *)&m->tcp))
		return;
	if (m->room != NULL)
		room_remove(m);
	uv_close((uv_handle_t *)&m->tcp, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct member *m = (struct member *)handle;

	(void)suggested;
	if (m->rest_len > 0)
		memcpy(read_buf, m->rest, m->rest_len);
	*buf = uv_buf_init(read_buf + m->rest_len, READ_MAX - m->rest_len);
}

static void keep_rest(struct member *m, const uint8_t *bytes, size_t len)
{
	if (len == 0) {
		free(m->rest);
		m->rest = NULL;
	} else {
		m->rest = xrealloc(m->rest, len);
		memcpy(m->rest, bytes, len);
	}
	m->rest_len = (uint32_t)len;
}

/** The bytes of the handshake's head; 0 if it is not whole, -1 if it is refused. */
static int shake_hands(struct member *m, const uint8_t *bytes, size_t len)
{
	char target[HANDSHAKE_TARGET_MAX];
	char answer[HANDSHAKE_ANSWER_MAX];
	int answer_len;
	int used = handshake_answer((const char *)bytes, len, target, answer, &answer_len);

	if (used <= 0)
		return used;
	uv_buf_t buf = uv_buf_init(answer, (unsigned int)answer_len);

	if (uv_try_write((uv_stream_t *)&m->tcp, &buf, 1) != answer_len)
		return -1;
	room_add(room_get(target), m);
	return used;
}

/** Forward the whole frames in @len bytes at @p; the bytes used, or -1 to close. */
static ssize_t take_frames(struct member *m, const uint8_t *p, size_t len)
{
	const uint8_t *start = p;
	const uint8_t *end = p + len;

	while (end - p >= 6) {
		size_t n = p[1] & 0x7f;
		size_t head = 6;

		if (n == 126) {
			n = (size_t)p[2] << 8 | p[3];
			head = 8;
		} else if (n == 127) {
			return -1;
		}
		if ((size_t)(end - p) < head + n)
			break;
		if ((p[0] & 0x0f) == 8)
			return -1;
		if (p[0] == 0x81)
			room_append(m->room, p + head, n, p + head - 4);
		p += head + n;
	}
	return p - start;
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct member *m = (struct member *)stream;

	(void)buf;
	if (nread < 0) {
		close_member(m);
		return;
	}
	const uint8_t *p = (const uint8_t *)read_buf;
	size_t len = m->rest_len + (size_t)nread;

	if (m->room == NULL) {
		int used = shake_hands(m, p, len);

		if (used < 0) {
			close_member(m);
			return;
		}
		p += used;
		len -= (size_t)used;
	}
	if (m->room != NULL) {
		ssize_t used = take_frames(m, p, len);

		if (used < 0) {
			close_member(m);
			return;
		}
		p += used;
		len -= (size_t)used;
	}
	if (len != 0 || m->rest_len != 0)
		keep_rest(m, p, len);
}

static void on_connection(uv_stream_t *server, int status)
{
	if (status < 0)
		return;
	struct member *m = xrealloc(NULL, sizeof(*m));

	memset(m, 0, sizeof(*m));
	uv_tcp_init(server->loop, &m->tcp);
	if (uv_accept(server, (uv_stream_t *)&m->tcp) != 0) {
		close_member(m);
		return;
	}
	uv_tcp_nodelay(&m->tcp, 1);
	uv_read_start((uv_stream_t *)&m->tcp, on_alloc, on_read);
}

static void on_turn_end(uv_check_t *check)
{
	(void)check;
	room_flush_all();
}

static void on_signal(uv_signal_t *handle, int signum)
{
	(void)signum;
	uv_stop(handle->loop);
}

static void check(int err, const char *what)
{
	if (err == 0)
		return;
	fprintf(stderr, "bench-floor: %s: %s\n", what, uv_strerror(err));
	exit(1);
}

static void parse_listen(const char *text, struct sockaddr_in *addr)
{
	char host[64];
	const char *colon = strrchr(text, ':');

	if (colon == NULL || colon - text >= (ptrdiff_t)sizeof(host)) {
		fprintf(stderr, "bench-floor: --listen wants ADDR:PORT\n");
		exit(2);
	}
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	check(uv_ip4_addr(host, atoi(colon + 1), addr), text);
}

static void print_address(uv_tcp_t *server)
{
	struct sockaddr_in addr;
	int len = sizeof(addr);
	char host[64];

	check(uv_tcp_getsockname(server, (struct sockaddr *)&addr, &len), "getsockname");
	uv_ip4_name(&addr, host, sizeof(host));
	printf("listening on http://%s:%d\n", host, ntohs(addr.sin_port));
	fflush(stdout);
}

static void usage(FILE *to)
{
	fputs("usage: bench-floor [--listen ADDR:PORT]\n"
	      "Forwards every WebSocket text frame that comes on /<room> to all members of that "
	      "room.\n",
	      to);
}

int main(int argc, char **argv)
{
	const char *listen_on = "127.0.0.1:0";
	struct sockaddr_in addr;
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_t server;
	uv_check_t turn_end;
	uv_signal_t term, intr;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--listen") == 0) {
		listen_on = argv[2];
	} else if (argc != 1) {
		usage(stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	parse_listen(listen_on, &addr);
	uv_check_init(loop, &turn_end);
	uv_check_start(&turn_end, on_turn_end);
	uv_signal_init(loop, &term);
	uv_signal_start(&term, on_signal, SIGTERM);
	uv_signal_init(loop, &intr);
	uv_signal_start(&intr, on_signal, SIGINT);
	uv_tcp_init(loop, &server);
	check(uv_tcp_bind(&server, (const struct sockaddr *)&addr, 0), "bind");
	check(uv_listen((uv_stream_t *)&server, BACKLOG, on_connection), "listen");
	print_address(&server);
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}
