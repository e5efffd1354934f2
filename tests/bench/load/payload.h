/*
 * The payload of a measured message: who sent it, as which of theirs, and when it was meant to go.
 *
 *     <publisher: 6 hex digits><seq: 8 hex digits><t: 16 hex digits>.....
 *
 * t is CLOCK_MONOTONIC in nanoseconds.  The digits are read eight at a time, since this is done
 * for every delivery.
 */
#ifndef BENCH_LOAD_PAYLOAD_H
#define BENCH_LOAD_PAYLOAD_H

#include <stdint.h>
#include <string.h>

#define PAYLOAD_HEAD 30

/** Eight lower-case hex digits. */
static inline uint32_t payload_hex8(const uint8_t *digits)
{
	uint64_t v;

	memcpy(&v, digits, sizeof(v));
	v = (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) + 9 * ((v >> 6) & UINT64_C(0x0101010101010101));
	v = ((v << 4) | (v >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
	v = ((v << 8) | (v >> 16)) & UINT64_C(0x0000ffff0000ffff);
	return (uint32_t)((v << 16) | (v >> 32));
}

static inline uint32_t payload_pub(const uint8_t *p)
{
	return payload_hex8(p) >> 8;
}

static inline uint32_t payload_seq(const uint8_t *p)
{
	return payload_hex8(p + 6);
}

static inline uint64_t payload_time(const uint8_t *p)
{
	return (uint64_t)payload_hex8(p + 14) << 32 | payload_hex8(p + 22);
}

static inline void payload_put_hex(uint8_t *to, uint64_t value, int n_digits)
{
	for (int i = n_digits - 1; i >= 0; i--, value >>= 4)
		to[i] = (uint8_t) "0123456789abcdef"[value & 15];
}

/** Write a payload of @size bytes, at least PAYLOAD_HEAD. */
static inline void payload_write(uint8_t *to, uint32_t size, uint32_t pub, uint32_t seq, uint64_t t)
{
	payload_put_hex(to, pub, 6);
	payload_put_hex(to + 6, seq, 8);
	payload_put_hex(to + 14, t, 16);
	memset(to + PAYLOAD_HEAD, '.', size - PAYLOAD_HEAD);
}

#endif
