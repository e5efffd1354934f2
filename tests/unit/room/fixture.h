#pragma once
/*
 * The room registry with two workers whose inboxes are drained by hand.
 */
#include "hubbub/mem.h"
#include "hubbub/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define N_WORKERS 2

struct seen {
	unsigned worker;
	char text[8192]; /* "reply", or the news' payload */
	uint64_t seq;
};

static struct seen seen[1024];
static unsigned n_seen;

static inline void on_news(struct worker *w, const struct room_news *news)
{
	for (unsigned i = 0; i < frame_n_messages(news->frame); i++) {
		struct span p = frame_payload(news->frame, i);
		struct seen *s = &seen[n_seen++];
		size_t len = p.len < sizeof(s->text) - 1 ? p.len : sizeof(s->text) - 1;

		s->worker = w->index;
		s->seq = news->seq != 0 ? news->seq + i : 0;
		memcpy(s->text, p.p, len);
		s->text[len] = '\0';
	}
}

static const struct room_hooks hooks = {.on_news = on_news};

static inline void deliver_op(struct inbox_msg *msg, struct worker *w)
{
	struct seen *s = &seen[n_seen++];

	s->worker = w->index;
	s->seq = 0;
	strcpy(s->text, "reply");
	store_op_free((struct store_op *)msg);
}

static inline struct span last_text(const struct room_view *v)
{
	const struct room_event *e = &v->tail[v->n_tail - 1];

	return frame_payload(e->frame, e->i);
}

static inline const void *find(struct span in, const char *what)
{
	return memmem(in.p, in.len, what, strlen(what));
}

struct fixture {
	uv_loop_t loop;
	struct worker workers[N_WORKERS];
	struct room_registry *rg;
};

static inline int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	n_seen = 0;
	uv_loop_init(&f->loop);
	for (unsigned i = 0; i < N_WORKERS; i++) {
		f->workers[i].index = i;
		if (inbox_init(&f->workers[i].inbox, &f->loop, &f->workers[i]) != 0)
			return -1;
	}
	f->rg = room_registry_new(f->workers, N_WORKERS, &hooks);
	*state = f;
	return 0;
}

static inline void drain(struct fixture *f)
{
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	drain(f);
	room_registry_free(f->rg);
	for (unsigned i = 0; i < N_WORKERS; i++)
		uv_close((uv_handle_t *)&f->workers[i].inbox.wakeup, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	uv_loop_close(&f->loop);
	free(f);
	return 0;
}

static inline struct store_op *new_op(enum store_op_kind kind, unsigned worker)
{
	struct store_op *op =
		store_op_new(kind, (struct store_origin){.worker = worker, .conn = 1});

	op->msg.deliver = deliver_op;
	return op;
}

static inline struct store_op *join_op(int64_t id, const char *name, uint64_t head)
{
	struct store_op *op = new_op(STORE_JOIN, 0);

	op->room.id = id;
	op->room_id = id;
	snprintf(op->room.rid, sizeof(op->room.rid), "rid%d", (int)id);
	op->room.name = mem_strdup(name);
	op->room.title = mem_strdup(name);
	op->room.topic = mem_strdup("");
	op->room.head = head;
	op->room.first = 1;
	return op;
}

static inline struct store_op *message_op(int64_t room, uint64_t seq)
{
	struct store_op *op = new_op(STORE_WRITE, 0);

	op->room_id = room;
	op->seq = seq;
	op->event = (struct event){
		.kind = EVENT_MESSAGE,
		.room = SPAN("general"),
		.seq = seq,
		.ts = 1,
		.from_id = 4,
		.from_name = SPAN("Ada"),
		.text = SPAN("hi"),
	};
	return op;
}

static inline void load_room(struct fixture *f, int64_t id, const char *name, uint64_t head)
{
	room_registry_publish(f->rg, join_op(id, name, head));
	drain(f);
	n_seen = 0;
}

static inline void enter(struct fixture *f, int64_t room, unsigned worker, int64_t user)
{
	struct room_view v;
	char name[32];
	struct room_visit visit = {.room = room, .worker = worker, .user = user, .enters = true};

	snprintf(name, sizeof(name), "user%d", (int)user);
	visit.name = span_of(name);
	assert_true(room_registry_view(f->rg, &visit, &v));
	room_view_deinit(&v);
}

static inline void leave(struct fixture *f, int64_t room, unsigned worker, int64_t user)
{
	room_registry_leave(f->rg, room, worker, user);
}
