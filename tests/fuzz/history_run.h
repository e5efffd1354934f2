#pragma once
/* One input of the target `history`: what its commands have made so far. */
#include "history_model.h"

#include "hubbub/config.h"
#include "store/reader.h"

enum {
	MAX_WRITES = 224,
	MAX_READS = 16,
	/* Of one input, for the sake of speed; enough for pages that their bytes bound. */
	MAX_TEXT_BYTES = 1 << 16,
	MAX_READ_BYTES = 2 * STORE_MAX_EVENTS_BYTES,
	INPUTS_PER_CHECKPOINT = 256,
};

struct input {
	const uint8_t *p;
	size_t left;
};

struct run {
	struct model model;
	struct input in;
	struct store_op *batch, **last;
	struct model_answer expected[MAX_WRITES];
	size_t n_writes, n_published, n_reads, n_text, n_read_bytes;
	unsigned n_keys;
	bool with_upto; /* of the next history */
	uint64_t upto;
};

extern const struct config history_cfg;
extern char *history_tokens[MODEL_N_USERS];

/** Take the next command from the input, make text frames of it, and run them. */
void history_command(struct run *run);
/** One text frame from @user, who has joined both rooms. */
void history_frame(struct run *run, int64_t user, struct span text);
/** Let the store commit what it was given, and compare what it publishes. */
void history_commit(struct run *run);
/** Ask the store, and compare its answer; @req, which may be NULL, is consumed. */
void history_read_now(struct run *run, enum store_read_kind kind, int64_t user, int room,
		      struct request *req);
