/* Responses: what every one of them says, and the plain ones. */
#include "http/http_internal.h"
#include "http/text.h"
#include <assert.h>

/*
 * Sent with every response, errors included.  The policy allows the client's own files and nothing
 * inline; 'self' in connect-src covers the WebSocket of the same host (CSP 3, 6.7.2.8).
 */
static const char security_headers[] =
	"Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
	"form-action 'self'; frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n";

static const char *status_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{101, "Switching Protocols"},
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{422, "Unprocessable Content"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return ""; /* RFC 9112, 4: it may be empty */
}

static void send_buf(struct http *h, const struct buf *b)
{
	h->handler->send(h->owner, chunk_new_copy(b->p, b->len));
}

/*
 * What a browser knows of `localhost` would bind every other program of its machine too.  A request
 * that was refused before its host was read may be for that.
 */
static bool may_ask_for_https(struct span host)
{
	struct span tail = SPAN("localhost");
	const char *colon = host.len > 0 ? memrchr(host.p, ':', host.len) : NULL;

	if (colon != NULL)
		host.len = (size_t)(colon - host.p);
	if (host.len > tail.len && host.p[host.len - tail.len - 1] == '.')
		host = (struct span){host.p + host.len - tail.len, tail.len};
	return host.len > 0 && !text_equal_nocase(host, tail);
}

void http_begin_head(struct buf *out, const struct http *h, int status)
{
	buf_append_str(out, "HTTP/1.1 ");
	buf_append_u64(out, (uint64_t)status);
	buf_append_char(out, ' ');
	buf_append_str(out, status_phrase(status));
	buf_append_str(out, "\r\n");
	buf_append(out, security_headers, sizeof(security_headers) - 1);
	if (h != NULL && h->is_tls && may_ask_for_https(h->request.host))
		buf_printf(out, "Strict-Transport-Security: max-age=%u\r\n", h->hsts_max_age_s);
}

void http_append_connection(struct buf *out, const struct http *h)
{
	if (!h->request.keep_alive)
		buf_append_str(out, "Connection: close\r\n");
	else if (h->is_http_1_0)
		buf_append_str(out, "Connection: keep-alive\r\n");
}

void http_end_response(struct http *h)
{
	h->is_answered = true;
	if (h->request.keep_alive) {
		if (h->state == HTTP_DEFERRED && h->is_dispatching)
			h->state = HTTP_IN_HEAD; /* it was answered at once after all */
		else if (h->state == HTTP_DEFERRED)
			http_begin_request(h);
		return;
	}
	h->state = HTTP_CLOSING;
	h->handler->close(h->owner);
}

static bool is_head(const struct http *h)
{
	/* Errors are answered before the method is known to llhttp. */
	return h->head.len >= 5 && memcmp(h->head.p, "HEAD ", 5) == 0;
}

void http_respond(struct http *h, int status, const char *content_type, struct span body,
		  const char *extra_headers)
{
	struct buf out = {0};

	assert(!h->is_answered && status >= 200);
	http_begin_head(&out, h, status);
	if (extra_headers == NULL || strcasestr(extra_headers, "Cache-Control:") == NULL)
		buf_append_str(&out, "Cache-Control: no-store\r\n");
	/* RFC 9110, 8.6 and 15.4.5: 204 and 304 have neither a body nor its length. */
	if (status != 204 && status != 304) {
		if (content_type != NULL)
			buf_printf(&out, "Content-Type: %s\r\n", content_type);
		buf_printf(&out, "Content-Length: %zu\r\n", body.len);
	}
	if (extra_headers != NULL)
		buf_append_str(&out, extra_headers);
	http_append_connection(&out, h);
	buf_append_str(&out, "\r\n");
	if (!is_head(h) && status != 204 && status != 304)
		buf_append_span(&out, body);
	send_buf(h, &out);
	buf_deinit(&out);
	http_end_response(h);
}

void http_refuse(struct http *h, int status)
{
	struct buf body = {0};

	/* Where this request ends cannot be known, so no other can follow it. */
	h->request.keep_alive = false;
	buf_printf(&body, "%s\n", status_phrase(status));
	http_respond(h, status, "text/plain; charset=utf-8", buf_span(&body), NULL);
	buf_deinit(&body);
}

void http_refuse_more(struct http *h)
{
	http_refuse(h, 503);
}

void http_refuse_method(struct http *h, const char *allowed)
{
	struct buf allow = {0};

	buf_printf(&allow, "Allow: %s\r\n", allowed);
	buf_append_char(&allow, '\0');
	http_respond(h, 405, "text/plain; charset=utf-8", SPAN("Method Not Allowed\n"), allow.p);
	buf_deinit(&allow);
}

/* Whole seconds (RFC 9110, 10.2.3), rounded up. */
static unsigned seconds(unsigned ms)
{
	return ms / 1000 + (ms % 1000 != 0);
}

void http_write_refusal(struct buf *out, int status, unsigned retry_ms, struct span why)
{
	http_begin_head(out, NULL, status);
	buf_printf(out,
		   "Cache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\n"
		   "Content-Length: %zu\r\nRetry-After: %u\r\nConnection: close\r\n\r\n",
		   why.len, seconds(retry_ms));
	buf_append_span(out, why);
}

void http_refuse_rate(struct http *h, unsigned retry_ms, bool close)
{
	struct buf extra = {0};

	if (close)
		h->request.keep_alive = false;
	buf_printf(&extra, "Retry-After: %u\r\n", seconds(retry_ms));
	buf_append_char(&extra, '\0');
	http_respond(h, 429, "text/plain; charset=utf-8",
		     SPAN("Too many requests from your address: try again later.\n"), extra.p);
	buf_deinit(&extra);
}

void http_send_continue(struct http *h)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

	h->handler->send(h->owner, chunk_new_static(interim, sizeof(interim) - 1));
}
