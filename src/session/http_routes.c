/*
 * What is served over HTTP.  The client's routes are this one list; all else is 404.
 */
#include "session/api.h"

#include "hubbub/mem.h"
#include <stdlib.h>

#define TEXT "text/plain; charset=utf-8"

static bool starts_with(struct span s, struct span prefix)
{
	return s.len > prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

/* What client-vue/src/router.ts lists; `/r/<room>` has one path segment behind /r/. */
static bool is_client_route(struct span path)
{
	if (span_equal(path, SPAN("/")) || span_equal(path, SPAN("/join")) ||
	    span_equal(path, SPAN("/reset")) || span_equal(path, SPAN("/settings")) ||
	    span_equal(path, SPAN("/admin")))
		return true;
	return starts_with(path, SPAN("/r/")) && memchr(path.p + 3, '/', path.len - 3) == NULL;
}

static void serve_metrics(struct http *h, struct conn *c)
{
	struct buf b = {0};

	conn_hub(c)->env->write_metrics(&b, conn_hub(c)->env->ctx);
	http_respond(h, 200, "text/plain; version=0.0.4; charset=utf-8", buf_span(&b), NULL);
	buf_deinit(&b);
}

static void serve_ready(struct http *h, struct conn *c)
{
	struct session_env *env = conn_hub(c)->env;
	bool ready = !atomic_load_explicit(&env->stopping, memory_order_relaxed) &&
		     store_is_healthy(env->store);

	if (ready)
		http_respond(h, 200, TEXT, SPAN("ok\n"), NULL);
	else
		http_respond(h, 503, TEXT, SPAN("not ready\n"), NULL);
}

/* One read may bring requests whose answers are a hundred times as long. */
static bool has_too_many_unread(struct conn *c)
{
	if (stream_unsent(&c->stream) <= CONN_MAX_REPLY_BYTES)
		return false;
	stream_write_now(&c->stream);
	return stream_unsent(&c->stream) > CONN_MAX_REPLY_BYTES;
}

/* With accounts hello shows nothing: who it is was said by the handshake. */
static void keep_credential(struct conn *c, const struct http_request *req)
{
	struct span token = api_find_token(req);

	if (conn_hub(c)->cfg->open || token.p == NULL)
		return;
	free(c->credential);
	c->credential = mem_dup(token.p, token.len);
}

/* RFC 9110, 15.4.9: the method and the body go with it. */
static void send_to_https(struct http *h, struct conn *c, const struct http_request *req)
{
	unsigned port = conn_hub(c)->env->https_port;
	struct span host = req->host;
	const char *colon = host.len > 0 ? memrchr(host.p, ':', host.len) : NULL;
	struct buf location = {0};

	if (host.len == 0) {
		http_respond(h, 400, TEXT, SPAN("Host is missing\n"), NULL);
		return;
	}
	if (colon != NULL && memchr(colon, ']', host.len - (size_t)(colon - host.p)) == NULL)
		host.len = (size_t)(colon - host.p);
	buf_append_str(&location, "Location: https://");
	buf_append_span(&location, host);
	if (port != 443)
		buf_printf(&location, ":%u", port);
	buf_append_span(&location, req->target);
	buf_append(&location, "\r\n", 3); /* with the NUL */
	http_respond(h, 308, TEXT, SPAN("this is served by https alone\n"), location.p);
	buf_deinit(&location);
}

static void on_request(struct http *h, const struct http_request *req, void *owner)
{
	struct conn *c = owner;
	const struct config *cfg = conn_hub(c)->cfg;

	c->has_http_request = true;
	count_add(&conn_hub(c)->counters->http_requests, 1);
	if (has_too_many_unread(c)) {
		http_refuse_more(h);
		return;
	}
	if (!conn_admit_request(c, h, req))
		return;
	if (c->is_redirected) {
		send_to_https(h, c, req);
		conn_end_handshake(c, req); /* where it asked for one, it got none */
		return;
	}
	if (conn_is_forwarded_https(c, req))
		http_set_forwarded_tls(h);
	if (span_equal(req->path, SPAN("/ws"))) {
		keep_credential(c, req);
		c->upgraded =
			http_upgrade(h, req, cfg->origins, cfg->n_origins, &conn_hub(c)->handshake);
		conn_end_handshake(c, req);
		return;
	}
	if (!http_origin_allowed(req, cfg->origins, cfg->n_origins)) {
		http_respond(h, 403, TEXT, SPAN("this origin is not allowed\n"), NULL);
		return;
	}
	if (starts_with(req->path, SPAN("/api/v1/"))) {
		api_on_request(c, req);
		return;
	}
	bool is_read = strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;

	if (!is_read)
		http_respond(h, 405, TEXT, SPAN("only GET and HEAD are answered here\n"),
			     "Allow: GET, HEAD\r\n");
	else if (span_equal(req->path, SPAN("/healthz")))
		http_respond(h, 200, TEXT, SPAN("ok"), NULL);
	else if (span_equal(req->path, SPAN("/readyz")))
		serve_ready(h, c);
	else if (span_equal(req->path, SPAN("/metrics")))
		serve_metrics(h, c);
	else if (is_client_route(req->path))
		http_serve_asset(h, req, "/index.html");
	else if (http_has_asset(req->path) && !span_equal(req->path, SPAN("/index.html")))
		http_serve_asset(h, req, req->path.p);
	else
		http_respond(h, 404, TEXT, SPAN("there is nothing here\n"), NULL);
}

static void send_chunk(void *owner, struct chunk *bytes)
{
	struct conn *c = owner;

	stream_send(&c->stream, bytes);
}

static void close_http(void *owner)
{
	conn_end_http(owner);
}

const struct http_handler conn_http_handler = {
	.on_request = on_request,
	.send = send_chunk,
	.close = close_http,
};
