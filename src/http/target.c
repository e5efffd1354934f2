/* The request target: its forms (RFC 9112, 3.2), its percent-encoding, its dots. */
#include "http/http_internal.h"
#include "http/text.h"
#include "hubbub/utf8.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool http_decode_component(struct span raw, struct buf *out)
{
	for (size_t i = 0; i < raw.len; i++) {
		unsigned char c = (unsigned char)raw.p[i];
		if (c == '%') {
			int high = i + 2 < raw.len ? hex_value(raw.p[i + 1]) : -1;
			int low = i + 2 < raw.len ? hex_value(raw.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (unsigned char)(high << 4 | low);
			i += 2;
		}
		if (c < ' ' || c == 0x7f)
			return false;
		buf_append_char(out, (char)c);
	}
	return utf8_is_valid(out->p, out->len);
}

/** Whether a segment is "." or "..": a browser takes these out, so whoever sends them is lying. */
static bool has_dot_segment(struct span path)
{
	struct span rest = path;
	bool is_last = false;

	while (!is_last) {
		const char *slash = memchr(rest.p, '/', rest.len);
		size_t n = slash != NULL ? (size_t)(slash - rest.p) : rest.len;
		if ((n == 1 || n == 2) && memcmp(rest.p, "..", n) == 0)
			return true;
		is_last = slash == NULL;
		if (!is_last)
			rest = (struct span){.p = slash + 1, .len = rest.len - n - 1};
	}
	return false;
}

static bool starts_with_nocase(struct span s, struct span prefix)
{
	return s.len >= prefix.len &&
	       text_equal_nocase((struct span){.p = s.p, .len = prefix.len}, prefix);
}

/** The absolute form, which a proxy sends: its authority goes before Host (RFC 9112, 3.2.2). */
static int take_authority(struct http *h, struct span *target)
{
	struct span http = SPAN("http://");
	struct span https = SPAN("https://");
	size_t n;

	if (starts_with_nocase(*target, http))
		n = http.len;
	else if (starts_with_nocase(*target, https))
		n = https.len;
	else
		return 400;
	struct span rest = {.p = target->p + n, .len = target->len - n};
	n = 0;
	while (n < rest.len && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	if (n == 0 || memchr(rest.p, '@', n) != NULL)
		return 400;
	h->request.host = (struct span){.p = rest.p, .len = n};
	*target = (struct span){.p = rest.p + n, .len = rest.len - n};
	return 0;
}

int http_read_target(struct http *h, struct span target)
{
	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.p[i];
		if (c <= ' ' || c >= 0x7f || c == '#')
			return 400;
	}
	if (span_equal(target, SPAN("*"))) {
		if (strcmp(h->request.method, "OPTIONS") != 0)
			return 400;
		h->request.path = SPAN("*");
		h->request.target = SPAN("/");
		return 0;
	}
	if (target.len == 0 || target.p[0] != '/') {
		int status = take_authority(h, &target);
		if (status != 0)
			return status;
	}

	h->request.target = target.len > 0 ? target : SPAN("/");
	const char *mark = target.len > 0 ? memchr(target.p, '?', target.len) : NULL;
	struct span raw = target;
	if (mark != NULL) {
		raw.len = (size_t)(mark - target.p);
		h->request.query = (struct span){.p = mark + 1, .len = target.len - raw.len - 1};
	}
	buf_reserve(&h->decoded, raw.len + 2);
	if (raw.len == 0)
		buf_append_char(&h->decoded, '/');
	else if (!http_decode_component(raw, &h->decoded))
		return 400;
	buf_append_char(&h->decoded, '\0');
	h->request.path = (struct span){.p = h->decoded.p, .len = h->decoded.len - 1};
	return has_dot_segment(h->request.path) ? 400 : 0;
}
