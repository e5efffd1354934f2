/*
 * Requests from a peer, and handshakes.  What is asked, answered and upgraded must not depend on
 * how the bytes are cut into pieces.
 *
 * Input: the cuts, then bytes of HTTP.
 */
#include "fuzz.h"

#include "http/http_internal.h"
#include "hubbub/buf.h"
#include "hubbub/utf8.h"
#include <string.h>

struct seen {
	struct http *http;
	struct buf log;
	bool closed, upgraded;
};

static void note(struct buf *log, const char *name, struct span s)
{
	if (s.p == NULL)
		return;
	buf_printf(log, " %s=", name);
	buf_append_span(log, s);
}

/* Whom a proxy speaks for: never one of the proxies where somebody else stands behind them. */
static void note_client(struct buf *log, const struct http_request *req)
{
	static const struct addr_range ours = {.addr.bytes = {[10] = 0xff, 0xff, 10}, .bits = 104};
	struct addr client, anybody;
	char text[ADDR_TEXT_SIZE];

	if (!http_find_client(req, &ours, 1, &client))
		return;
	MUST(req->x_forwarded_for.p != NULL || req->forwarded.p != NULL);
	MUST(addr_parse(&anybody, span_of(addr_format(&client, text))));
	MUST(memcmp(&client, &anybody, sizeof(client)) == 0);
	buf_printf(log, " client=%s", text);
}

/* More to choose from does not take away what was chosen, and nothing is chosen that is not there.
 */
static void check_encoding(struct span accept)
{
	enum http_encoding both = http_choose_encoding(accept, true, true);
	enum http_encoding gzip = http_choose_encoding(accept, true, false);
	enum http_encoding brotli = http_choose_encoding(accept, false, true);
	enum http_encoding none = http_choose_encoding(accept, false, false);

	MUST(none == HTTP_IDENTITY || none == HTTP_NOT_ACCEPTABLE);
	MUST(gzip != HTTP_BROTLI && brotli != HTTP_GZIP);
	if (both == HTTP_GZIP)
		MUST(gzip == HTTP_GZIP);
	if (both == HTTP_BROTLI)
		MUST(brotli == HTTP_BROTLI);
	if (both == HTTP_IDENTITY)
		MUST(none == HTTP_IDENTITY);
	if (both == HTTP_NOT_ACCEPTABLE)
		MUST(none == both && gzip == both && brotli == both);
}

static void on_request(struct http *h, const struct http_request *req, void *owner)
{
	static char origin[] = "https://chat.example";
	static char *const origins[] = {origin};
	struct seen *s = owner;

	MUST(!s->closed && !s->upgraded);
	if (!span_equal(req->path, SPAN("*")))
		MUST(req->path.len > 0 && req->path.p[0] == '/');
	else
		MUST(strcmp(req->method, "OPTIONS") == 0); /* RFC 9112, 3.2.4 */
	MUST(utf8_is_valid(req->path.p, req->path.len));
	MUST(memchr(req->path.p, '\0', req->path.len) == NULL);
	MUST(req->body.len <= http_default_limits.max_body);
	buf_printf(&s->log, "%s", req->method);
	note(&s->log, "path", req->path);
	note(&s->log, "query", req->query);
	note(&s->log, "host", req->host);
	note(&s->log, "origin", req->origin);
	note(&s->log, "cookie", req->cookie);
	note(&s->log, "body", req->body);
	note_client(&s->log, req);
	check_encoding(req->accept_encoding);
	if (span_equal(req->path, SPAN("/rate"))) {
		http_refuse_rate(h, 1500, req->query.p != NULL);
	} else if (span_equal(req->path, SPAN("/more"))) {
		http_refuse_more(h);
	} else if (req->is_upgrade) {
		struct ws_params params;

		s->upgraded = http_upgrade(h, req, origins, 1, &params);
	} else if (http_has_asset(req->path)) {
		http_serve_asset(h, req, req->path.p);
	} else {
		http_respond(h, 404, "text/plain", SPAN("no"), NULL);
	}
}

static void on_send(void *owner, struct chunk *c)
{
	struct seen *s = owner;

	MUST(!s->closed);
	buf_append(&s->log, chunk_bytes(c), chunk_len(c));
	chunk_unref(c);
}

static void on_close(void *owner)
{
	struct seen *s = owner;

	s->closed = true;
}

static const struct http_handler handler = {
	.on_request = on_request,
	.send = on_send,
	.close = on_close,
};

static struct seen run(const uint8_t *data, size_t size, struct cuts cuts)
{
	struct seen s = {0};

	s.http = http_new(NULL, &handler, &s);
	while (size > 0 && !s.closed && !s.upgraded) {
		size_t n = cuts_next(&cuts, size);
		uint8_t *piece = malloc(n);

		MUST(piece != NULL);
		memcpy(piece, data, n);
		size_t taken = http_receive(s.http, piece, n);
		MUST(taken <= n);
		MUST(taken == n || s.upgraded);
		free(piece);
		data += n;
		size -= n;
	}
	if (!s.closed && !s.upgraded && http_is_mid_request(s.http)) {
		buf_append_str(&s.log, " unfinished ");
		http_timed_out(s.http);
		MUST(s.closed);
		http_timed_out(s.http); /* once */
	}
	buf_printf(&s.log, " closed %d upgraded %d", s.closed, s.upgraded);
	http_free(s.http);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cuts cuts = cuts_take(&data, &size);
	struct seen whole = run(data, size, (struct cuts){0});
	struct seen cut = run(data, size, cuts);

	MUST(whole.log.len == cut.log.len);
	MUST(memcmp(whole.log.p, cut.log.p, cut.log.len) == 0);
	buf_deinit(&whole.log);
	buf_deinit(&cut.log);
	return 0;
}
