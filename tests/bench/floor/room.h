/*
 * The rooms: who is in one, and the frames that came for it in this turn of the loop.
 */
#ifndef BENCH_FLOOR_ROOM_H
#define BENCH_FLOOR_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct member;

struct room {
	char *name;
	struct room *next_in_bucket;
	struct room *next_dirty;
	bool is_dirty;

	struct member **members;
	uint32_t n_members, cap_members;

	/* The frames of this turn, encoded, one after another. */
	uint8_t *batch;
	size_t batch_len, batch_cap;
};

/** One connection.  What an idle one costs is this, its place in its room, and libuv's own. */
struct member {
	uv_tcp_t tcp;
	struct room *room; /* NULL until the handshake is done */
	uint8_t *rest;     /* part of a frame or of a handshake, NULL when there is none */
	uint32_t rest_len;
	uint32_t index; /* in room->members */
};

/** The room of that name, made when there is none. */
struct room *room_get(const char *name);

/** Put @m into @r. */
void room_add(struct room *r, struct member *m);

/** Take @m out of its room. */
void room_remove(struct member *m);

/** Append a text frame with the @len bytes at @payload, unmasked by @mask, to the room's batch. */
void room_append(struct room *r, const uint8_t *payload, size_t len, const uint8_t mask[4]);

/** Send what the rooms have gathered, one write per member, and forget it. */
void room_flush_all(void);

/** Memory that is there or the process ends. */
void *xrealloc(void *old, size_t size);

#endif
