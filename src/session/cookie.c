/*
 * The session's cookie (RFC 6265): no script sees it, and no other site's form sends it.  Over
 * https its name says that it was set by this very host and goes over https alone (RFC
 * 6265bis, 4.1.3).
 */
#include "session/api.h"

#define NAME "hubbub_session"
#define SECURE_PREFIX "__Host-"
#define MAX_AGE_S (180 * 24 * 60 * 60) /* the store ends a session sooner where it is not used */

static struct span trim(struct span s)
{
	while (s.len > 0 && s.p[0] == ' ') {
		s.p++;
		s.len--;
	}
	return s;
}

struct span cookie_find_token(struct span cookie, bool is_tls)
{
	struct span prefix = is_tls ? SPAN(SECURE_PREFIX NAME "=") : SPAN(NAME "=");

	while (cookie.len > 0) {
		const char *end = memchr(cookie.p, ';', cookie.len);
		size_t len = end != NULL ? (size_t)(end - cookie.p) : cookie.len;
		struct span pair = trim((struct span){.p = cookie.p, .len = len});

		if (pair.len > prefix.len && memcmp(pair.p, prefix.p, prefix.len) == 0)
			return (struct span){.p = pair.p + prefix.len,
					     .len = pair.len - prefix.len};
		len += end != NULL;
		cookie.p += len;
		cookie.len -= len;
	}
	return (struct span){0};
}

void cookie_append(struct buf *out, struct span token, bool is_tls)
{
	buf_printf(out, "Set-Cookie: %s" NAME "=", is_tls ? SECURE_PREFIX : "");
	buf_append_span(out, token);
	buf_printf(out, "; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s\r\n",
		   token.len > 0 ? MAX_AGE_S : 0, is_tls ? "; Secure" : "");
}
