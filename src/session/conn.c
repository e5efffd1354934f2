/*
 * A connection's life: HTTP first, then perhaps a WebSocket, then the end.
 *
 * Whatever ends it, it passes through conn_destroy() once: it leaves its rooms and its user, closes
 * the stream, and is freed by the stream's close callback and nowhere else.  A connection in
 * CONN_ENDING still writes what is queued and waits for the peer's side, for a bounded time.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>

static struct conn *conn_of(struct stream *s)
{
	return (struct conn *)s;
}

static void on_stream_closed(struct stream *s)
{
	struct conn *c = conn_of(s);
	struct hub *hub = conn_hub(c);
	bool was_counted = !c->is_shell;

	idmap_remove(&hub->conns, c->id);
	http_free(c->http);
	ws_free(c->ws);
	free(c->name);
	free(c->credential);
	free(c->belongs);
	free(c->strikes);
	limit_account_leave(c->of_user);
	limit_account_leave(c->of_addr);
	pool_free(&hub->conn_pool, c);
	count_add(&hub->counters->connections, -1);
	if (was_counted)
		hub->env->on_released(hub->env->ctx, hub->worker->index);
	if (hub->stopping && idmap_len(&hub->conns) == 0)
		worker_stopped(hub->worker);
}

/* What only a living session has; the connection may still have output. */
static void end_session(struct conn *c)
{
	conn_leave_all(c);
	conn_drop_requests(c);
	hub_remove_user_conn(conn_hub(c), c);
}

void conn_destroy(struct conn *c)
{
	if (c->phase == CONN_GONE)
		return;
	end_session(c);
	if (c->ws != NULL) {
		count_add(&conn_hub(c)->counters->websockets, -1);
		if (c->deflate)
			room_registry_count_deflate(conn_hub(c)->env->rooms, -1);
	}
	c->phase = CONN_GONE;
	conn_set_timer(c, TIMER_NONE);
	stream_close(&c->stream);
}

void conn_end_http(struct conn *c)
{
	if (c->phase != CONN_HTTP)
		return;
	c->phase = CONN_ENDING;
	conn_set_timer(c, TIMER_ENDING);
	stream_shutdown(&c->stream);
}

void conn_close(struct conn *c, uint16_t code, const char *why)
{
	if (c->phase != CONN_OPEN)
		return;
	if (code == WS_CLOSE_SLOW_READER) {
		/* The peer resumes from the log: only the end of a frame already begun is kept. */
		stream_drop_queued(&c->stream);
		count_add(&conn_hub(c)->counters->slow_readers, 1);
	}
	ws_close(c->ws, code, why);
}

static void ws_on_message(void *owner, struct span text)
{
	((struct conn *)owner)->got_message = true;
	conn_on_text(owner, text);
}

static void ws_on_send(void *owner, struct chunk *bytes)
{
	struct conn *c = owner;

	/* A pong is a reply too: a peer that pings and does not read is not read from. */
	if (stream_unsent(&c->stream) < c->reply_bytes)
		c->reply_bytes = stream_unsent(&c->stream);
	c->reply_bytes += chunk_len(bytes);
	stream_send(&c->stream, bytes);
}

static void ws_on_closing(void *owner, uint16_t code, bool by_peer)
{
	struct conn *c = owner;

	(void)by_peer;
	log_debug("connection %u.%llu closes with %u", conn_hub(c)->worker->index,
		  (unsigned long long)c->id, code);
	c->phase = CONN_ENDING;
	conn_set_timer(c, TIMER_ENDING);
	stream_resume(&c->stream); /* the peer's close frame is behind what it was not read of */
	end_session(c);
}

static const struct ws_handler ws_handler = {
	.on_message = ws_on_message,
	.send = ws_on_send,
	.on_closing = ws_on_closing,
};

static void start_websocket(struct conn *c)
{
	http_free(c->http);
	c->http = NULL;
	/* Compressed frames are made for all; a peer with a smaller window gets plain ones. */
	c->deflate = conn_hub(c)->handshake.deflate &&
		     conn_hub(c)->handshake.server_window_bits == WS_MAX_WINDOW_BITS;
	c->ws = ws_new(&conn_hub(c)->handshake, conn_hub(c)->cfg->max_frame, &ws_handler, c);
	c->phase = CONN_OPEN;
	conn_set_timer(c, TIMER_HELLO);
	count_add(&conn_hub(c)->counters->websockets, 1);
	if (c->deflate)
		room_registry_count_deflate(conn_hub(c)->env->rooms, 1);
}

/* Feed HTTP; returns how many bytes it took. */
static size_t receive_http(struct conn *c, const uint8_t *bytes, size_t len)
{
	bool was_mid_request = c->timer == TIMER_REQUEST;
	c->has_http_request = false;
	size_t taken = http_receive(c->http, bytes, len);

	if (c->phase != CONN_HTTP)
		return len;
	if (c->upgraded) {
		start_websocket(c);
		return taken;
	}
	if (http_is_deferred(c->http)) {
		http_keep(c->http, bytes + taken, len - taken);
		conn_set_timer(c, TIMER_NONE);
		stream_pause(&c->stream);
		return len;
	}
	if (!http_is_mid_request(c->http))
		conn_set_timer(c, TIMER_IDLE);
	else if (!was_mid_request || c->has_http_request)
		conn_set_timer(c, TIMER_REQUEST);
	/* Whoever sends requests and does not read the answers is not read from either. */
	if (stream_unsent(&c->stream) > CONN_MAX_REPLY_BYTES)
		stream_pause(&c->stream);
	return len;
}

static void on_data(struct stream *s, uint8_t *bytes, size_t len)
{
	struct conn *c = conn_of(s);

	if (c->phase == CONN_HTTP) {
		size_t taken = receive_http(c, bytes, len);

		bytes += taken;
		len -= taken;
	}
	if (c->ws == NULL || len == 0)
		return;
	if (c->timer == TIMER_PONG)
		conn_set_timer(c, TIMER_BEAT); /* whatever came, the link lives */
	c->got_message = false;
	c->n_pongs = 0;
	ws_receive(c->ws, bytes, len);
	if (!c->is_mid_message || c->got_message)
		c->begun_s = (uint32_t)(conn_hub(c)->worker->now_ms / 1000);
	c->is_mid_message = ws_is_mid_message(c->ws);
	conn_count_extra(c, ws_take_extra(c->ws) + c->n_pongs);
	if (c->phase == CONN_ENDING && ws_is_closed(c->ws))
		stream_shutdown(&c->stream);
	else
		conn_pump(c); /* stops reading when too much is unsent */
}

void conn_http_answered(struct conn *c)
{
	if (c->phase == CONN_ENDING)
		stream_resume(&c->stream); /* to see the peer's end */
	if (c->phase != CONN_HTTP || http_is_deferred(c->http))
		return;
	struct buf kept = http_take_kept(c->http);

	stream_resume(&c->stream);
	on_data(&c->stream, (uint8_t *)kept.p, kept.len);
	buf_deinit(&kept);
}

static void on_end(struct stream *s, int err)
{
	struct conn *c = conn_of(s);

	/* A peer that closed its side may still be waiting for an answer. */
	if (err == 0 && c->ws == NULL && c->phase == CONN_HTTP && stream_unsent(s) > 0)
		conn_end_http(c);
	else if (err == 0 && c->phase == CONN_ENDING && stream_unsent(s) > 0)
		stream_shutdown(s);
	else
		conn_destroy(c);
}

static void on_drained(struct stream *s)
{
	struct conn *c = conn_of(s);

	c->reply_bytes = 0;
	if (c->phase == CONN_HTTP && !http_is_deferred(c->http))
		stream_resume(&c->stream);
	else if (c->phase == CONN_OPEN)
		conn_pump(c);
	else if (c->phase == CONN_ENDING && s->ended)
		conn_destroy(c); /* neither side has more to say */
}

static const struct stream_events stream_events = {
	.on_data = on_data,
	.on_end = on_end,
	.on_drained = on_drained,
	.on_closed = on_stream_closed,
};

void conn_new(struct hub *hub, int fd, enum session_door door, void *pass)
{
	bool is_tls = door == SESSION_DOOR_MAIN && hub->worker->tls_context != NULL;
	struct conn *c = pool_zalloc(&hub->conn_pool);

	c->stream.worker = hub->worker;
	c->id = hub->next_conn;
	hub->next_conn += hub->env->n_workers;
	c->phase = CONN_HTTP;
	c->timer = TIMER_NONE;
	c->is_shell = door == SESSION_DOOR_SHELL;
	c->of_addr = pass;
	c->http = http_new(&http_default_limits, &conn_http_handler, c);
	idmap_put(&hub->conns, c->id, c);
	count_add(&hub->counters->connections, 1);
	count_add(&hub->counters->accepted, 1);
	conn_set_timer(c, TIMER_REQUEST);
	c->is_redirected = door == SESSION_DOOR_REDIRECT;
	if (is_tls)
		http_set_tls(c->http, hub->cfg->hsts_max_age);
	int err = is_tls ? stream_open_tls(&c->stream, hub->worker, fd, &stream_events)
			 : stream_open(&c->stream, hub->worker, fd, &stream_events);
	if (err != 0)
		conn_destroy(c);
}
