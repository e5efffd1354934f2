/*
 * A server that says every WebSocket message back: the product's own layers up to ws/, with nothing
 * above them.  What the conformance tests see here is what RFC 6455 and RFC 7692 say of any server.
 *
 * It prints `listening on http://ADDR:PORT` and ends on SIGTERM.
 */
#include "hubbub/acceptor.h"
#include "hubbub/frame.h"
#include "hubbub/http.h"
#include "hubbub/mem.h"
#include "hubbub/ws.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_MESSAGE (16u << 20)
#define FIRST_BYTE_OPCODE 0x0f
#define BINARY 0x02

struct echo {
	struct stream stream; /* first: a stream's owner is found by a cast */
	struct http *http;
	struct ws *ws;
	struct ws_params params;
	bool is_closed; /* the last output is under way */
	struct echo *prev, *next;
};

static struct worker worker;
static struct acceptor *acceptor;
/* The worker's: */
static struct echo *connections;
static bool is_stopping;

static void send_chunk(void *owner, struct chunk *c)
{
	struct echo *e = owner;

	stream_send(&e->stream, c);
}

/* The product sends texts alone: of a binary message the frame's opcode is another. */
static void say(struct echo *e, struct span message, bool is_binary)
{
	bool deflates = e->params.deflate && e->params.server_window_bits == WS_MAX_WINDOW_BITS;
	struct frame *f = deflates ? frame_new_text_compressed(message) : frame_new_text(message);
	struct frame_wire wire = frame_wire(f, deflates, 0);
	struct chunk *c = chunk_new_copy(chunk_bytes(wire.chunk) + wire.offset, wire.len);

	if (is_binary)
		chunk_fill(c)[0] = (uint8_t)((chunk_bytes(c)[0] & ~FIRST_BYTE_OPCODE) | BINARY);
	stream_send(&e->stream, c);
	frame_unref(f);
}

static void on_text(void *owner, struct span text)
{
	say(owner, text, false);
}

static void on_binary(void *owner, struct span bytes)
{
	say(owner, bytes, true);
}

static void on_closing(void *owner, uint16_t code, bool by_peer)
{
	(void)owner;
	(void)code;
	(void)by_peer;
}

static const struct ws_handler ws_handler = {
	.on_message = on_text,
	.on_binary = on_binary,
	.send = send_chunk,
	.on_closing = on_closing,
};

static void on_request(struct http *h, const struct http_request *req, void *owner)
{
	struct echo *e = owner;

	if (!http_upgrade(h, req, NULL, 0, &e->params))
		return;
	e->ws = ws_new(&e->params, MAX_MESSAGE, &ws_handler, e);
}

static void close_http(void *owner)
{
	struct echo *e = owner;

	e->is_closed = true;
	stream_shutdown(&e->stream);
}

static const struct http_handler http_handler = {
	.on_request = on_request,
	.send = send_chunk,
	.close = close_http,
};

static void on_data(struct stream *s, uint8_t *bytes, size_t len)
{
	struct echo *e = (struct echo *)s;

	if (e->ws == NULL) {
		size_t taken = http_receive(e->http, bytes, len);

		bytes += taken;
		len -= taken;
	}
	if (e->ws == NULL)
		return;
	ws_receive(e->ws, bytes, len);
	if (ws_is_closed(e->ws) && !e->is_closed) {
		e->is_closed = true;
		stream_shutdown(&e->stream);
	}
}

static void on_end(struct stream *s, int err)
{
	(void)err;
	stream_close(s);
}

static void on_closed(struct stream *s)
{
	struct echo *e = (struct echo *)s;

	if (e->prev != NULL)
		e->prev->next = e->next;
	else
		connections = e->next;
	if (e->next != NULL)
		e->next->prev = e->prev;
	http_free(e->http);
	ws_free(e->ws);
	free(e);
	acceptor_released(acceptor, 0);
	if (is_stopping && connections == NULL)
		worker_stopped(&worker);
}

static const struct stream_events stream_events = {
	.on_data = on_data,
	.on_end = on_end,
	.on_closed = on_closed,
};

static void on_socket(struct worker *w, int fd, unsigned door, void *pass)
{
	(void)door;
	struct echo *e = mem_zalloc(sizeof(*e));

	(void)pass; /* no gate is set */
	e->stream.worker = w;
	e->http = http_new(NULL, &http_handler, e);
	e->next = connections;
	if (e->next != NULL)
		e->next->prev = e;
	connections = e;
	if (stream_open(&e->stream, w, fd, &stream_events) != 0)
		stream_close(&e->stream);
}

static void on_stop(struct worker *w)
{
	is_stopping = true;
	for (struct echo *e = connections; e != NULL; e = e->next)
		stream_close(&e->stream);
	if (connections == NULL)
		worker_stopped(w);
}

static const struct worker_hooks hooks = {.on_socket = on_socket, .on_stop = on_stop};

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_close((uv_handle_t *)handle, NULL);
	worker_stop(&worker);
	acceptor_close(acceptor);
}

int main(void)
{
	uv_loop_t loop;
	uv_signal_t on_term;

	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	if (worker_start(&worker, 0, &hooks, NULL, 0, false) != 0 ||
	    acceptor_open(&acceptor, &loop, "127.0.0.1", 0, &worker, 1, 0) != 0)
		return EXIT_FAILURE;
	uv_signal_init(&loop, &on_term);
	uv_signal_start(&on_term, on_signal, SIGTERM);
	printf("listening on http://%s\n", acceptor_address(acceptor, 0));
	fflush(stdout);
	uv_run(&loop, UV_RUN_DEFAULT);
	worker_join(&worker);
	uv_loop_close(&loop);
	return EXIT_SUCCESS;
}
