#pragma once
/*
 * The guard before wslay: it walks the peer's frame headers and refuses what RFC 6455 refuses.
 *
 * wslay 1.1.1 answers some violations with no close code and others not at all, so no byte
 * reaches it unless the guard has seen the whole header and found it lawful.  Control frames never
 * reach it: their bodies are gathered and unmasked here (at most 125 bytes).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_MAX_HEADER 14
#define GUARD_MAX_CONTROL 125
/** A message may have a frame for each byte that it may have, and so many more. */
#define GUARD_SPARE_FRAGMENTS 1000

enum guard_opcode {
	GUARD_CONTINUATION = 0x0,
	GUARD_TEXT = 0x1,
	GUARD_BINARY = 0x2,
	GUARD_CLOSE = 0x8,
	GUARD_PING = 0x9,
	GUARD_PONG = 0xa,
};

/* Every connection has one for as long as it lasts, so it is kept small. */
struct guard {
	uint64_t n_left;      /* bytes of the frame's payload still to come */
	uint8_t *control;     /* the body of a control frame, while there is one */
	uint32_t n_message;   /* payload bytes of the message under way, this frame's included */
	uint32_t n_fragments; /* frames of it */
	uint32_t max_message; /* constant */
	uint8_t header[GUARD_MAX_HEADER]; /* of the frame under way */
	uint8_t n_header;                 /* bytes of it that came */
	uint8_t n_control;                /* bytes in control[] */
	bool allow_rsv1 : 1;              /* constant: permessage-deflate was agreed */
	bool allow_binary : 1;            /* constant */
	bool is_in_payload : 1;           /* the header is whole */
	bool is_in_message : 1;           /* a data message was begun and not finished */
	bool is_compressed : 1;           /* that message's first frame had RSV1 */
	bool is_binary : 1;               /* that message's opcode */
};

/** What guard_next() found. */
enum guard_event {
	GUARD_HUNGRY,    /* all bytes were taken, nothing is complete */
	GUARD_HEADER,    /* a data frame's header is whole and lawful: see guard_header_bytes() */
	GUARD_PAYLOAD,   /* a run of a data frame's payload, still masked */
	GUARD_CONTROL,   /* a control frame is whole; its body is run, until the next call */
	GUARD_VIOLATION, /* close with the code; the guard is of no more use */
};

struct guard_found {
	enum guard_event event;
	enum guard_opcode opcode; /* of GUARD_HEADER and GUARD_CONTROL */
	/* GUARD_HEADER: the header; GUARD_PAYLOAD: bytes of the input; GUARD_CONTROL: the body */
	const uint8_t *run;
	size_t n_run;
	bool is_message_end; /* GUARD_HEADER (no payload) and GUARD_PAYLOAD: the message is whole */
	uint16_t code;       /* of GUARD_VIOLATION */
	const char *reason;  /* of GUARD_VIOLATION */
};

/** @max_message is at most INT32_MAX. */
void guard_init(struct guard *g, bool allow_rsv1, bool allow_binary, uint32_t max_message);
void guard_deinit(struct guard *g);

/**
 * Walk on over @bytes and stop at the first thing found.  Returns how many bytes were taken; call
 * again with the rest until it is GUARD_HUNGRY.
 */
size_t guard_next(struct guard *g, const uint8_t *bytes, size_t len, struct guard_found *found);
