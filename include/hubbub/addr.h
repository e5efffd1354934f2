#pragma once
/* Layer: base. */
#include "hubbub/span.h"
#include <stdint.h>

struct sockaddr;

/** An IP address in IPv6's form; IPv4 is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct addr {
	uint8_t bytes[16];
};

/** The addresses whose first @bits (of 128) are those of @addr. */
struct addr_range {
	struct addr addr;
	unsigned bits;
};

#define ADDR_TEXT_SIZE 46

/** Read a numeric address: no brackets, port or zone. */
bool addr_parse(struct addr *out, struct span text);
/** Read `ADDR` or `ADDR/BITS`; bits of the address behind the first BITS are cleared. */
bool addr_range_parse(struct addr_range *out, struct span text);
/** False where @sa is neither IPv4 nor IPv6. */
bool addr_from_socket(struct addr *out, const struct sockaddr *sa);
bool addr_is_in(const struct addr *a, const struct addr_range *ranges, size_t n);
/** Keep the first @bits, clear the others. */
void addr_mask(struct addr *a, unsigned bits);
bool addr_is_ipv4(const struct addr *a);
/** 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);
/** As people write it, IPv4 without its prefix.  Returns @text. */
const char *addr_format(const struct addr *a, char text[ADDR_TEXT_SIZE]);
