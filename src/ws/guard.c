/* The guard: frame headers (RFC 6455, 5.2 to 5.5; RFC 7692, 6) judged as their bytes come. */
#include "ws/guard.h"

#include "hubbub/mem.h"
#include "hubbub/ws.h"
#include <stdlib.h>

#define FIN 0x80
#define RSV1 0x40
#define RSV_OTHERS 0x30
#define OPCODE 0x0f
#define CONTROL_BIT 0x08
#define MASKED 0x80
#define LEN7 0x7f

void guard_init(struct guard *g, bool allow_rsv1, bool allow_binary, uint32_t max_message)
{
	*g = (struct guard){
		.allow_rsv1 = allow_rsv1,
		.allow_binary = allow_binary,
		.max_message = max_message,
	};
}

void guard_deinit(struct guard *g)
{
	free(g->control);
	g->control = NULL;
}

static bool is_control(const struct guard *g)
{
	return (g->header[0] & CONTROL_BIT) != 0;
}

/** Bytes of the extended length; known once the second byte is there. */
static size_t extended_len(const struct guard *g)
{
	unsigned len7 = g->header[1] & LEN7;

	return len7 == 126 ? 2 : len7 == 127 ? 8 : 0;
}

static const char *judge_first_byte(const struct guard *g)
{
	uint8_t byte = g->header[0];
	unsigned opcode = byte & OPCODE;

	if ((byte & RSV_OTHERS) != 0)
		return "reserved bit";
	switch (opcode) {
	case GUARD_CONTINUATION:
		if (!g->is_in_message)
			return "nothing to continue";
		break;
	case GUARD_TEXT:
	case GUARD_BINARY:
		if (g->is_in_message)
			return "message inside a message";
		break;
	case GUARD_CLOSE:
	case GUARD_PING:
	case GUARD_PONG:
		if ((byte & FIN) == 0)
			return "fragmented control frame";
		break;
	default:
		return "unknown opcode";
	}
	/* RFC 7692, 6: only the first frame of a data message carries it. */
	if ((byte & RSV1) != 0 &&
	    (!g->allow_rsv1 || (opcode != GUARD_TEXT && opcode != GUARD_BINARY)))
		return "reserved bit";
	return NULL;
}

static const char *judge_second_byte(const struct guard *g)
{
	if ((g->header[1] & MASKED) == 0)
		return "frame without a mask";
	if (is_control(g) && (g->header[1] & LEN7) > GUARD_MAX_CONTROL)
		return "control frame too long";
	return NULL;
}

/** The payload's length; sets *@reason where it is not written as RFC 6455, 5.2 wants it. */
static uint64_t read_len(const struct guard *g, const char **reason)
{
	size_t n = extended_len(g);
	uint64_t len = 0;

	if (n == 0)
		return g->header[1] & LEN7;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | g->header[2 + i];
	if (len >> 63 != 0)
		*reason = "length with the top bit";
	else if (len < (n == 2 ? 126u : 65536u))
		*reason = "length not in its shortest form";
	return len;
}

/**
 * What a message may have on the wire.  Deflate may make what does not compress a little longer;
 * the inflated message is bounded by itself.
 */
static uint64_t wire_bound(const struct guard *g)
{
	if (!g->is_compressed)
		return g->max_message;
	return (uint64_t)g->max_message + g->max_message / 256 + 64;
}

static bool violation(struct guard_found *found, uint16_t code, const char *reason)
{
	*found = (struct guard_found){.event = GUARD_VIOLATION, .code = code, .reason = reason};
	return true;
}

/** The header is whole: judge the message that it is part of.  True when something was found. */
static bool enter_payload(struct guard *g, struct guard_found *found)
{
	enum guard_opcode opcode = g->header[0] & OPCODE;

	g->is_in_payload = true;
	g->n_control = 0;
	if (is_control(g)) {
		if (g->n_left > 0)
			g->control = mem_alloc((size_t)g->n_left);
		return false;
	}
	if (opcode == GUARD_BINARY && !g->allow_binary)
		return violation(found, WS_CLOSE_UNSUPPORTED, "binary message");
	if (opcode != GUARD_CONTINUATION) {
		g->is_in_message = true;
		g->is_binary = opcode == GUARD_BINARY;
		g->is_compressed = (g->header[0] & RSV1) != 0;
		g->n_message = 0;
		g->n_fragments = 0;
	}
	if (g->n_left > wire_bound(g) - g->n_message)
		return violation(found, WS_CLOSE_TOO_BIG, "message too big");
	/* Empty ones have no other bound. */
	if (g->n_fragments++ >= g->max_message + GUARD_SPARE_FRAGMENTS)
		return violation(found, WS_CLOSE_TOO_BIG, "too many fragments");
	g->n_message += (uint32_t)g->n_left;
	*found = (struct guard_found){
		.event = GUARD_HEADER,
		.opcode = opcode,
		.run = g->header,
		.n_run = g->n_header,
	};
	return true;
}

/** Take one byte of a header.  True when something was found. */
static bool take_header_byte(struct guard *g, uint8_t byte, struct guard_found *found)
{
	const char *reason = NULL;

	g->header[g->n_header++] = byte;
	if (g->n_header == 1)
		reason = judge_first_byte(g);
	else if (g->n_header == 2)
		reason = judge_second_byte(g);
	if (g->n_header >= 2 && reason == NULL && g->n_header == 2 + extended_len(g))
		g->n_left = read_len(g, &reason);
	if (reason != NULL)
		return violation(found, WS_CLOSE_PROTOCOL_ERROR, reason);
	if (g->n_header < 2 || g->n_header < 2 + extended_len(g) + 4)
		return false;
	return enter_payload(g, found);
}

/** The frame's last byte has passed.  Returns whether it ended a data message. */
static bool end_frame(struct guard *g)
{
	bool ends_message = !is_control(g) && (g->header[0] & FIN) != 0;

	if (ends_message)
		g->is_in_message = false;
	g->is_in_payload = false;
	g->n_header = 0;
	return ends_message;
}

static void take_control(struct guard *g, const uint8_t *bytes, size_t n)
{
	const uint8_t *mask = g->header + 2; /* a control frame's length fits the second byte */

	for (size_t i = 0; i < n; i++) {
		g->control[g->n_control] = bytes[i] ^ mask[g->n_control % 4];
		g->n_control++;
	}
}

size_t guard_next(struct guard *g, const uint8_t *bytes, size_t len, struct guard_found *found)
{
	size_t at = 0;

	*found = (struct guard_found){.event = GUARD_HUNGRY};
	if (!g->is_in_payload)
		guard_deinit(g); /* the frame before was a control frame */
	while (!g->is_in_payload) {
		if (at == len)
			return at;
		if (!take_header_byte(g, bytes[at++], found))
			continue;
		if (found->event == GUARD_HEADER && g->n_left == 0)
			found->is_message_end = end_frame(g);
		return at;
	}

	size_t n = g->n_left < len - at ? (size_t)g->n_left : len - at;
	if (is_control(g))
		take_control(g, bytes + at, n);
	g->n_left -= n;
	if (is_control(g)) {
		if (g->n_left == 0) {
			found->event = GUARD_CONTROL;
			found->opcode = g->header[0] & OPCODE;
			found->run = g->control;
			found->n_run = g->n_control;
			end_frame(g);
		}
		return at + n;
	}
	if (n > 0) {
		found->event = GUARD_PAYLOAD;
		found->run = bytes + at;
		found->n_run = n;
		if (g->n_left == 0)
			found->is_message_end = end_frame(g);
	}
	return at + n;
}
