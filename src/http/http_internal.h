#pragma once
/* What the files of http/ share: the connection's state and what each file does with it. */
#include "hubbub/buf.h"
#include "hubbub/http.h"
#include "hubbub/span.h"
#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_MAX_FIELDS 100

enum http_state {
	HTTP_IN_HEAD,    /* between requests, or in a request line or header */
	HTTP_IN_BODY,    /* the head was accepted, the body comes */
	HTTP_IN_TRAILER, /* the last chunk has come */
	HTTP_DEFERRED,   /* the request is whole, its answer comes later */
	HTTP_UPGRADED,   /* a WebSocket now */
	HTTP_CLOSING,    /* the last answer was sent: input is ignored */
};

/** One header field; name and value are runs of http.head, the value trimmed by llhttp. */
struct http_field {
	struct span name;
	struct span value;
};

/** Where the line guard stands (head.c). */
struct http_head_scan {
	size_t line_start;       /* of the line under way, in http.head or http.trailer */
	size_t request_line_len; /* without CRLF; 0 until it is whole */
	unsigned n_empty;        /* empty lines before the request line */
	bool saw_cr;
	bool is_trailer;
};

struct http {
	const struct http_handler *handler;
	void *owner;
	struct http_limits limits;
	enum http_state state;
	llhttp_t parser;

	/* The request under way: */
	struct buf head; /* request line and header, raw; llhttp's spans point into it */
	struct http_head_scan scan;
	struct http_field fields[HTTP_MAX_FIELDS];
	size_t n_fields;
	bool is_field_open; /* the last field's name or value may go on */
	bool has_too_many;  /* fields */
	bool is_complete;   /* llhttp has seen the request's end */
	bool is_last_chunk; /* it has seen the last chunk's size */
	bool is_too_long;   /* the body is, or says that it will be */
	bool is_http_1_0;
	bool has_upgrade_field; /* Upgrade holds websocket; is_upgrade wants Connection as well */
	bool has_body;          /* Content-Length above 0, or chunked */
	bool is_answered;
	bool is_dispatching; /* inside the handler's on_request() */
	bool is_tls;         /* of the connection */
	unsigned hsts_max_age_s;
	size_t n_body_wire; /* bytes of the body with its chunks' framing */
	struct buf body;
	struct buf trailer;
	struct buf decoded; /* the path */
	struct buf joined;  /* repeated fields, joined; reserved so that it never moves */
	struct buf kept;    /* bytes behind a request whose answer comes later */
	struct http_request request;
};

/* head.c: lines, bounds and the request line, before llhttp sees a byte. */

/**
 * Take bytes of the head into h->head, or of a trailer into h->trailer, up to its end.  Returns how
 * many were taken;
 * *@status is 0 (more is wanted), 1 (it is whole) or the status to answer with.
 */
size_t http_scan_head(struct http *h, const char *bytes, size_t len, int *status);

/* request.c: the head's fields made into an http_request.  0 or the status to answer with. */
int http_read_request(struct http *h);

/* http.c: make ready for the next request. */
void http_begin_request(struct http *h);

/* target.c: the request target split, checked and decoded.  0 or the status to answer with. */
int http_read_target(struct http *h, struct span target);

/* response.c */
/** Answer an error of the parser's and close the connection. */
void http_refuse(struct http *h, int status);
/** Send the interim answer to `Expect: 100-continue`. */
void http_send_continue(struct http *h);
/** Called after the answer's last byte was handed over. */
void http_end_response(struct http *h);
/** Write the status line and what every response has. */
void http_begin_head(struct buf *out, const struct http *h, int status); /* @h: may be NULL */
/** Append `Connection:` where it says other than the version's default. */
void http_append_connection(struct buf *out, const struct http *h);

/* encoding.c */
enum http_encoding {
	HTTP_IDENTITY,
	HTTP_GZIP,
	HTTP_BROTLI,
	HTTP_NOT_ACCEPTABLE,
};
/** The best of what is there and what Accept-Encoding allows (RFC 9110, 12.5.3). */
enum http_encoding http_choose_encoding(struct span accept, bool has_gzip, bool has_brotli);

/* extensions.c: permessage-deflate's negotiation (RFC 7692, 5 and 7.1). */
/** Whether @list is a list of extensions as RFC 6455, 9.1 writes it. */
bool http_are_extensions(struct span list);
/** Whether an offer of @offers can be accepted; appends the answer's value to @out. */
bool http_negotiate_deflate(struct span offers, struct ws_params *params, struct buf *out);
