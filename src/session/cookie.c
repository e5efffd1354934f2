/*
 * The session's cookie (RFC 6265): no script sees it, and no other site's form sends it.
 */
#include "session/api.h"

#define NAME "hubbub_session"
#define MAX_AGE_S (180 * 24 * 60 * 60) /* the store ends a session sooner where it is not used */

static struct span trim(struct span s)
{
	while (s.len > 0 && s.p[0] == ' ') {
		s.p++;
		s.len--;
	}
	return s;
}

struct span cookie_find_token(struct span cookie)
{
	static const char prefix[] = NAME "=";

	while (cookie.len > 0) {
		const char *end = memchr(cookie.p, ';', cookie.len);
		size_t len = end != NULL ? (size_t)(end - cookie.p) : cookie.len;
		struct span pair = trim((struct span){.p = cookie.p, .len = len});

		if (pair.len > sizeof(prefix) - 1 &&
		    memcmp(pair.p, prefix, sizeof(prefix) - 1) == 0)
			return (struct span){.p = pair.p + sizeof(prefix) - 1,
					     .len = pair.len - (sizeof(prefix) - 1)};
		len += end != NULL;
		cookie.p += len;
		cookie.len -= len;
	}
	return (struct span){0};
}

void cookie_append(struct buf *out, struct span token)
{
	buf_append_str(out, "Set-Cookie: " NAME "=");
	buf_append_span(out, token);
	buf_printf(out, "; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax\r\n",
		   token.len > 0 ? MAX_AGE_S : 0);
}
