/*
 * A head's fields made into an http_request: what may come once, what is a list, and the shapes
 * that RFC 9112 refuses (Host, Content-Length beside Transfer-Encoding).
 */
#include "http/http_internal.h"
#include "http/text.h"
#include <assert.h>

enum repeat {
	ONCE,   /* a second one is refused */
	LIST,   /* joined by ", " (RFC 9110, 5.3) */
	COOKIE, /* joined by "; " (RFC 6265, 5.4, and HTTP/2's splitting) */
};

static struct span field_at(const struct http *h, size_t i)
{
	return h->fields[i].value;
}

/**
 * The value of a field that may be repeated; p is NULL where it is absent.
 * Returns false when it must not be repeated and is.
 */
static bool find_field(struct http *h, struct span name, enum repeat repeat, struct span *value)
{
	size_t start = h->joined.len;
	size_t n = 0;

	*value = (struct span){0};
	for (size_t i = 0; i < h->n_fields; i++) {
		if (!text_equal_nocase(h->fields[i].name, name))
			continue;
		if (n++ == 0) {
			*value = field_at(h, i);
			continue;
		}
		if (repeat == ONCE)
			return false;
		if (n == 2)
			buf_append_span(&h->joined, *value);
		buf_append_str(&h->joined, repeat == COOKIE ? "; " : ", ");
		buf_append_span(&h->joined, field_at(h, i));
		*value = (struct span){.p = h->joined.p + start, .len = h->joined.len - start};
	}
	return true;
}

/** RFC 3986, 3.2.2: unreserved and sub-delims; percent signs are looked at by themselves. */
static bool is_name_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("-._~!$&'()*+,;=", c) != NULL);
}

static bool is_hex_digit(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/** Bytes of the reg-name or IPv4 address that @s begins with. */
static size_t reg_name_len(struct span s)
{
	size_t i = 0;

	while (i < s.len) {
		if (is_name_char((unsigned char)s.p[i]))
			i++;
		else if (s.p[i] == '%' && s.len - i > 2 &&
			 is_hex_digit((unsigned char)s.p[i + 1]) &&
			 is_hex_digit((unsigned char)s.p[i + 2]))
			i += 3;
		else
			break;
	}
	return i;
}

/** The same for an IPv6 address in brackets; 0 if it is none by its characters. */
static size_t ip_literal_len(struct span s)
{
	size_t i = 1;
	unsigned n_colons = 0;

	for (; i < s.len && s.p[i] != ']'; i++) {
		n_colons += s.p[i] == ':';
		if (!is_hex_digit((unsigned char)s.p[i]) && s.p[i] != ':' && s.p[i] != '.')
			return 0;
	}
	return i < s.len && n_colons >= 2 ? i + 1 : 0;
}

/** uri-host [ ":" port ] (RFC 9112, 3.2), where the host is not empty. */
static bool is_host(struct span host)
{
	size_t i = host.len > 0 && host.p[0] == '[' ? ip_literal_len(host) : reg_name_len(host);

	if (i == 0)
		return false;
	if (i < host.len && host.p[i++] != ':')
		return false;
	while (i < host.len && host.p[i] >= '0' && host.p[i] <= '9')
		i++;
	return i == host.len;
}

/** Content-Length: decimal digits, once (RFC 9112, 6.3). */
static int read_length(const struct http *h, struct span value, uint64_t *len)
{
	*len = 0;
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return 400;
		if (*len <= h->limits.max_body)
			*len = *len * 10 + (uint64_t)(value.p[i] - '0');
	}
	if (value.len == 0)
		return 400;
	return *len > h->limits.max_body ? 413 : 0;
}

static int judge_body(struct http *h)
{
	struct span length;
	struct span coding;
	uint64_t n = 0;

	if (!find_field(h, SPAN("Content-Length"), ONCE, &length) ||
	    !find_field(h, SPAN("Transfer-Encoding"), ONCE, &coding))
		return 400;
	if (coding.p != NULL) {
		/* RFC 9112, 6.1: both at once, or chunks under 1.0, is an attack or a fault. */
		if (length.p != NULL || h->is_http_1_0)
			return 400;
		if (coding.len == 0)
			return 400;
		if (!text_equal_nocase(coding, SPAN("chunked")))
			return 501;
		h->has_body = true;
		return 0;
	}
	if (length.p == NULL)
		return 0;
	int status = read_length(h, length, &n);
	h->has_body = n > 0;
	return status;
}

static int judge_expect(struct http *h)
{
	struct span expect;

	if (!find_field(h, SPAN("Expect"), ONCE, &expect))
		return 417;
	if (expect.p == NULL || h->is_http_1_0)
		return 0; /* RFC 9110, 10.1.1: one in a 1.0 request is ignored */
	if (!text_equal_nocase(expect, SPAN("100-continue")))
		return 417;
	if (h->has_body)
		http_send_continue(h);
	return 0;
}

static int read_connection(struct http *h)
{
	struct http_request *req = &h->request;
	struct span connection;
	struct span upgrade;

	find_field(h, SPAN("Connection"), LIST, &connection);
	find_field(h, SPAN("Upgrade"), LIST, &upgrade);
	req->keep_alive = h->is_http_1_0 ? text_list_has(connection, SPAN("keep-alive"))
					 : !text_list_has(connection, SPAN("close"));
	if (text_list_has(connection, SPAN("close")))
		req->keep_alive = false;
	h->has_upgrade_field = text_list_has(upgrade, SPAN("websocket"));
	req->is_upgrade = h->has_upgrade_field && text_list_has(connection, SPAN("upgrade"));
	return 0;
}

static int read_fields(struct http *h)
{
	struct http_request *req = &h->request;
	const struct {
		struct span name;
		enum repeat repeat;
		struct span *value;
	} wanted[] = {
		{SPAN("Host"), ONCE, &req->host},
		{SPAN("Origin"), ONCE, &req->origin},
		{SPAN("Authorization"), ONCE, &req->authorization},
		{SPAN("Content-Type"), ONCE, &req->content_type},
		{SPAN("User-Agent"), LIST, &req->user_agent},
		{SPAN("If-None-Match"), LIST, &req->if_none_match},
		{SPAN("Accept-Encoding"), LIST, &req->accept_encoding},
		{SPAN("X-Forwarded-For"), LIST, &req->x_forwarded_for},
		{SPAN("X-Forwarded-Proto"), LIST, &req->x_forwarded_proto},
		{SPAN("Forwarded"), LIST, &req->forwarded},
		{SPAN("Cookie"), COOKIE, &req->cookie},
		{SPAN("Sec-WebSocket-Key"), ONCE, &req->ws_key},
		{SPAN("Sec-WebSocket-Version"), ONCE, &req->ws_version},
		{SPAN("Sec-WebSocket-Protocol"), LIST, &req->ws_protocol},
		{SPAN("Sec-WebSocket-Extensions"), LIST, &req->ws_extensions},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!find_field(h, wanted[i].name, wanted[i].repeat, wanted[i].value))
			return 400;
	}
	/* RFC 9112, 3.2: exactly one Host, and a lawful one; 1.0 knew none. */
	if (req->host.p == NULL)
		return h->is_http_1_0 ? 0 : 400;
	return is_host(req->host) ? 0 : 400;
}

int http_read_request(struct http *h)
{
	struct http_request *req = &h->request;
	const char *target = memchr(h->head.p, ' ', h->head.len);
	int status;

	/* A joined list is shorter than the lines that it came in, so that it never moves. */
	buf_reserve(&h->joined, h->head.len);
	assert(target != NULL);
	target++;
	const char *end = memchr(target, ' ', h->head.len - (size_t)(target - h->head.p));
	assert(end != NULL);

	req->is_tls = h->is_tls;
	req->method = llhttp_method_name((llhttp_method_t)h->parser.method);
	if (h->parser.method == HTTP_CONNECT)
		return 501;
	status = read_fields(h);
	if (status == 0)
		status = read_connection(h);
	if (status == 0)
		status = http_read_target(
			h, (struct span){.p = target, .len = (size_t)(end - target)});
	if (status == 0 && req->host.p != NULL && !is_host(req->host))
		status = 400;
	if (status == 0)
		status = judge_body(h);
	if (status == 0)
		status = judge_expect(h);
	return status;
}
