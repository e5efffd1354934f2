/* The opening handshake of a WebSocket (RFC 6455, 4.2). */
#include "http/http_internal.h"
#include "http/text.h"
#include <assert.h>
#include <openssl/evp.h>

#define SUBPROTOCOL "hubbub.v1"
#define KEY_LEN 24 /* 16 bytes in base64, two of padding */
#define SHA1_LEN 20
#define ACCEPT_LEN 28

static bool is_base64_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '+' || c == '/';
}

static bool is_key(struct span key)
{
	if (key.len != KEY_LEN || key.p[KEY_LEN - 1] != '=' || key.p[KEY_LEN - 2] != '=')
		return false;
	for (size_t i = 0; i < KEY_LEN - 2; i++) {
		if (!is_base64_char((unsigned char)key.p[i]))
			return false;
	}
	/* The last character holds two bits of the key; the other four are zero. */
	return strchr("AQgw", key.p[KEY_LEN - 3]) != NULL;
}

/** Sec-WebSocket-Accept (RFC 6455, 4.2.2, 5.4). */
static bool make_accept(struct span key, char accept[ACCEPT_LEN + 1])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[KEY_LEN + sizeof(guid) - 1];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n_digest = 0;

	memcpy(text, key.p, KEY_LEN);
	memcpy(text + KEY_LEN, guid, sizeof(guid) - 1);
	if (EVP_Digest(text, sizeof(text), digest, &n_digest, EVP_sha1(), NULL) != 1)
		return false;
	assert(n_digest == SHA1_LEN);
	EVP_EncodeBlock((unsigned char *)accept, digest, SHA1_LEN);
	return true;
}

static void refuse(struct http *h, int status, const char *why, const char *extra)
{
	http_respond(h, status, "text/plain; charset=utf-8", span_of(why), extra);
}

/** Check the request; false when it was answered with an error. */
static bool check(struct http *h, const struct http_request *req)
{
	static const char ask_upgrade[] = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
					  "Sec-WebSocket-Version: 13\r\n";

	if (strcmp(req->method, "GET") != 0)
		http_refuse_method(h, "GET");
	else if (!h->has_upgrade_field)
		refuse(h, 426, "This is a WebSocket.\n", ask_upgrade);
	else if (h->is_http_1_0)
		refuse(h, 400, "A WebSocket needs HTTP/1.1.\n", NULL);
	else if (!req->is_upgrade)
		refuse(h, 400, "Connection does not name Upgrade.\n", NULL);
	else if (!span_equal(req->ws_version, SPAN("13")))
		refuse(h, 426, "Only version 13 is spoken here.\n", ask_upgrade);
	else if (!is_key(req->ws_key))
		refuse(h, 400, "Sec-WebSocket-Key is not 16 bytes in base64.\n", NULL);
	else if (req->ws_extensions.p != NULL && !http_are_extensions(req->ws_extensions))
		refuse(h, 400, "Sec-WebSocket-Extensions is no list of extensions.\n", NULL);
	else if (h->has_body)
		refuse(h, 400, "A handshake has no body.\n", NULL);
	else
		return true;
	return false;
}

bool http_upgrade(struct http *h, const struct http_request *req, char *const *origins,
		  size_t n_origins, struct ws_params *out)
{
	char accept[ACCEPT_LEN + 1];
	struct buf head = {0};
	struct buf extension = {0};

	*out = (struct ws_params){.client_window_bits = WS_MAX_WINDOW_BITS,
				  .server_window_bits = WS_MAX_WINDOW_BITS};
	if (!check(h, req))
		return false;
	if (!http_origin_allowed(req, origins, n_origins)) {
		refuse(h, 403, "This Origin is not allowed here.\n", NULL);
		return false;
	}
	if (!make_accept(req->ws_key, accept)) {
		refuse(h, 500, "No SHA-1 here.\n", NULL);
		return false;
	}
	out->has_subprotocol = false;
	/* Subprotocols are compared with their case (RFC 6455, 4.1). */
	struct span rest = req->ws_protocol;
	struct span protocol;
	while (text_next(&rest, ',', &protocol))
		out->has_subprotocol |= span_equal(protocol, SPAN(SUBPROTOCOL));

	http_begin_head(&head, h, 101);
	buf_printf(&head,
		   "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
		   accept);
	if (out->has_subprotocol)
		buf_append_str(&head, "Sec-WebSocket-Protocol: " SUBPROTOCOL "\r\n");
	if (http_negotiate_deflate(req->ws_extensions, out, &extension)) {
		buf_append_str(&head, "Sec-WebSocket-Extensions: ");
		buf_append_span(&head, buf_span(&extension));
		buf_append_str(&head, "\r\n");
	}
	buf_append_str(&head, "\r\n");
	h->state = HTTP_UPGRADED;
	h->is_answered = true;
	h->handler->send(h->owner, chunk_new_copy(head.p, head.len));
	buf_deinit(&extension);
	buf_deinit(&head);
	return true;
}
