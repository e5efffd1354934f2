/*
 * Publishing a committed batch, on the store writer's thread.
 *
 * Events are encoded, and compressed where somebody takes that, before the lock is taken.  Under
 * it heads and tails move in commit order, then every reply is posted, then every event: a worker's
 * inbox is one FIFO, so on the sender's connection the reply comes before the event.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <stdlib.h>

struct publication {
	struct room_news news;
	bool drops_tail;
};

static struct frame *encode(struct room_registry *rg, const struct event *e, struct buf *scratch)
{
	scratch->len = 0;
	event_encode(scratch, e);
	struct frame *f = frame_new_text(buf_span(scratch));

	if (atomic_load_explicit(&rg->n_deflate, memory_order_relaxed) > 0)
		frame_compress(f);
	return f;
}

static void advance_locked(struct room_registry *rg, const struct publication *p) REQUIRES(rg->lock)
{
	struct room *room = room_find_locked(rg, p->news.room);

	if (room == NULL)
		return;
	room->head = p->news.seq;
	if (room->n_joined == 0)
		return; /* nobody is served from an empty room's tail */
	if (p->drops_tail)
		room_tail_drop(&room->tail);
	room_tail_push(&room->tail, p->news.frame);
}

static void drop_all_tails_locked(struct room_registry *rg) REQUIRES(rg->lock)
{
	for (struct room *room = rg->by_id; room != NULL; room = room->hh.next)
		room_tail_drop(&room->tail);
}

static void note_locked(struct room_registry *rg, const struct store_op *op,
			const struct publication *p) REQUIRES(rg->lock)
{
	if (op->err != PROTO_OK)
		return;
	if (op->kind == STORE_JOIN)
		room_adopt_locked(rg, &op->room);
	if (op->renamed) {
		/* Encoded events name their authors as of the reading. */
		presence_rename_locked(rg, op->user, op->name);
		drop_all_tails_locked(rg);
	}
	if (p != NULL)
		advance_locked(rg, p);
}

static void post_replies(struct room_registry *rg, struct store_op *ops)
{
	while (ops != NULL) {
		struct store_op *next = ops->next;

		ops->next = NULL;
		/* From the post on the op is the worker's. */
		if (ops->origin.conn == 0 ||
		    !inbox_post(&rg->workers[ops->origin.worker].inbox, &ops->msg))
			store_op_free(ops);
		ops = next;
	}
}

void room_registry_publish(struct room_registry *rg, struct store_op *ops)
{
	struct buf scratch = {0};
	size_t n = 0, i = 0;

	for (struct store_op *op = ops; op != NULL; op = op->next)
		n += op->err == PROTO_OK && op->event.kind != 0;
	struct publication *pubs = mem_alloc((n + 1) * sizeof(*pubs));

	for (struct store_op *op = ops; op != NULL; op = op->next) {
		if (op->err != PROTO_OK || op->event.kind == 0)
			continue;
		pubs[i++] = (struct publication){
			.news = {.room = op->room_id,
				 .seq = op->event.seq,
				 .frame = encode(rg, &op->event, &scratch)},
			.drops_tail = op->drops_tail,
		};
	}
	buf_deinit(&scratch);

	mutex_lock(&rg->lock);
	i = 0;
	for (struct store_op *op = ops; op != NULL; op = op->next) {
		bool has_event = op->err == PROTO_OK && op->event.kind != 0;

		note_locked(rg, op, has_event ? &pubs[i] : NULL);
		i += has_event;
	}
	post_replies(rg, ops);
	for (i = 0; i < n; i++) {
		struct room *room = room_find_locked(rg, pubs[i].news.room);

		if (room != NULL)
			room_post_locked(rg, room, &pubs[i].news);
	}
	mutex_unlock(&rg->lock);

	for (i = 0; i < n; i++)
		frame_unref(pubs[i].news.frame);
	free(pubs);
}
