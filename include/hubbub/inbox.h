#pragma once
/* Layer: net. */
#include "hubbub/mutex.h"
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct worker;

/**
 * What one thread tells a worker.  Embedded as the FIRST member of the concrete message; deliver()
 * runs on the worker's thread, owns the message and frees it (also while stopping).
 */
struct inbox_msg {
	struct inbox_msg *next;
	void (*deliver)(struct inbox_msg *msg, struct worker *worker);
};

/**
 * A worker's inbox: one FIFO.  What is posted first is delivered first, whoever posts.
 *
 * Lock order: room_registry.lock -> inbox.lock.
 */
struct inbox {
	struct mutex lock;
	/* Guarded by lock: */
	struct inbox_msg *first, *last;
	size_t n;
	bool closed; /* messages posted after this are delivered nowhere: post returns false */
	/* Set once, used by the owner's thread: */
	uv_async_t wakeup;
	struct worker *worker;
};

int inbox_init(struct inbox *ib, uv_loop_t *loop, struct worker *worker);
/**
 * Append @msg.  Any thread.  Returns false when the worker has stopped: the message still belongs
 * to the caller then.
 */
bool inbox_post(struct inbox *ib, struct inbox_msg *msg);

/** Messages to be posted together.  All zero is an empty one. */
struct inbox_list {
	struct inbox_msg *first, *last;
	size_t n;
};
void inbox_list_add(struct inbox_list *list, struct inbox_msg *msg);
/**
 * Append all of @list, which is empty after it.  Any thread.  When the worker has stopped, each is
 * handed to @discard instead.
 */
void inbox_post_list(struct inbox *ib, struct inbox_list *list,
		     void (*discard)(struct inbox_msg *msg));
/** How many messages wait; any thread; for admission, so approximate is enough. */
size_t inbox_len(struct inbox *ib);
