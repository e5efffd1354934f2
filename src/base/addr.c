/* IP addresses, all in IPv6's form, so that what compares or counts them knows one kind. */
#include "hubbub/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define IPV4_AT 12
#define IPV4_BITS 96

static const uint8_t ipv4_prefix[IPV4_AT] = {[10] = 0xff, [11] = 0xff};

bool addr_is_ipv4(const struct addr *a)
{
	return memcmp(a->bytes, ipv4_prefix, IPV4_AT) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t ipv6[16] = {[15] = 1};

	return addr_is_ipv4(a) ? a->bytes[IPV4_AT] == 127 : memcmp(a->bytes, ipv6, 16) == 0;
}

static void from_ipv4(struct addr *out, const void *bytes)
{
	memcpy(out->bytes, ipv4_prefix, IPV4_AT);
	memcpy(out->bytes + IPV4_AT, bytes, 4);
}

bool addr_parse(struct addr *out, struct span text)
{
	char copy[ADDR_TEXT_SIZE];
	uint8_t ipv4[4];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.p, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, ipv4) == 1) {
		from_ipv4(out, ipv4);
		return true;
	}
	return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

static bool read_bits(struct span text, unsigned max, unsigned *bits)
{
	*bits = 0;
	if (text.len == 0 || text.len > 3)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*bits = *bits * 10 + (unsigned)(text.p[i] - '0');
	}
	return *bits <= max;
}

bool addr_range_parse(struct addr_range *out, struct span text)
{
	const char *slash = text.len > 0 ? memchr(text.p, '/', text.len) : NULL;
	size_t len = slash != NULL ? (size_t)(slash - text.p) : text.len;

	if (!addr_parse(&out->addr, (struct span){text.p, len}))
		return false;
	/* ::ffff:10.0.0.0/104 counts from the front of the long form, 10.0.0.0/8 does not. */
	bool is_short = memchr(text.p, ':', len) == NULL;

	out->bits = 128;
	if (slash == NULL)
		return true;
	if (!read_bits((struct span){slash + 1, text.len - len - 1}, is_short ? 32 : 128,
		       &out->bits))
		return false;
	if (is_short)
		out->bits += IPV4_BITS;
	addr_mask(&out->addr, out->bits);
	return true;
}

bool addr_from_socket(struct addr *out, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		from_ipv4(out, &((const struct sockaddr_in *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		memcpy(out->bytes, &((const struct sockaddr_in6 *)sa)->sin6_addr,
		       sizeof(out->bytes));
	else
		return false;
	return true;
}

void addr_mask(struct addr *a, unsigned bits)
{
	for (unsigned i = 0; i < sizeof(a->bytes); i++) {
		unsigned kept = bits > i * 8 ? bits - i * 8 : 0;

		if (kept < 8)
			a->bytes[i] &= (uint8_t)(0xff00 >> kept);
	}
}

bool addr_is_in(const struct addr *a, const struct addr_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct addr masked = *a;

		addr_mask(&masked, ranges[i].bits);
		if (memcmp(&masked, &ranges[i].addr, sizeof(masked)) == 0)
			return true;
	}
	return false;
}

const char *addr_format(const struct addr *a, char text[ADDR_TEXT_SIZE])
{
	const char *written = addr_is_ipv4(a)
				      ? inet_ntop(AF_INET, a->bytes + IPV4_AT, text, ADDR_TEXT_SIZE)
				      : inet_ntop(AF_INET6, a->bytes, text, ADDR_TEXT_SIZE);

	return written != NULL ? written : "?";
}
