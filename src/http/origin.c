/*
 * The Origin check: a browser says from which page a request came, and only our own pages and
 * those of the operator's list may speak for a user (RFC 6454, 7; RFC 6455, 10.2).
 */
#include "http/http_internal.h"
#include "http/text.h"

struct origin {
	struct span scheme; /* p NULL where there is none */
	struct span host;   /* with its port */
};

static struct origin split(struct span s)
{
	static const char mark[] = "://";
	const char *at = s.len > 0 ? memmem(s.p, s.len, mark, sizeof(mark) - 1) : NULL;

	while (s.len > 0 && s.p[s.len - 1] == '/')
		s.len--; /* an operator may well write https://chat.example/ */
	if (at == NULL)
		return (struct origin){.host = s};
	size_t n = (size_t)(at - s.p);
	if (s.len < n + sizeof(mark) - 1)
		return (struct origin){.host = {.p = s.p, .len = 0}};
	return (struct origin){
		.scheme = {.p = s.p, .len = n},
		.host = {.p = at + sizeof(mark) - 1, .len = s.len - n - (sizeof(mark) - 1)},
	};
}

static bool ends_with(struct span s, struct span tail)
{
	return s.len > tail.len && memcmp(s.p + s.len - tail.len, tail.p, tail.len) == 0;
}

/** A port that the scheme implies says nothing: browsers leave it out, Host may hold it. */
static struct span without_default_port(struct span host, struct span scheme)
{
	struct span port = text_equal_nocase(scheme, SPAN("https")) ? SPAN(":443") : SPAN(":80");

	if (ends_with(host, port))
		host.len -= port.len;
	return host;
}

static bool same_host(struct origin origin, struct span host)
{
	return text_equal_nocase(without_default_port(origin.host, origin.scheme),
				 without_default_port(host, origin.scheme));
}

bool http_origin_allowed(const struct http_request *req, char *const *origins, size_t n_origins)
{
	if (req->origin.p == NULL)
		return true;
	struct origin origin = split(req->origin);
	bool is_web = origin.scheme.p != NULL && (text_equal_nocase(origin.scheme, SPAN("http")) ||
						  text_equal_nocase(origin.scheme, SPAN("https")));

	/* "null" (a sandboxed frame, a file) has no scheme and is nobody's own. */
	if (origin.scheme.p == NULL || origin.host.len == 0)
		return false;
	/*
	 * A page that came unencrypted may be anybody's.  Where this request did too, a proxy that
	 * is not known as one may still have taken the encryption off.
	 */
	bool is_own_scheme = req->is_tls ? text_equal_nocase(origin.scheme, SPAN("https")) : is_web;

	if (is_own_scheme && req->host.len > 0 && same_host(origin, req->host))
		return true;
	for (size_t i = 0; i < n_origins; i++) {
		struct origin allowed = split(span_of(origins[i]));
		/* An entry without a scheme allows the host under either. */
		if (allowed.scheme.p == NULL ? !is_web
					     : !text_equal_nocase(allowed.scheme, origin.scheme))
			continue;
		if (allowed.host.len > 0 && same_host(origin, allowed.host))
			return true;
	}
	return false;
}
