#pragma once
/* Layer: http. */
#include "hubbub/addr.h"
#include "hubbub/buf.h"
#include "hubbub/chunk.h"
#include "hubbub/span.h"
#include <stdbool.h>
#include <stdint.h>

/**
 * One HTTP/1.1 connection's parser (llhttp) with our own bounds around it.
 *
 * Bytes go in by http_receive(); requests come out one at a time through the handler; responses
 * go out as chunks through handler->send().  It knows no socket.  One thread.
 */
struct http;

struct http_request {
	const char *method; /* "GET", "HEAD", ... */
	/* Percent-decoded once, without query; valid UTF-8 without controls, a NUL behind it. */
	struct span path;
	struct span query;                                        /* raw, without '?' */
	struct span host, origin, if_none_match, accept_encoding; /* p NULL where absent */
	struct span cookie, authorization, content_type, user_agent;
	struct span x_forwarded_for, x_forwarded_proto, forwarded; /* lists joined by ", " */
	struct span target; /* raw, with the query, without scheme and authority; "/" for none */
	struct span body;
	bool keep_alive;
	bool is_tls; /* nobody on the way from the browser can have read or changed it */
	/* The handshake of RFC 6455, 4.2.1; is_upgrade when `Upgrade: websocket` was asked for. */
	bool is_upgrade;
	struct span ws_key, ws_version, ws_protocol, ws_extensions; /* lists joined by ", " */
};

struct http_handler {
	/**
	 * A whole request came.  The handler answers with http_respond() or http_serve_asset()
	 * before it returns, takes the connection over as a WebSocket with http_upgrade()
	 * (below), or says http_defer() and answers later.
	 */
	void (*on_request)(struct http *h, const struct http_request *req, void *owner);
	/** Send @c (takes the reference over). */
	void (*send)(void *owner, struct chunk *c);
	/** Close after what was sent (Connection: close, or an error answer). */
	void (*close)(void *owner);
};

struct http_limits {
	size_t max_target; /* bytes of the request target, 414 */
	size_t max_header; /* bytes of all header fields, 431 */
	size_t max_body;   /* bytes, 413 */
};
extern const struct http_limits http_default_limits; /* 8 KiB, 16 KiB, 64 KiB */

/** @limits: copied; NULL for the default ones.  Never freed inside the handler's callbacks. */
struct http *http_new(const struct http_limits *limits, const struct http_handler *handler,
		      void *owner);
void http_free(struct http *h);
/**
 * Feed bytes.  Violations are answered here (400, 408, 413, 414, 431, 501, 505) and the connection
 * is closed after it.  Returns how many bytes were taken: all, or fewer when a request was
 * upgraded inside (the rest are WebSocket frames that came with the handshake) or deferred.
 */
size_t http_receive(struct http *h, const uint8_t *bytes, size_t len);
/**
 * Inside on_request(): the answer comes later, by http_respond().  @req stays valid until then, and
 * http_receive() takes nothing more; what it left belongs to http_keep().  An answer that is given
 * inside all the same is one given at once.
 */
void http_defer(struct http *h);
/** Outside on_request(): whether an answer is owed. */
bool http_is_deferred(const struct http *h);
/** The request whose answer is owed. */
const struct http_request *http_deferred_request(const struct http *h);
/** Keep bytes that came behind the request whose answer comes later. */
void http_keep(struct http *h, const uint8_t *bytes, size_t len);
/** What was kept, in order, for http_receive() once the answer was given.  The caller's. */
struct buf http_take_kept(struct http *h);
/**
 * The connection is encrypted: every request says so, and every answer asks browsers to come by
 * https alone for @hsts_max_age_s (RFC 6797), but for those to `localhost`, which many programs
 * share, and to requests without a host.
 */
void http_set_tls(struct http *h, unsigned hsts_max_age_s);
/** The request under way came by https to a proxy that is trusted: its is_tls is true now. */
void http_set_forwarded_tls(struct http *h);
/** Whether part of a request is there or its end is awaited (the 408 timer applies). */
bool http_is_mid_request(const struct http *h);
/** The time to send a request is over: answers 408 and closes. */
void http_timed_out(struct http *h);

/** Answer the request under way: security headers, Date-less, Content-Length; HEAD sends no body.
 */
void http_respond(struct http *h, int status, const char *content_type, struct span body,
		  const char *extra_headers /* "Name: value\r\n"..., or NULL */);
/** Answer 503 to the request under way and close: too many answers before it were not read. */
void http_refuse_more(struct http *h);
/** Answer 405 to the request under way; @allowed is for Allow: "GET, HEAD". */
void http_refuse_method(struct http *h, const char *allowed);
/** GET/HEAD of an embedded file: ETag, 304, br/gzip by Accept-Encoding, Vary, cache rules. */
void http_serve_asset(struct http *h, const struct http_request *req, const char *asset_path);
/** Whether the embedded client has such a file. */
bool http_has_asset(struct span path);

/**
 * Whom a proxy that is trusted speaks for in @req: the entry of X-Forwarded-For or Forwarded
 * (RFC 7239) that is none of @trusted and farthest to the right; where all are, the first.  False
 * where there is none, where it is no address, and where the two headers name different ones.
 */
bool http_find_client(const struct http_request *req, const struct addr_range *trusted,
		      size_t n_trusted, struct addr *client);

/**
 * Whether the proxy that sent @req says that it came there by https, by X-Forwarded-Proto or
 * Forwarded (RFC 7239, 5.4).  False where the two differ.
 */
bool http_is_forwarded_https(const struct http_request *req);

/** Answer 429 to the request under way, with Retry-After; @close the connection after it. */
void http_refuse_rate(struct http *h, unsigned retry_ms, bool close);

/** Append a whole answer to a connection that is refused before any request was read. */
void http_write_refusal(struct buf *out, int status, unsigned retry_ms, struct span why);

#define WS_MAX_WINDOW_BITS 15

/** What was agreed in the handshake. */
struct ws_params {
	bool deflate;           /* permessage-deflate (RFC 7692) agreed */
	int client_window_bits; /* for inflating: always 15, no smaller one is asked for */
	int server_window_bits; /* of what we compress: 15, or fewer where the peer demands that */
	bool has_subprotocol;   /* hubbub.v1 was offered and is echoed */
};
/**
 * Check the handshake and answer 101 (filling @out), or an error (400, 403 on a foreign Origin,
 * 405, 426 with Sec-WebSocket-Version).  Returns whether it is a WebSocket now; http_receive() then
 * returns as soon as the handler does, and the caller frees the http state.
 * @origins: the allowed ones beside the server's own (host of the Origin equals Host).
 */
bool http_upgrade(struct http *h, const struct http_request *req, char *const *origins,
		  size_t n_origins, struct ws_params *out);
/** Append @raw without its percent-encoding.  False: it is malformed, not UTF-8, or holds controls.
 * A `+` stays one. */
bool http_decode_component(struct span raw, struct buf *out);
/** The same check of a present Origin for ordinary requests; true where absent or allowed. */
bool http_origin_allowed(const struct http_request *req, char *const *origins, size_t n_origins);
