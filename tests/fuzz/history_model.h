#pragma once
/*
 * What the contract says of two rooms' logs, told in the plainest way: arrays that are walked.  The
 * store's answers must be the same.
 */
#include "hubbub/store.h"

#define MODEL_N_USERS 3 /* their ids are 1 and up */
#define MODEL_N_ROOMS 2

struct model_event {
	struct event e; /* its spans and mentions are this event's own memory */
	void *memory;
	bool is_newest; /* a reaction: of its kind on its message */
};

struct model_room {
	const char *name;
	struct model_event *events; /* events[seq - 1] */
	size_t n, cap;
	uint64_t read[MODEL_N_USERS];
};

/* A key that was used, and for what. */
struct model_key {
	int64_t user;
	struct buf key, content;
	uint64_t seq;
};

struct model {
	struct model_room rooms[MODEL_N_ROOMS];
	struct model_key *keys;
	size_t n_keys;
};

/** What the store has to answer to a write. */
struct model_answer {
	enum proto_error err;
	uint64_t seq;
	bool dup;
};

void model_init(struct model *m);
void model_deinit(struct model *m);
const char *model_user_name(int64_t user);
/** The room of that folded name; -1: there is none. */
int model_find_room(const struct model *m, struct span name);
struct model_answer model_write(struct model *m, int64_t user, int room, const struct request *req);
/** What a write that was taken became must be what the model has; it learns the time from it. */
void model_check_write(struct model *m, int room, const struct store_op *op);
/** Abort unless the answer is what the log says. */
void model_check_page(const struct model *m, int room, const struct store_read *r);
void model_check_belong(const struct model *m, const struct store_read *r);
