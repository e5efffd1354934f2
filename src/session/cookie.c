/*
 * Cookies (RFC 6265): no script sees them, and no other site's form sends them.  Over https a
 * cookie's name says that it was set by this very host and goes over https alone (RFC 6265bis,
 * 4.1.3).
 */
#include "session/api.h"

#include <stdio.h>

#define SECURE_PREFIX "__Host-"
#define NAME_SIZE 48

static struct span trim(struct span s)
{
	while (s.len > 0 && s.p[0] == ' ') {
		s.p++;
		s.len--;
	}
	return s;
}

struct span cookie_find(struct span cookie, const char *name, bool is_tls)
{
	char prefix[NAME_SIZE];
	size_t n = (size_t)snprintf(prefix, sizeof(prefix), "%s%s=", is_tls ? SECURE_PREFIX : "",
				    name);

	while (cookie.len > 0) {
		const char *end = memchr(cookie.p, ';', cookie.len);
		size_t len = end != NULL ? (size_t)(end - cookie.p) : cookie.len;
		struct span pair = trim((struct span){.p = cookie.p, .len = len});

		if (pair.len > n && memcmp(pair.p, prefix, n) == 0)
			return (struct span){.p = pair.p + n, .len = pair.len - n};
		len += end != NULL;
		cookie.p += len;
		cookie.len -= len;
	}
	return (struct span){0};
}

void cookie_append(struct buf *out, const char *name, struct span value, unsigned max_age_s,
		   bool is_tls)
{
	buf_printf(out, "Set-Cookie: %s%s=", is_tls ? SECURE_PREFIX : "", name);
	buf_append_span(out, value);
	buf_printf(out, "; Path=/; Max-Age=%u; HttpOnly; SameSite=Lax%s\r\n",
		   value.len > 0 ? max_age_s : 0, is_tls ? "; Secure" : "");
}
