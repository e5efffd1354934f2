/*
 * The negotiation of permessage-deflate (RFC 7692, 5.1 and 7.1).
 *
 * Both directions always go without context takeover: our frames are shared by connections that
 * began at different times, and a connection then keeps no window of 32 kB for its peer's.
 * An offer that demands a smaller window of us (server_max_window_bits below 15) is accepted too:
 * one compressed frame serves all, so such a peer is sent plain messages, as any message may be
 * (6.1), and may compress its own.
 */
#include "http/http_internal.h"
#include "http/text.h"

/** Reads a list by its grammar: what is left, from where it stands on. */
struct cursor {
	const char *p, *end;
};

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

static bool take_char(struct cursor *c, char wanted)
{
	skip_blanks(c);
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static bool take_token(struct cursor *c)
{
	skip_blanks(c);
	const char *start = c->p;
	while (c->p < c->end && text_is_token_char((unsigned char)*c->p))
		c->p++;
	return c->p > start;
}

/** A quoted string that holds a token once its quotes and backslashes are gone (RFC 6455, 9.1). */
static bool take_quoted(struct cursor *c)
{
	const char *start = c->p;

	for (; c->p < c->end && *c->p != '"'; c->p++) {
		if (*c->p == '\\' && ++c->p == c->end)
			return false;
		if (!text_is_token_char((unsigned char)*c->p))
			return false;
	}
	return c->p > start && take_char(c, '"');
}

/** token *( ";" token [ "=" ( token / quoted-string ) ] ) */
static bool take_extension(struct cursor *c)
{
	if (!take_token(c))
		return false;
	while (take_char(c, ';')) {
		if (!take_token(c))
			return false;
		if (take_char(c, '=') && !(take_char(c, '"') ? take_quoted(c) : take_token(c)))
			return false;
	}
	return true;
}

bool http_are_extensions(struct span list)
{
	struct cursor c = {.p = list.p, .end = list.p + list.len};
	unsigned n = 0;

	/* Elements of a list may be empty, but not all (RFC 9110, 5.6.1). */
	do {
		skip_blanks(&c);
		if (c.p == c.end || *c.p == ',')
			continue;
		if (!take_extension(&c))
			return false;
		n++;
	} while (take_char(&c, ','));
	return c.p == c.end && n > 0;
}

#define MIN_WINDOW_BITS 8

struct offer {
	bool server_no_context_takeover;
	bool client_no_context_takeover;
	bool has_server_bits;
	bool has_client_bits;
	unsigned server_bits;
};

/** 8 to 15 in decimal without a leading zero, possibly quoted (RFC 7692, 7.1.2); 0 otherwise. */
static unsigned read_bits(struct span value)
{
	unsigned bits = 0;

	if (value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"')
		value = (struct span){.p = value.p + 1, .len = value.len - 2};
	if (value.len == 0 || value.len > 2 || value.p[0] == '0')
		return 0;
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return 0;
		bits = bits * 10 + (unsigned)(value.p[i] - '0');
	}
	return bits >= MIN_WINDOW_BITS && bits <= WS_MAX_WINDOW_BITS ? bits : 0;
}

/** Set a flag that may be set once. */
static bool set_once(bool *flag)
{
	bool is_first = !*flag;

	*flag = true;
	return is_first;
}

static bool read_param(struct span param, struct offer *offer)
{
	const char *equals = param.len > 0 ? memchr(param.p, '=', param.len) : NULL;
	struct span name = param;
	struct span value = {0};

	if (equals != NULL) {
		name = text_trim((struct span){.p = param.p, .len = (size_t)(equals - param.p)});
		value = text_trim((struct span){
			.p = equals + 1,
			.len = param.len - (size_t)(equals - param.p) - 1,
		});
	}
	if (text_equal_nocase(name, SPAN("server_no_context_takeover")))
		return value.p == NULL && set_once(&offer->server_no_context_takeover);
	if (text_equal_nocase(name, SPAN("client_no_context_takeover")))
		return value.p == NULL && set_once(&offer->client_no_context_takeover);
	if (text_equal_nocase(name, SPAN("server_max_window_bits"))) {
		offer->server_bits = read_bits(value);
		return offer->server_bits != 0 && set_once(&offer->has_server_bits);
	}
	/* Without a value it only says that the client could use a smaller one (7.1.2.2). */
	if (text_equal_nocase(name, SPAN("client_max_window_bits")))
		return (value.p == NULL || read_bits(value) != 0) &&
		       set_once(&offer->has_client_bits);
	return false;
}

static bool can_accept(struct span element, struct offer *offer)
{
	struct span name;
	struct span param;

	*offer = (struct offer){.server_bits = WS_MAX_WINDOW_BITS};
	if (!text_next(&element, ';', &name) ||
	    !text_equal_nocase(name, SPAN("permessage-deflate")))
		return false;
	while (text_next(&element, ';', &param)) {
		if (!read_param(param, offer))
			return false;
	}
	return true;
}

/** The first offer that leaves us the full window, or else the first that is lawful. */
static bool choose(struct span offers, struct offer *chosen)
{
	bool has_any = false;
	struct span element;
	struct offer offer;

	while (text_next(&offers, ',', &element)) {
		if (!can_accept(element, &offer))
			continue;
		if (!has_any || offer.server_bits == WS_MAX_WINDOW_BITS)
			*chosen = offer;
		has_any = true;
		if (offer.server_bits == WS_MAX_WINDOW_BITS)
			break;
	}
	return has_any;
}

bool http_negotiate_deflate(struct span offers, struct ws_params *params, struct buf *out)
{
	struct offer offer;

	if (!choose(offers, &offer))
		return false;
	params->deflate = true;
	params->server_window_bits = (int)offer.server_bits;
	buf_append_str(
		out, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
	/* An accepted parameter of the server's is said back (7.1.2.1). */
	if (offer.has_server_bits)
		buf_printf(out, "; server_max_window_bits=%u", offer.server_bits);
	return true;
}
