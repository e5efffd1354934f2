/*
 * One HTTP connection: bytes in, requests out one at a time.
 *
 * The head is gathered by the line guard (head.c) and given to llhttp in one piece, so that its
 * spans are runs of one buffer; the body goes through llhttp as it comes.  llhttp begins afresh
 * for each request: nothing of one can leak into the next.
 */
#include "http/http_internal.h"
#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>

/** Chunks of one byte take six on the wire; whoever needs more than this is playing. */
#define BODY_FRAMING 8
/** Bytes of each buffer that are kept between two requests. */
#define MAX_KEPT_BUFFER 4096

const struct http_limits http_default_limits = {
	.max_target = 8 * 1024,
	.max_header = 16 * 1024,
	.max_body = 64 * 1024,
};

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
	struct http *h = parser->data;

	if (h->is_field_open && h->fields[h->n_fields - 1].value.p == NULL) {
		h->fields[h->n_fields - 1].name.len += len;
		return 0;
	}
	if (h->n_fields == HTTP_MAX_FIELDS) {
		h->has_too_many = true;
		return -1;
	}
	h->fields[h->n_fields++] = (struct http_field){.name = {.p = at, .len = len}};
	h->is_field_open = true;
	return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	struct http *h = parser->data;

	if (!h->is_field_open)
		return 0;
	struct span *value = &h->fields[h->n_fields - 1].value;
	if (value->p == NULL)
		value->p = at;
	value->len = (size_t)(at - value->p) + len;
	return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
	struct http *h = parser->data;

	if (!h->is_field_open)
		return 0;
	struct span *value = &h->fields[h->n_fields - 1].value;
	if (value->p == NULL)
		value->p = "";
	while (value->len > 0 &&
	       (value->p[value->len - 1] == ' ' || value->p[value->len - 1] == '\t'))
		value->len--;
	h->is_field_open = false;
	return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct http *h = parser->data;

	if (len > h->limits.max_body - h->body.len) {
		h->is_too_long = true;
		return -1;
	}
	buf_append(&h->body, at, len);
	return 0;
}

/** A chunk's size is known (llhttp leaves it in content_length). */
static int on_chunk_header(llhttp_t *parser)
{
	struct http *h = parser->data;

	h->is_last_chunk = parser->content_length == 0;
	if (h->is_last_chunk)
		return HPE_PAUSED; /* what follows is not for llhttp */
	h->is_too_long = parser->content_length > h->limits.max_body - h->body.len;
	return h->is_too_long ? -1 : 0;
}

static int on_message_complete(llhttp_t *parser)
{
	struct http *h = parser->data;

	h->is_complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_value_complete,
	.on_body = on_body,
	.on_chunk_header = on_chunk_header,
	.on_message_complete = on_message_complete,
};

/** Empty @b; an idle connection does not hold on to what a large request needed. */
static void empty(struct buf *b)
{
	b->len = 0;
	if (b->cap > MAX_KEPT_BUFFER)
		buf_deinit(b);
}

void http_begin_request(struct http *h)
{
	llhttp_init(&h->parser, HTTP_REQUEST, &settings);
	h->parser.data = h;
	h->state = HTTP_IN_HEAD;
	h->scan = (struct http_head_scan){0};
	h->request = (struct http_request){0};
	empty(&h->head);
	empty(&h->body);
	empty(&h->trailer);
	empty(&h->decoded);
	empty(&h->joined);
	h->n_fields = 0;
	h->n_body_wire = 0;
	h->is_field_open = h->has_too_many = h->is_complete = h->is_http_1_0 = false;
	h->is_last_chunk = h->is_too_long = false;
	h->has_upgrade_field = h->has_body = h->is_answered = false;
}

struct http *http_new(const struct http_limits *limits, const struct http_handler *handler,
		      void *owner)
{
	struct http *h = mem_zalloc(sizeof(*h));

	h->handler = handler;
	h->owner = owner;
	h->limits = limits != NULL ? *limits : http_default_limits;
	http_begin_request(h);
	return h;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	buf_deinit(&h->head);
	buf_deinit(&h->body);
	buf_deinit(&h->trailer);
	buf_deinit(&h->decoded);
	buf_deinit(&h->joined);
	buf_deinit(&h->kept);
	free(h);
}

void http_set_tls(struct http *h, unsigned hsts_max_age_s)
{
	h->is_tls = true;
	h->hsts_max_age_s = hsts_max_age_s;
}

void http_set_forwarded_tls(struct http *h)
{
	h->request.is_tls = true;
}

bool http_is_mid_request(const struct http *h)
{
	return h->state == HTTP_IN_BODY || h->state == HTTP_IN_TRAILER ||
	       (h->state == HTTP_IN_HEAD && h->head.len > 0);
}

void http_timed_out(struct http *h)
{
	if (h->state != HTTP_UPGRADED && h->state != HTTP_CLOSING && h->state != HTTP_DEFERRED)
		http_refuse(h, 408);
}

/** The whole request is there: let the handler answer it. */
static void dispatch(struct http *h)
{
	h->request.body = buf_span(&h->body);
	h->is_dispatching = true;
	h->handler->on_request(h, &h->request, h->owner);
	h->is_dispatching = false;
	if (h->state == HTTP_UPGRADED || h->state == HTTP_DEFERRED)
		return;
	assert(h->is_answered); /* the handler's contract */
	if (h->state != HTTP_CLOSING)
		http_begin_request(h);
}

/** The head is whole: let llhttp parse it, then judge it. */
static void take_head(struct http *h)
{
	enum llhttp_errno err = llhttp_execute(&h->parser, h->head.p, h->head.len);
	int status;

	if (h->has_too_many)
		status = 431;
	else if (err == HPE_INVALID_METHOD)
		status = 501;
	else if (err != HPE_OK && err != HPE_PAUSED && err != HPE_PAUSED_UPGRADE)
		status = 400;
	else
		status = http_read_request(h);
	if (status != 0) {
		http_refuse(h, status);
		return;
	}
	if (h->is_complete)
		dispatch(h);
	else
		h->state = HTTP_IN_BODY;
}

static size_t take_body(struct http *h, const char *bytes, size_t len)
{
	enum llhttp_errno err = llhttp_execute(&h->parser, bytes, len);

	if (h->is_complete) {
		size_t n = (size_t)(llhttp_get_error_pos(&h->parser) - bytes);
		assert(n <= len);
		dispatch(h);
		return n;
	}
	if (h->is_last_chunk) {
		h->state = HTTP_IN_TRAILER;
		h->scan = (struct http_head_scan){.is_trailer = true};
		return (size_t)(llhttp_get_error_pos(&h->parser) - bytes);
	}
	h->n_body_wire += len;
	if (h->is_too_long ||
	    h->n_body_wire > h->limits.max_header + BODY_FRAMING * h->limits.max_body)
		http_refuse(h, 413);
	else if (err != HPE_OK)
		http_refuse(h, 400);
	return len;
}

size_t http_receive(struct http *h, const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	size_t at = 0;
	int status;

	while (at < len && h->state != HTTP_UPGRADED && h->state != HTTP_CLOSING &&
	       h->state != HTTP_DEFERRED) {
		if (h->state == HTTP_IN_BODY) {
			at += take_body(h, text + at, len - at);
			continue;
		}
		at += http_scan_head(h, text + at, len - at, &status);
		if (status == 1 && h->state == HTTP_IN_TRAILER)
			dispatch(h);
		else if (status == 1)
			take_head(h);
		else if (status != 0)
			http_refuse(h, status);
	}
	return h->state == HTTP_CLOSING ? len : at;
}

void http_defer(struct http *h)
{
	assert(!h->is_answered && h->state <= HTTP_IN_TRAILER);
	h->state = HTTP_DEFERRED;
}

bool http_is_deferred(const struct http *h)
{
	return h->state == HTTP_DEFERRED && !h->is_dispatching;
}

const struct http_request *http_deferred_request(const struct http *h)
{
	assert(h->state == HTTP_DEFERRED);
	return &h->request;
}

void http_keep(struct http *h, const uint8_t *bytes, size_t len)
{
	assert(h->state == HTTP_DEFERRED);
	buf_append(&h->kept, bytes, len);
}

struct buf http_take_kept(struct http *h)
{
	struct buf kept = h->kept;

	h->kept = (struct buf){0};
	return kept;
}
