/* The embedded web client: files compressed beforehand, sent without a copy. */
#include "http/http_internal.h"
#include "http/text.h"
#include "hubbub/assets.h"

static const struct asset *find_asset(struct span path)
{
	for (size_t i = 0; i < n_assets; i++) {
		if (span_equal(span_of(assets[i].path), path))
			return &assets[i];
	}
	return NULL;
}

bool http_has_asset(struct span path)
{
	return find_asset(path) != NULL;
}

/** Each encoding is a representation of its own and has its own tag (RFC 9110, 8.8.3.3). */
static void append_etag(struct buf *out, const struct asset *a, enum http_encoding encoding)
{
	size_t n = strlen(a->etag);

	if (encoding == HTTP_IDENTITY || n < 2) {
		buf_append_str(out, a->etag);
		return;
	}
	buf_append(out, a->etag, n - 1);
	buf_append_str(out, encoding == HTTP_BROTLI ? "-br\"" : "-gz\"");
}

static struct span strip_weak(struct span tag)
{
	if (tag.len >= 2 && tag.p[0] == 'W' && tag.p[1] == '/')
		return (struct span){.p = tag.p + 2, .len = tag.len - 2};
	return tag;
}

/** If-None-Match by weak comparison (RFC 9110, 13.1.2). */
static bool matches_any(struct span list, struct span etag)
{
	struct span tag;

	while (text_next(&list, ',', &tag)) {
		if (span_equal(tag, SPAN("*")) || span_equal(strip_weak(tag), etag))
			return true;
	}
	return false;
}

static void append_rules(struct buf *out, const struct asset *a, struct span etag)
{
	buf_append_str(out, "ETag: ");
	buf_append_span(out, etag);
	buf_append_str(out, "\r\nVary: Accept-Encoding\r\nCache-Control: ");
	buf_append_str(out, a->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	buf_append_str(out, "\r\n");
}

static void send_asset(struct http *h, const struct asset *a, enum http_encoding encoding,
		       struct span etag, bool with_body)
{
	static const char *const names[] = {
		[HTTP_GZIP] = "gzip",
		[HTTP_BROTLI] = "br",
	};
	const struct asset_body *body = encoding == HTTP_BROTLI ? &a->brotli
					: encoding == HTTP_GZIP ? &a->gzip
								: &a->identity;
	struct buf out = {0};

	http_begin_head(&out, h, 200);
	append_rules(&out, a, etag);
	buf_printf(&out, "Content-Type: %s\r\nContent-Length: %zu\r\n", a->type, body->len);
	if (encoding != HTTP_IDENTITY)
		buf_printf(&out, "Content-Encoding: %s\r\n", names[encoding]);
	http_append_connection(&out, h);
	buf_append_str(&out, "\r\n");
	h->handler->send(h->owner, chunk_new_copy(out.p, out.len));
	buf_deinit(&out);
	if (with_body && body->len > 0)
		h->handler->send(h->owner, chunk_new_static(body->data, body->len));
	http_end_response(h);
}

static void send_not_modified(struct http *h, const struct asset *a, struct span etag)
{
	struct buf rules = {0};

	append_rules(&rules, a, etag);
	buf_append_char(&rules, '\0');
	http_respond(h, 304, NULL, SPAN(""), rules.p);
	buf_deinit(&rules);
}

void http_serve_asset(struct http *h, const struct http_request *req, const char *asset_path)
{
	const struct asset *a = find_asset(span_of(asset_path));
	bool is_head = strcmp(req->method, "HEAD") == 0;

	if (a == NULL) {
		http_respond(h, 404, "text/plain; charset=utf-8", SPAN("Not Found\n"), NULL);
		return;
	}
	if (!is_head && strcmp(req->method, "GET") != 0) {
		http_refuse_method(h, "GET, HEAD");
		return;
	}
	enum http_encoding encoding = http_choose_encoding(
		req->accept_encoding, a->gzip.data != NULL, a->brotli.data != NULL);
	if (encoding == HTTP_NOT_ACCEPTABLE) {
		http_respond(h, 406, "text/plain; charset=utf-8", SPAN("Not Acceptable\n"),
			     "Vary: Accept-Encoding\r\n");
		return;
	}
	struct buf etag = {0};
	append_etag(&etag, a, encoding);
	if (matches_any(req->if_none_match, buf_span(&etag)))
		send_not_modified(h, a, buf_span(&etag));
	else
		send_asset(h, a, encoding, buf_span(&etag), !is_head);
	buf_deinit(&etag);
}
