/*
 * Whom a proxy speaks for: X-Forwarded-For, and Forwarded (RFC 7239).
 *
 * Each proxy adds at the right end the address that it saw, so what stands left of the first
 * address that is no trusted proxy of ours was written by just anybody.  A header whose decisive
 * entry is no address, or two headers that differ (a proxy keeps one of them, and may pass the
 * other on as the client sent it), say nothing.
 */
#include "http/text.h"
#include "hubbub/http.h"

#include <string.h>

/* `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`. */
static bool parse_node(struct span text, struct addr *out)
{
	if (text.len == 0)
		return false;
	if (text.p[0] == '[') {
		const char *end = memchr(text.p, ']', text.len);

		if (end == NULL || (end + 1 < text.p + text.len && end[1] != ':'))
			return false;
		return addr_parse(out, (struct span){text.p + 1, (size_t)(end - text.p) - 1});
	}
	const char *colon = memchr(text.p, ':', text.len);

	if (colon != NULL && memrchr(text.p, ':', text.len) == colon)
		text.len = (size_t)(colon - text.p);
	return addr_parse(out, text);
}

static struct span unquote(struct span s)
{
	if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
		return (struct span){s.p + 1, s.len - 2};
	return s;
}

/* One parameter of an element of Forwarded: `for=192.0.2.1;proto=https`. */
static struct span find_parameter(struct span element, struct span wanted)
{
	struct span pair;

	while (text_next(&element, ';', &pair)) {
		const char *equals = pair.len > 0 ? memchr(pair.p, '=', pair.len) : NULL;

		if (equals == NULL)
			continue;
		struct span name = {pair.p, (size_t)(equals - pair.p)};

		if (text_equal_nocase(name, wanted))
			return unquote((struct span){equals + 1, pair.len - name.len - 1});
	}
	return (struct span){0};
}

/* What a list says so far: the entry that is not trusted and farthest to the right. */
struct found {
	bool is_any, is_addr, is_trusted;
	struct addr addr;
};

static void look_at(struct found *f, struct span node, const struct addr_range *trusted,
		    size_t n_trusted)
{
	struct addr addr;
	bool is_addr = parse_node(node, &addr);
	bool is_trusted = is_addr && addr_is_in(&addr, trusted, n_trusted);

	/* Where all are proxies of ours, the one that stands first is the one that asked. */
	if (is_trusted && f->is_any)
		return;
	*f = (struct found){.is_any = true, .is_addr = is_addr, .is_trusted = is_trusted};
	if (is_addr)
		f->addr = addr;
}

static struct found find_in_x_forwarded_for(struct span list, const struct addr_range *trusted,
					    size_t n_trusted)
{
	struct found f = {0};

	while (list.p != NULL) {
		const char *comma = list.len > 0 ? memchr(list.p, ',', list.len) : NULL;
		size_t len = comma != NULL ? (size_t)(comma - list.p) : list.len;

		look_at(&f, text_trim((struct span){list.p, len}), trusted, n_trusted);
		list = comma != NULL ? (struct span){comma + 1, list.len - len - 1}
				     : (struct span){0};
	}
	return f;
}

static struct found find_in_forwarded(struct span list, const struct addr_range *trusted,
				      size_t n_trusted)
{
	struct found f = {0};
	struct span element;

	while (text_next(&list, ',', &element))
		look_at(&f, find_parameter(element, SPAN("for")), trusted, n_trusted);
	return f;
}

bool http_find_client(const struct http_request *req, const struct addr_range *trusted,
		      size_t n_trusted, struct addr *client)
{
	struct found a = find_in_x_forwarded_for(req->x_forwarded_for, trusted, n_trusted);
	struct found b = find_in_forwarded(req->forwarded, trusted, n_trusted);

	if (!a.is_any && !b.is_any)
		return false;
	if ((a.is_any && !a.is_addr) || (b.is_any && !b.is_addr))
		return false;
	if (a.is_any && b.is_any && memcmp(&a.addr, &b.addr, sizeof(a.addr)) != 0)
		return false;
	*client = a.is_any ? a.addr : b.addr;
	return true;
}

/* The proxy that sent the request wrote the last element. */
static struct span last_of(struct span list)
{
	struct span last = {0}, element;

	while (text_next(&list, ',', &element))
		last = element;
	return last;
}

bool http_is_forwarded_https(const struct http_request *req)
{
	struct span https = SPAN("https");
	struct span a = last_of(req->x_forwarded_proto);
	struct span b = find_parameter(last_of(req->forwarded), SPAN("proto"));

	if (a.p == NULL && b.p == NULL)
		return false;
	return (a.p == NULL || text_equal_nocase(a, https)) &&
	       (b.p == NULL || text_equal_nocase(b, https));
}
