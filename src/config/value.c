/* Reading one setting's value, and saying what is allowed when it is none. */
#include "config/settings.h"

#include "hubbub/mem.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

static int refuse(struct buf *why, const char *allowed)
{
	buf_append_str(why, allowed);
	return -EINVAL;
}

static void *field(const struct setting *s, struct config *cfg)
{
	return (char *)cfg + s->offset;
}

static void replace_text(char **text, struct span value)
{
	free(*text);
	*text = mem_dup(value.p, value.len);
}

/* A whole number without a sign, @max or less. */
static bool read_number(struct span value, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (value.len == 0 || value.len > 18) /* so that nothing overflows below */
		return false;
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(value.p[i] - '0');
	}
	*out = n;
	return n <= max;
}

static int parse_number(const struct setting *s, struct span value, uint64_t *out, struct buf *why)
{
	if (read_number(value, s->max, out) && *out >= s->min)
		return 0;
	buf_printf(why, "must be a whole number from %llu to %llu", (unsigned long long)s->min,
		   (unsigned long long)s->max);
	return -EINVAL;
}

static bool is_numeric_host(const char *host, bool in_brackets)
{
	unsigned char address[sizeof(struct in6_addr)];
	char bare[INET6_ADDRSTRLEN];
	size_t len = strcspn(host, "%"); /* fe80::1%eth0: the part behind names an interface */

	if (!in_brackets)
		return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, address) == 1;
	if (len >= sizeof(bare))
		return false;
	memcpy(bare, host, len);
	bare[len] = '\0';
	return inet_pton(AF_INET6, bare, address) == 1;
}

static int parse_address(struct span value, char **host_out, uint16_t *port_out, struct buf *why)
{
	const char *colon = memrchr(value.p, ':', value.len);
	struct span host, port;
	bool in_brackets;
	char *text;
	uint64_t n;

	if (colon == NULL)
		return refuse(why, "must be ADDR:PORT, such as 127.0.0.1:8080 or [::1]:8080");
	host = (struct span){value.p, (size_t)(colon - value.p)};
	port = (struct span){colon + 1, value.len - host.len - 1};
	if (!read_number(port, 65535, &n))
		return refuse(why, "must end in a port from 0 to 65535");

	in_brackets = host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']';
	if (!in_brackets && memchr(host.p, ':', host.len) != NULL)
		return refuse(why, "needs brackets around an IPv6 address: [::1]:8080");
	if (in_brackets)
		host = (struct span){host.p + 1, host.len - 2};
	text = mem_dup(host.p, host.len);
	if (!is_numeric_host(text, in_brackets)) {
		free(text);
		return refuse(why, "must begin with a numeric address or localhost");
	}
	free(*host_out);
	*host_out = text;
	*port_out = (uint16_t)n;
	return 0;
}

static int parse_bool(struct span value, bool *out, struct buf *why)
{
	static const char *const words[][2] = {
		{"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int k = 0; k < 2; k++) {
			if (span_equal(value, span_of(words[i][k]))) {
				*out = k == 1;
				return 0;
			}
		}
	}
	return refuse(why, "must be true or false");
}

static int parse_level(struct span value, enum log_level *out, struct buf *why)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
		if (span_equal(value, span_of(names[i]))) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return refuse(why, "must be error, warn, info or debug");
}

static int parse_rate(const struct setting *s, struct span value, struct rate *rate,
		      struct buf *why)
{
	const char *slash = memchr(value.p, '/', value.len);
	uint64_t n, ms;

	if (span_equal(value, SPAN("0"))) {
		*rate = (struct rate){.n = 0, .per_ms = 1};
		return 0;
	}
	if (slash != NULL) {
		struct span first = {value.p, (size_t)(slash - value.p)};
		struct span second = {slash + 1, value.len - first.len - 1};

		if (read_number(first, s->max, &n) && read_number(second, s->max, &ms) && n >= 1 &&
		    ms >= 1) {
			*rate = (struct rate){.n = (unsigned)n, .per_ms = (unsigned)ms};
			return 0;
		}
	}
	buf_printf(why,
		   "must be N/MS, such as 50/5000, each a whole number from 1 to %llu, or 0 for no "
		   "limit",
		   (unsigned long long)s->max);
	return -EINVAL;
}

/*
 * An origin as browsers write it (RFC 6454, 6.1): scheme and host in lower case, the port only
 * where it is not the scheme's own.  NULL if @value is none.
 */
static char *normal_origin(struct span value)
{
	static const struct {
		const char *scheme, *port;
	} kinds[] = {{"http://", ":80"}, {"https://", ":443"}};

	while (value.len > 0 && value.p[value.len - 1] == '/')
		value.len--;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].scheme);
		size_t port_len = strlen(kinds[i].port);
		char *text;

		if (value.len <= n || strncasecmp(value.p, kinds[i].scheme, n) != 0)
			continue;
		if (strcspn(value.p + n, "/?#@ ,") < value.len - n)
			return NULL;
		text = mem_dup(value.p, value.len);
		for (char *p = text; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		if (value.len > n + port_len &&
		    strcmp(text + value.len - port_len, kinds[i].port) == 0)
			text[value.len - port_len] = '\0';
		return text;
	}
	return NULL;
}

static bool is_safe_url(struct span value)
{
	static const char *const safe[] = {"https://", "http://127.0.0.1", "http://localhost",
					   "http://[::1]"};

	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.p[i] <= ' ' || strchr("?#\"", value.p[i]) != NULL)
			return false;
	}
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
		size_t n = strlen(safe[i]);

		if (value.len < n || strncmp(value.p, safe[i], n) != 0)
			continue;
		return i == 0 ? value.len > n
			      : value.len == n || value.p[n] == ':' || value.p[n] == '/';
	}
	return false;
}

static bool is_smtp_url(struct span value)
{
	static const struct span schemes[] = {SPAN("smtp://"), SPAN("smtps://")};

	for (size_t i = 0; i < 2; i++) {
		size_t n = schemes[i].len;

		if (value.len > n && memcmp(value.p, schemes[i].p, n) == 0)
			return strcspn(value.p + n, "/?#@ \"") >= value.len - n;
	}
	return false;
}

struct span value_trim(struct span s)
{
	while (s.len > 0 && isspace((unsigned char)s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && isspace((unsigned char)s.p[s.len - 1]))
		s.len--;
	return s;
}

static int parse_origins(struct span value, struct config *cfg, struct buf *why)
{
	while (value.len > 0) {
		const char *comma = memchr(value.p, ',', value.len);
		size_t len = comma != NULL ? (size_t)(comma - value.p) : value.len;
		char *origin = normal_origin(value_trim((struct span){value.p, len}));

		if (origin == NULL)
			return refuse(why, "must be an origin such as https://chat.example.org, "
					   "without a path");
		cfg->origins =
			mem_realloc(cfg->origins, (cfg->n_origins + 1) * sizeof(*cfg->origins));
		cfg->origins[cfg->n_origins++] = origin;
		len += comma != NULL;
		value.p += len;
		value.len -= len;
	}
	return 0;
}

static int parse_proxies(struct span value, struct config *cfg, struct buf *why)
{
	while (value.len > 0) {
		const char *comma = memchr(value.p, ',', value.len);
		size_t len = comma != NULL ? (size_t)(comma - value.p) : value.len;
		struct addr_range range;

		if (!addr_range_parse(&range, value_trim((struct span){value.p, len})))
			return refuse(why, "must be an address such as 127.0.0.1 or a range such "
					   "as 10.0.0.0/8 or fd00::/8");
		cfg->trusted_proxies =
			mem_realloc(cfg->trusted_proxies,
				    (cfg->n_trusted_proxies + 1) * sizeof(*cfg->trusted_proxies));
		cfg->trusted_proxies[cfg->n_trusted_proxies++] = range;
		len += comma != NULL;
		value.p += len;
		value.len -= len;
	}
	return 0;
}

int value_parse(const struct setting *s, struct span value, struct config *cfg, struct buf *why)
{
	uint64_t n = 0;
	int err;

	switch (s->type) {
	case SETTING_ADDRESS:
		return parse_address(value, &cfg->listen_host, &cfg->listen_port, why);
	case SETTING_REDIRECT:
		if (value.len > 0)
			return parse_address(value, &cfg->redirect_host, &cfg->redirect_port, why);
		free(cfg->redirect_host);
		cfg->redirect_host = NULL;
		return 0;
	case SETTING_OPTION:
		replace_text(field(s, cfg), value);
		return 0;
	case SETTING_URL:
		if (value.len > 0 && s->min == 1 && !is_smtp_url(value))
			return refuse(why, "must be smtp://HOST:PORT or smtps://HOST:PORT");
		if (value.len > 0 && s->min == 0 && !is_safe_url(value))
			return refuse(why, "must be a URL that begins with https:// (or http:// on "
					   "this machine), without ? and #");
		replace_text(field(s, cfg), value);
		return 0;
	case SETTING_TEXT:
		if (value.len == 0)
			return refuse(why, "must not be empty");
		replace_text(field(s, cfg), value);
		return 0;
	case SETTING_BOOL:
		return parse_bool(value, field(s, cfg), why);
	case SETTING_NUMBER:
		err = parse_number(s, value, &n, why);
		if (err == 0)
			*(unsigned *)field(s, cfg) = (unsigned)n;
		return err;
	case SETTING_SIZE:
		err = parse_number(s, value, &n, why);
		if (err == 0)
			*(size_t *)field(s, cfg) = (size_t)n;
		return err;
	case SETTING_LEVEL:
		return parse_level(value, field(s, cfg), why);
	case SETTING_ORIGINS:
		return parse_origins(value, cfg, why);
	case SETTING_RATE:
		return parse_rate(s, value, field(s, cfg), why);
	case SETTING_PROXIES:
		return parse_proxies(value, cfg, why);
	}
	return -EINVAL;
}

void value_clear_list(const struct setting *s, struct config *cfg)
{
	if (s->type == SETTING_PROXIES) {
		free(cfg->trusted_proxies);
		cfg->trusted_proxies = NULL;
		cfg->n_trusted_proxies = 0;
	}
	if (s->type != SETTING_ORIGINS)
		return;
	for (size_t i = 0; i < cfg->n_origins; i++)
		free(cfg->origins[i]);
	free(cfg->origins);
	cfg->origins = NULL;
	cfg->n_origins = 0;
}

static bool are_same_origins(const struct config *a, const struct config *b)
{
	if (a->n_origins != b->n_origins)
		return false;
	for (size_t i = 0; i < a->n_origins; i++) {
		if (strcmp(a->origins[i], b->origins[i]) != 0)
			return false;
	}
	return true;
}

static size_t field_size(const struct setting *s)
{
	switch (s->type) {
	case SETTING_BOOL:
		return sizeof(bool);
	case SETTING_NUMBER:
		return sizeof(unsigned);
	case SETTING_SIZE:
		return sizeof(size_t);
	default:
		return sizeof(enum log_level);
	}
}

static bool is_same_address(const char *host_a, uint16_t port_a, const char *host_b,
			    uint16_t port_b)
{
	if (host_a == NULL || host_b == NULL)
		return host_a == host_b;
	return strcmp(host_a, host_b) == 0 && port_a == port_b;
}

bool value_equal(const struct setting *s, const struct config *a, const struct config *b)
{
	const char *in_a = (const char *)a + s->offset, *in_b = (const char *)b + s->offset;

	switch (s->type) {
	case SETTING_ADDRESS:
		return is_same_address(a->listen_host, a->listen_port, b->listen_host,
				       b->listen_port);
	case SETTING_REDIRECT:
		return is_same_address(a->redirect_host, a->redirect_port, b->redirect_host,
				       b->redirect_port);
	case SETTING_TEXT:
	case SETTING_OPTION:
	case SETTING_URL:
		return strcmp(*(char *const *)in_a, *(char *const *)in_b) == 0;
	case SETTING_ORIGINS:
		return are_same_origins(a, b);
	case SETTING_RATE:
		return memcmp(in_a, in_b, sizeof(struct rate)) == 0;
	case SETTING_PROXIES:
		return a->n_trusted_proxies == b->n_trusted_proxies &&
		       (a->n_trusted_proxies == 0 ||
			memcmp(a->trusted_proxies, b->trusted_proxies,
			       a->n_trusted_proxies * sizeof(*a->trusted_proxies)) == 0);
	default:
		return memcmp(in_a, in_b, field_size(s)) == 0;
	}
}

static void copy_origins(struct config *to, const struct config *from)
{
	to->origins = mem_alloc(from->n_origins * sizeof(*to->origins));
	to->n_origins = from->n_origins;
	for (size_t i = 0; i < from->n_origins; i++)
		to->origins[i] = mem_strdup(from->origins[i]);
}

static void copy_proxies(struct config *to, const struct config *from)
{
	size_t size = from->n_trusted_proxies * sizeof(*from->trusted_proxies);

	if (size == 0)
		return;
	to->trusted_proxies = mem_alloc(size);
	memcpy(to->trusted_proxies, from->trusted_proxies, size);
	to->n_trusted_proxies = from->n_trusted_proxies;
}

void value_copy(const struct setting *s, struct config *to, const struct config *from)
{
	switch (s->type) {
	case SETTING_ADDRESS:
		replace_text(&to->listen_host, span_of(from->listen_host));
		to->listen_port = from->listen_port;
		break;
	case SETTING_REDIRECT:
		free(to->redirect_host);
		to->redirect_host =
			from->redirect_host != NULL ? mem_strdup(from->redirect_host) : NULL;
		to->redirect_port = from->redirect_port;
		break;
	case SETTING_TEXT:
	case SETTING_OPTION:
	case SETTING_URL:
		replace_text(field(s, to),
			     span_of(*(char *const *)((const char *)from + s->offset)));
		break;
	case SETTING_ORIGINS:
		value_clear_list(s, to);
		copy_origins(to, from);
		break;
	case SETTING_RATE:
		*(struct rate *)field(s, to) =
			*(const struct rate *)((const char *)from + s->offset);
		break;
	case SETTING_PROXIES:
		value_clear_list(s, to);
		copy_proxies(to, from);
		break;
	default:
		memcpy(field(s, to), (const char *)from + s->offset, field_size(s));
		break;
	}
}
