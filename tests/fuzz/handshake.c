/*
 * Opening handshakes, and what their headers say: the upgrade, the negotiation of compression, the
 * check of the Origin, and whom a proxy speaks for.  Each is compared with what the RFC says, told
 * another way.
 *
 * Input: lines; the first byte of each says what it is, see add_line().  What no line gives is as
 * it should be, so that one thing may be wrong at a time.
 */
#include "fuzz.h"

#include "http/http_internal.h"
#include "http/text.h"
#include "hubbub/buf.h"
#include "hubbub/mem.h"
#include <netinet/in.h>
#include <openssl/evp.h>
#include <regex.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ORIGINS 4
#define MAX_RANGES 4
#define EXTENSIONS "Sec-WebSocket-Extensions: "

struct input {
	struct buf head;
	bool has[128]; /* which kinds of lines there were */
	char *origins[MAX_ORIGINS];
	size_t n_origins;
	struct addr_range trusted[MAX_RANGES];
	size_t n_trusted;
};

struct seen {
	const struct input *in;
	struct http *http;
	struct buf sent;
	bool asked, upgraded, closed;
};

static void add_field(struct input *in, const char *name, struct span value)
{
	buf_printf(&in->head, "%s: ", name);
	buf_append_span(&in->head, value);
	buf_append_str(&in->head, "\r\n");
}

static void add_line(struct input *in, struct span line)
{
	static const struct {
		char kind;
		const char *name;
	} fields[] = {
		{'k', "Sec-WebSocket-Key"},
		{'v', "Sec-WebSocket-Version"},
		{'e', "Sec-WebSocket-Extensions"},
		{'p', "Sec-WebSocket-Protocol"},
		{'o', "Origin"},
		{'h', "Host"},
		{'u', "Upgrade"},
		{'c', "Connection"},
		{'x', "X-Forwarded-For"},
		{'f', "Forwarded"},
	};

	if (line.len == 0)
		return;
	struct span value = {.p = line.p + 1, .len = line.len - 1};
	in->has[line.p[0] & 0x7f] = true;
	if (line.p[0] == 'a' && in->n_origins < MAX_ORIGINS && value.len > 0 &&
	    memchr(value.p, '\0', value.len) == NULL) {
		in->origins[in->n_origins++] = mem_dup(value.p, value.len);
	} else if (line.p[0] == 't' && in->n_trusted < MAX_RANGES) {
		in->n_trusted += addr_range_parse(&in->trusted[in->n_trusted], value);
	} else if (line.p[0] == 'r') {
		buf_append_span(&in->head, value); /* any header line */
		buf_append_str(&in->head, "\r\n");
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (line.p[0] == fields[i].kind)
			add_field(in, fields[i].name, value);
	}
}

/* 'P' asks by POST, '0' in HTTP/1.0; 'K', 'H', 'U', 'C' and 'V' leave a field out. */
static void complete(struct input *in)
{
	struct buf whole = {0};

	buf_printf(&whole, "%s /ws HTTP/1.%c\r\n", in->has['P'] ? "POST" : "GET",
		   in->has['0'] ? '0' : '1');
	buf_append_span(&whole, buf_span(&in->head));
	buf_deinit(&in->head);
	in->head = whole;
	if (!in->has['h'] && !in->has['H'])
		add_field(in, "Host", SPAN("chat.example"));
	if (!in->has['k'] && !in->has['K'])
		add_field(in, "Sec-WebSocket-Key", SPAN("dGhlIHNhbXBsZSBub25jZQ=="));
	if (!in->has['v'] && !in->has['V'])
		add_field(in, "Sec-WebSocket-Version", SPAN("13"));
	if (!in->has['u'] && !in->has['U'])
		add_field(in, "Upgrade", SPAN("websocket"));
	if (!in->has['c'] && !in->has['C'])
		add_field(in, "Connection", SPAN("Upgrade"));
	buf_append_str(&in->head, "\r\n");
}

/* RFC 6455, 4.2.1: what libsodium decodes strictly, to 16 bytes.  It takes some bytes above 127. */
static bool is_good_key(struct span key)
{
	unsigned char raw[64];
	size_t n = 0;

	for (size_t i = 0; i < key.len; i++) {
		if ((unsigned char)key.p[i] >= 0x80)
			return false;
	}
	return key.len == 24 &&
	       sodium_base642bin(raw, sizeof(raw), key.p, key.len, NULL, &n, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       n == 16;
}

static void check_accept(const struct seen *s, struct span key)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char accept[64];
	struct buf b = {0};

	buf_append_span(&b, key);
	buf_append_str(&b, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	MUST(EVP_Digest(b.p, b.len, digest, NULL, EVP_sha1(), NULL) == 1);
	sodium_bin2base64(accept, sizeof(accept), digest, 20, sodium_base64_VARIANT_ORIGINAL);
	b.len = 0;
	buf_printf(&b, "\r\nSec-WebSocket-Accept: %s\r\n", accept);
	MUST(memmem(s->sent.p, s->sent.len, b.p, b.len) != NULL);
	buf_deinit(&b);
}

/* Our answer, taken as an offer, is accepted and answered likewise (RFC 7692, 5.1). */
static void check_extension(const struct seen *s, const struct ws_params *params,
			    struct span offers)
{
	const char *at = memmem(s->sent.p, s->sent.len, EXTENSIONS, sizeof(EXTENSIONS) - 1);
	struct buf again = {0}, more = {0};
	struct ws_params other = {0};

	MUST((at != NULL) == params->deflate);
	if (at != NULL) {
		at += sizeof(EXTENSIONS) - 1;
		const char *end = memmem(at, (size_t)(s->sent.p + s->sent.len - at), "\r\n", 2);
		struct span answer = {.p = at, .len = (size_t)(end - at)};

		MUST(offers.p != NULL);
		MUST(http_negotiate_deflate(answer, &other, &again));
		MUST(span_equal(buf_span(&again), answer));
	}
	/* Behind whatever cannot be accepted a plain offer can be. */
	if (offers.p != NULL && memchr(offers.p, '"', offers.len) == NULL) {
		buf_append_span(&more, offers);
		buf_append_str(&more, ", permessage-deflate");
		again.len = 0;
		MUST(http_negotiate_deflate(buf_span(&more), &other, &again));
	}
	buf_deinit(&again);
	buf_deinit(&more);
}

/* An Origin is compared without regard to case, and a longer list allows no less. */
static void check_origin(const struct http_request *req, const struct input *in)
{
	struct http_request other = *req;
	bool allowed = http_origin_allowed(req, in->origins, in->n_origins);
	struct buf flipped = {0};

	if (http_origin_allowed(req, NULL, 0))
		MUST(allowed);
	if (req->origin.p == NULL) {
		MUST(allowed);
		return;
	}
	for (size_t i = 0; i < req->origin.len; i++) {
		char c = req->origin.p[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		buf_append_char(&flipped, is_letter ? (char)(c ^ 0x20) : c);
	}
	other.origin = buf_span(&flipped);
	MUST(http_origin_allowed(&other, in->origins, in->n_origins) == allowed);
	/* Our own pages: the scheme is a proxy's business. */
	if (req->host.len > 0 && memchr(req->host.p, '/', req->host.len) == NULL) {
		flipped.len = 0;
		buf_append_str(&flipped, "https://");
		buf_append_span(&flipped, req->host);
		other.origin = buf_span(&flipped);
		MUST(http_origin_allowed(&other, NULL, 0));
	}
	buf_deinit(&flipped);
}

/*
 * X-Forwarded-For alone, read from the right: the first that is no proxy of ours, or the last.
 * 1: an address; 0: the deciding entry is none.
 */
static bool find_from_right(struct span list, const struct input *in, struct addr *out)
{
	for (;;) {
		const char *comma = memrchr(list.p, ',', list.len);
		size_t at = comma != NULL ? (size_t)(comma - list.p) + 1 : 0;
		struct span entry = text_trim((struct span){list.p + at, list.len - at});
		struct http_request one = {.x_forwarded_for = entry};

		if (!http_find_client(&one, NULL, 0, out))
			return false;
		if (comma == NULL || !addr_is_in(out, in->trusted, in->n_trusted))
			return true;
		list.len = at - 1;
	}
}

/* As text, and as a socket has it, it is the same address. */
static void check_address(const struct addr *client)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct addr other;
	char text[ADDR_TEXT_SIZE];

	MUST(addr_parse(&other, span_of(addr_format(client, text))));
	MUST(memcmp(client, &other, sizeof(other)) == 0);
	memcpy(&in6.sin6_addr, client->bytes, sizeof(client->bytes));
	MUST(addr_from_socket(&other, (const struct sockaddr *)&in6));
	MUST(memcmp(client, &other, sizeof(other)) == 0);
	if (addr_is_ipv4(client)) {
		memcpy(&in.sin_addr, client->bytes + 12, sizeof(in.sin_addr));
		MUST(addr_from_socket(&other, (const struct sockaddr *)&in));
		MUST(memcmp(client, &other, sizeof(other)) == 0);
	}
}

static void check_client(const struct http_request *req, const struct input *in)
{
	struct http_request one = {.x_forwarded_for = req->x_forwarded_for};
	struct addr client, expected, both;

	if (req->x_forwarded_for.len > 0) {
		bool found = http_find_client(&one, in->trusted, in->n_trusted, &client);

		MUST(found == find_from_right(req->x_forwarded_for, in, &expected));
		if (found)
			MUST(memcmp(&client, &expected, sizeof(client)) == 0);
		if (found)
			check_address(&client);
		/* The other header may silence it, and not change it. */
		if (http_find_client(req, in->trusted, in->n_trusted, &both))
			MUST(found && memcmp(&client, &both, sizeof(client)) == 0);
	}
}

static bool has_word(struct span list, const char *word)
{
	struct span element;

	while (text_next(&list, ',', &element)) {
		if (text_equal_nocase(element, span_of(word)))
			return true;
	}
	return false;
}

/* RFC 6455, 9.1, and the list rule of RFC 9110, 5.6.1, as a regular expression. */
static bool are_extensions(struct span list)
{
#define BLANK "[ \t]*"
#define TOKEN "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#define QUOTED "\"(\\\\?[!#$%&'*+.^_`|~0-9A-Za-z-])+\""
#define PARAM BLANK ";" BLANK TOKEN "(" BLANK "=" BLANK "(" TOKEN "|" QUOTED "))?"
#define EXTENSION TOKEN "(" PARAM ")*"
	static regex_t grammar;
	static bool is_made;
	char *text = mem_dup(list.p, list.len);

	if (!is_made)
		MUST(regcomp(&grammar,
			     "^" BLANK "(" EXTENSION ")?(" BLANK "," BLANK "(" EXTENSION
			     ")?)*" BLANK "$",
			     REG_EXTENDED | REG_NOSUB) == 0);
	is_made = true;
	bool is_list = regexec(&grammar, text, 0, NULL, 0) == 0 &&
		       strspn(text, ", \t") < list.len; /* not all may be empty */
	free(text);
	return is_list;
}

static void on_request(struct http *h, const struct http_request *req, void *owner)
{
	struct seen *s = owner;
	struct ws_params params;
	bool is_get = strcmp(req->method, "GET") == 0;
	bool is_good = is_get && !s->in->has['0'] && req->is_upgrade &&
		       span_equal(req->ws_version, SPAN("13")) && is_good_key(req->ws_key) &&
		       http_origin_allowed(req, s->in->origins, s->in->n_origins) &&
		       (req->ws_extensions.p == NULL || are_extensions(req->ws_extensions));

	MUST(!s->asked || !s->upgraded);
	s->asked = true;
	check_origin(req, s->in);
	check_client(req, s->in);
	s->upgraded = http_upgrade(h, req, s->in->origins, s->in->n_origins, &params);
	MUST(s->sent.len > 0);
	if (s->upgraded)
		MUST(is_good);
	else if (!s->in->has['r'])
		MUST(!is_good);
	if (!s->upgraded) {
		MUST(memmem(s->sent.p, s->sent.len, "HTTP/1.1 101", 12) == NULL);
		return;
	}
	MUST(memcmp(s->sent.p, "HTTP/1.1 101 ", 13) == 0);
	MUST(params.has_subprotocol ==
	     (memmem(s->sent.p, s->sent.len, "hubbub.v1\r\n", 11) != NULL));
	if (params.has_subprotocol)
		MUST(has_word(req->ws_protocol, "hubbub.v1"));
	check_accept(s, req->ws_key);
	check_extension(s, &params, req->ws_extensions);
}

static void on_send(void *owner, struct chunk *c)
{
	struct seen *s = owner;

	buf_append(&s->sent, chunk_bytes(c), chunk_len(c));
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

/* Frames come right behind it; none of their bytes is taken. */
static struct seen run(const struct input *in, size_t piece)
{
	static const char frames[] = "\x81\x80\x01\x02\x03\x04";
	struct seen s = {.in = in};
	struct buf bytes = {0};

	buf_append_span(&bytes, buf_span(&in->head));
	buf_append(&bytes, frames, sizeof(frames) - 1);
	s.http = http_new(NULL, &handler, &s);
	for (size_t at = 0; at < bytes.len && !s.upgraded && !s.closed;) {
		size_t n = bytes.len - at < piece ? bytes.len - at : piece;
		uint8_t *copy = malloc(n);

		MUST(copy != NULL);
		memcpy(copy, bytes.p + at, n);
		at += http_receive(s.http, copy, n);
		free(copy);
		/* A head that the lines have ended earlier leaves the rest behind it. */
		if (s.upgraded && !in->has['r'])
			MUST(at == in->head.len);
	}
	http_free(s.http);
	buf_deinit(&bytes);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {0};
	const char *p = (const char *)data, *end = p + size;

	MUST(sodium_init() >= 0);
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline != NULL ? newline : end;

		add_line(&in, (struct span){.p = p, .len = (size_t)(stop - p)});
		p = newline != NULL ? newline + 1 : end;
	}
	complete(&in);
	struct seen whole = run(&in, SIZE_MAX), bytewise = run(&in, 1);

	MUST(whole.upgraded == bytewise.upgraded && whole.asked == bytewise.asked);
	MUST(span_equal(buf_span(&whole.sent), buf_span(&bytewise.sent)));
	buf_deinit(&whole.sent);
	buf_deinit(&bytewise.sent);
	buf_deinit(&in.head);
	for (size_t i = 0; i < in.n_origins; i++)
		free(in.origins[i]);
	return 0;
}
