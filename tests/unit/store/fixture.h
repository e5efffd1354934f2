#pragma once
/*
 * A store in a directory of its own, asked and answered synchronously.
 *
 * The hooks note what the store publishes; ask() and read_for() wait for their own answer.  Time
 * is never waited for: every wait is for an answer.
 */
/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/event.h"
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "hubbub/mutex.h"
#include "hubbub/store.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

struct fixture {
	char dir[64];
	struct store *st;
	struct mutex lock;
	struct cond changed;
	/* Guarded by lock: */
	struct store_op *answered; /* newest first, until asked for */
	struct store_op *found;    /* in order */
	struct store_read *reads;
	uint64_t last_seq_published; /* over all rooms of a test that has one */
	bool out_of_order;
	bool closed_gate; /* may_take answers false */
};

static const struct config fixture_config = {
	.open = true,
	.max_text = 8000,
	.max_frame = 65536,
};

static bool on_may_take(void *ctx)
{
	struct fixture *fx = ctx;

	mutex_lock(&fx->lock);
	bool may = !fx->closed_gate;
	mutex_unlock(&fx->lock);
	return may;
}

static void on_publish(void *ctx, struct store_op *ops)
{
	struct fixture *fx = ctx;

	mutex_lock(&fx->lock);
	while (ops != NULL) {
		struct store_op *next = ops->next;

		ops->next = NULL;
		if (ops->err == PROTO_OK && ops->event.kind != 0) {
			if (ops->event.seq <= fx->last_seq_published)
				fx->out_of_order = true;
			fx->last_seq_published = ops->event.seq;
		}
		if (ops->kind == STORE_FOUND) {
			struct store_op **tail = &fx->found;

			while (*tail != NULL)
				tail = &(*tail)->next;
			*tail = ops;
		} else {
			ops->next = fx->answered;
			fx->answered = ops;
		}
		ops = next;
	}
	cond_broadcast(&fx->changed);
	mutex_unlock(&fx->lock);
}

static void on_answer(void *ctx, struct store_read *read)
{
	struct fixture *fx = ctx;

	/* The tests look into it with string functions. */
	buf_append_char(&read->events, '\0');
	read->events.len--;
	mutex_lock(&fx->lock);
	read->next = fx->reads;
	fx->reads = read;
	cond_broadcast(&fx->changed);
	mutex_unlock(&fx->lock);
}

static const struct store_hooks fixture_hooks = {
	.may_take = on_may_take,
	.publish = on_publish,
	.answer = on_answer,
};

static UNUSED struct store_options fixture_options(struct fixture *fx)
{
	return (struct store_options){
		.dir = fx->dir,
		.hooks = &fixture_hooks,
		.ctx = fx,
		.n_readers = 2,
		.max_queue = 100000,
		.max_queue_bytes = 64 << 20,
	};
}

static UNUSED void fixture_open(struct fixture *fx)
{
	struct store_options opts = fixture_options(fx);

	assert_int_equal(store_open(&fx->st, &opts), 0);
}

static UNUSED void free_answered(struct fixture *fx)
{
	while (fx->answered != NULL) {
		struct store_op *next = fx->answered->next;

		store_op_free(fx->answered);
		fx->answered = next;
	}
	while (fx->found != NULL) {
		struct store_op *next = fx->found->next;

		store_op_free(fx->found);
		fx->found = next;
	}
}

static UNUSED void fixture_close(struct fixture *fx)
{
	if (fx->st == NULL)
		return;
	store_stop(fx->st);
	store_close(fx->st);
	fx->st = NULL;
	free_answered(fx);
}

static UNUSED void fixture_reopen(struct fixture *fx)
{
	fixture_close(fx);
	fixture_open(fx);
}

static UNUSED int fixture_setup_closed(void **state)
{
	struct fixture *fx = mem_zalloc(sizeof(*fx));
	const char *tmp = getenv("TMPDIR");

	log_set_level(LOG_ERROR);
	snprintf(fx->dir, sizeof(fx->dir), "%s/hubbub-store-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(fx->dir) == NULL)
		return -1;
	mutex_init(&fx->lock);
	cond_init(&fx->changed);
	*state = fx;
	return 0;
}

static UNUSED int fixture_setup(void **state)
{
	if (fixture_setup_closed(state) != 0)
		return -1;
	fixture_open(*state);
	return 0;
}

static UNUSED int fixture_teardown(void **state)
{
	struct fixture *fx = *state;
	DIR *d;
	char path[400];

	fixture_close(fx);
	d = opendir(fx->dir);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", fx->dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	rmdir(fx->dir);
	cond_deinit(&fx->changed);
	mutex_deinit(&fx->lock);
	free(fx);
	return 0;
}

/* A request as a client would have sent it; the id is added. */
static UNUSED struct request *request_of(const char *json)
{
	struct request *req;
	const char *why;
	struct buf b = {0};

	buf_printf(&b, "{\"id\":1,%s}", json);
	enum proto_error e = request_decode(&req, buf_span(&b), &fixture_config, &why);
	if (e != PROTO_OK)
		fail_msg("%s: %s", b.p, why);
	buf_deinit(&b);
	return req;
}

static UNUSED struct store_op *submit(struct fixture *fx, enum store_op_kind kind, int64_t user,
				      int64_t room, const char *json)
{
	struct store_op *op = store_op_new(kind, (struct store_origin){.conn = 1});

	op->user = user;
	op->room_id = room;
	if (json != NULL)
		op->req = request_of(json);
	assert_true(store_submit(fx->st, op));
	store_wake(fx->st);
	return op;
}

/* Wait until @op was published; it is the caller's then. */
static UNUSED struct store_op *await(struct fixture *fx, struct store_op *op)
{
	mutex_lock(&fx->lock);
	for (;;) {
		struct store_op **at = &fx->answered;

		while (*at != NULL && *at != op)
			at = &(*at)->next;
		if (*at != NULL) {
			*at = op->next;
			op->next = NULL;
			break;
		}
		cond_wait(&fx->changed, &fx->lock);
	}
	mutex_unlock(&fx->lock);
	return op;
}

static UNUSED struct store_op *ask(struct fixture *fx, enum store_op_kind kind, int64_t user,
				   int64_t room, const char *json)
{
	return await(fx, submit(fx, kind, user, room, json));
}

static UNUSED int64_t make_user(struct fixture *fx, const char *name)
{
	char json[200];

	snprintf(json, sizeof(json), "\"op\":\"hello\",\"name\":\"%s\"", name);
	struct store_op *op = ask(fx, STORE_HELLO, 0, 0, json);
	assert_int_equal(op->err, PROTO_OK);
	int64_t id = op->user;
	store_op_free(op);
	return id;
}

static UNUSED int64_t join(struct fixture *fx, int64_t user, const char *room)
{
	char json[200];

	snprintf(json, sizeof(json), "\"op\":\"join\",\"room\":\"%s\"", room);
	struct store_op *op = ask(fx, STORE_JOIN, user, 0, json);
	assert_int_equal(op->err, PROTO_OK);
	int64_t id = op->room.id;
	store_op_free(op);
	return id;
}

/* The seq given, or 0 and *@err (which must be NULL where success is expected). */
static UNUSED uint64_t write_json(struct fixture *fx, int64_t user, int64_t room, const char *json,
				  enum proto_error *err)
{
	struct store_op *op = ask(fx, STORE_WRITE, user, room, json);
	uint64_t seq = op->err == PROTO_OK ? op->seq : 0;

	if (err != NULL)
		*err = op->err;
	else
		assert_int_equal(op->err, PROTO_OK);
	store_op_free(op);
	return seq;
}

static UNUSED uint64_t send_text(struct fixture *fx, int64_t user, int64_t room, const char *key,
				 const char *text)
{
	struct buf b = {0};

	buf_printf(&b, "\"op\":\"send\",\"room\":\"r\",\"key\":\"%s\",\"text\":", key);
	buf_append_json(&b, span_of(text));
	char *json = buf_take(&b, NULL);
	uint64_t seq = write_json(fx, user, room, json, NULL);
	free(json);
	return seq;
}

/* Queue @r and wait for its answer; the caller's to free. */
static UNUSED struct store_read *read_for(struct fixture *fx, struct store_read *r)
{
	assert_true(store_submit_read(fx->st, r));
	store_wake(fx->st);
	mutex_lock(&fx->lock);
	for (;;) {
		struct store_read **at = &fx->reads;

		while (*at != NULL && *at != r)
			at = &(*at)->next;
		if (*at != NULL) {
			*at = r->next;
			r->next = NULL;
			break;
		}
		cond_wait(&fx->changed, &fx->lock);
	}
	mutex_unlock(&fx->lock);
	return r;
}

static UNUSED struct store_read *read_log(struct fixture *fx, int64_t user, int64_t room,
					  enum history_from from, uint64_t bound, unsigned limit,
					  bool fold)
{
	struct store_read *r = store_read_new(STORE_READ_EVENTS, (struct store_origin){.conn = 1});

	r->user = user;
	r->room_id = room;
	r->from = from;
	r->bound = bound;
	r->limit = limit;
	r->fold = fold;
	return read_for(fx, r);
}
