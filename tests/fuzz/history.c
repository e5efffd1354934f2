/*
 * Writes to two rooms, and every way of reading their logs, against a model (history_model.h).
 *
 * The store is a real one, in memory where /dev/shm is; its threads are stopped, and what they
 * would do is done here, so that an input always does the same.
 *
 * Input: commands.  The low half of a command's first byte says what, see history_command().  All
 * become text frames and pass through request_decode(); one command is a frame as it stands.
 */
#include "fuzz.h"
#include "history_run.h"

#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "store/reader.h"
#include <string.h>
#include <unistd.h>

const struct config history_cfg = {.open = true, .max_text = 8000, .max_frame = 65536};

static struct store *st; /* opened for the first input, closed at exit */
static char dir[64];
char *history_tokens[MODEL_N_USERS];

/* The store's answers. */

static void on_publish(void *ctx, struct store_op *ops)
{
	struct run *run = *(struct run **)ctx;

	while (ops != NULL) {
		struct store_op *op = ops;

		ops = op->next;
		if (run == NULL) { /* open_store() */
			if (op->kind == STORE_HELLO) {
				MUST(op->err == PROTO_OK && op->token != NULL);
				history_tokens[op->user - 1] = op->token;
				op->token = NULL;
			}
			store_op_free(op);
			continue;
		}
		const struct model_answer *expected = &run->expected[run->n_published++];

		MUST(op->err == expected->err);
		if (op->err != PROTO_OK)
			MUST(op->why != NULL && op->event.kind == 0);
		else if (op->kind == STORE_MARK)
			MUST(op->seq == expected->seq);
		else if (op->kind == STORE_WRITE) {
			MUST(op->seq == expected->seq && op->dup == expected->dup);
			model_check_write(&run->model, (int)op->room_id - 1, op);
		}
		store_op_free(op);
	}
}

static void check_rooms(const struct run *run, const struct store_read *r)
{
	struct span query = r->req->query;
	size_t n = 0;

	for (int i = 0; i < MODEL_N_ROOMS && n < r->limit; i++) {
		const char *name = run->model.rooms[i].name;

		if (query.len != 0 && memmem(name, strlen(name), query.p, query.len) == NULL)
			continue;
		MUST(n < r->n_rooms && strcmp(r->rooms[n].name, name) == 0);
		MUST(r->rooms[n].head == run->model.rooms[i].n && r->rooms[n].first == 1);
		n++;
	}
	MUST(r->err == PROTO_OK && r->n_rooms == n);
}

static void on_answer(void *ctx, struct store_read *r)
{
	struct run *run = *(struct run **)ctx;

	run->n_read_bytes += r->events.len;
	switch (r->kind) {
	case STORE_READ_EVENTS:
		if (r->room_id <= MODEL_N_ROOMS)
			model_check_page(&run->model, (int)r->room_id - 1, r);
		else
			MUST(r->err == PROTO_E_NOT_FOUND && r->events.len == 0);
		break;
	case STORE_READ_BELONG:
		model_check_belong(&run->model, r);
		break;
	case STORE_READ_ROOMS:
		check_rooms(run, r);
		break;
	case STORE_READ_HELLO: /* tokens are random: an input knows none */
		if (r->user == 0) {
			MUST(r->err == PROTO_E_UNAUTHORIZED);
			break;
		}
		MUST(strcmp(r->name, model_user_name(r->user)) == 0 && !r->stale);
		MUST(strcmp(history_tokens[r->user - 1], r->req->token.p) == 0);
		model_check_belong(&run->model, r);
		break;
	default:
		MUST(!"asked for");
	}
	store_read_free(r);
}

static struct run *current;

static const struct store_hooks hooks = {.publish = on_publish, .answer = on_answer};

/* The store. */

static void close_store(void)
{
	static const char *const files[] = {"/hubbub.db", "/hubbub.db-wal", "/hubbub.db-shm",
					    "/lock"};
	char path[128];

	store_close(st);
	for (int i = 0; i < MODEL_N_USERS; i++)
		free(history_tokens[i]);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static struct request *decode(struct span text)
{
	struct request *req;
	const char *why;

	if (request_decode(&req, text, &history_cfg, &why) == PROTO_OK)
		return req;
	request_free(req);
	return NULL;
}

static struct store_op *op_of(enum store_op_kind kind, int64_t user, const char *field,
			      const char *value)
{
	struct store_op *op = store_op_new(kind, (struct store_origin){0});
	struct buf text = {0};

	buf_printf(&text, "{\"id\":1,\"op\":\"%s\",\"%s\":", kind == STORE_HELLO ? "hello" : "join",
		   field);
	buf_append_json(&text, span_of(value));
	buf_append_char(&text, '}');
	op->user = user;
	op->req = decode(buf_span(&text));
	MUST(op->req != NULL);
	buf_deinit(&text);
	return op;
}

static void open_store(void)
{
	struct store_options opts = {
		.dir = dir,
		.hooks = &hooks,
		.ctx = &current,
		.n_readers = 1,
		.max_queue = 1,
		.max_queue_bytes = 1,
	};
	struct model names;
	const char *tmp = getenv("TMPDIR");

	log_set_level(LOG_ERROR);
	snprintf(dir, sizeof(dir), "/dev/shm/hubbub-fuzz-XXXXXX");
	if (mkdtemp(dir) == NULL) {
		snprintf(dir, sizeof(dir), "%s/hubbub-fuzz-XXXXXX", tmp != NULL ? tmp : "/tmp");
		MUST(mkdtemp(dir) != NULL);
	}
	MUST(store_open(&st, &opts) == 0);
	store_stop(st); /* the threads; the connections stay */
	atexit(close_store);

	model_init(&names);
	for (int64_t user = 1; user <= MODEL_N_USERS; user++) {
		writer_run_batch(st, op_of(STORE_HELLO, 0, "name", model_user_name(user)));
		for (int i = 0; i < MODEL_N_ROOMS; i++)
			writer_run_batch(st, op_of(STORE_JOIN, user, "room", names.rooms[i].name));
	}
}

/* As it was before the first write. */
static void empty_store(void)
{
	static unsigned n;
	struct writer *w = &st->writer;

	MUST(db_exec(&w->db, "BEGIN;"
			     "DELETE FROM events; DELETE FROM mentions;"
			     "DELETE FROM reactions; DELETE FROM reaction_counts;"
			     "UPDATE rooms SET head = 0, n_messages = 0;"
			     "UPDATE members SET read_seq = 0;"
			     "COMMIT") == 0);
	writer_drop_caches(w);
	w->last_event = w->batch_event = 0;
	if (++n % INPUTS_PER_CHECKPOINT == 0)
		MUST(sqlite3_wal_checkpoint_v2(w->db.h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
					       NULL) == SQLITE_OK);
}

/* Commands. */

void history_commit(struct run *run)
{
	struct store_op *batch = run->batch;

	if (batch == NULL)
		return;
	run->batch = NULL;
	run->last = &run->batch;
	writer_run_batch(st, batch);
	MUST(run->n_published == run->n_writes);
}

static void submit(struct run *run, enum store_op_kind kind, int64_t user, int room,
		   struct request *req, struct model_answer expected)
{
	struct store_op *op = store_op_new(kind, (struct store_origin){0});

	op->user = user;
	op->room_id = room + 1;
	op->req = req;
	run->expected[run->n_writes++] = expected;
	*run->last = op;
	run->last = &op->next;
}

static void write_event(struct run *run, int64_t user, int room, struct request *req)
{
	if (run->n_writes == MAX_WRITES || run->n_text + req->text.len > MAX_TEXT_BYTES) {
		request_free(req);
		return;
	}
	run->n_text += req->text.len;
	submit(run, STORE_WRITE, user, room, req, model_write(&run->model, user, room, req));
}

static void mark(struct run *run, int64_t user, int room, struct request *req)
{
	struct model_room *r = &run->model.rooms[room];
	struct model_answer expected = {.seq = req->seq < r->n ? req->seq : r->n};

	if (run->n_writes == MAX_WRITES) {
		request_free(req);
		return;
	}
	r->read[user - 1] = expected.seq;
	submit(run, STORE_MARK, user, room, req, expected);
}

void history_read_now(struct run *run, enum store_read_kind kind, int64_t user, int room,
		      struct request *req)
{
	struct store_read *r = store_read_new(kind, (struct store_origin){0});

	history_commit(run);
	r->user = user;
	r->room_id = room + 1;
	r->req = req;
	if (req != NULL) {
		r->from = req->from;
		r->bound = req->bound;
		r->limit = req->limit;
		r->fold = req->fold;
	}
	if (kind == STORE_READ_EVENTS && run->with_upto)
		r->upto = run->upto;
	run->with_upto = false;
	if (run->n_reads++ < MAX_READS && run->n_read_bytes < MAX_READ_BYTES)
		reader_answer_all(&st->readers[0], r);
	else
		store_read_free(r);
}

/* One text frame from @user, who has joined both rooms. */
void history_frame(struct run *run, int64_t user, struct span text)
{
	struct request *req = decode(text);

	if (req == NULL)
		return;
	int room = req->room.p != NULL ? model_find_room(&run->model, req->room) : -1;
	if (req->op == OP_ROOMS)
		history_read_now(run, STORE_READ_ROOMS, user, 0, req);
	else if (req->op == OP_HELLO && req->token.p != NULL && req->name.p == NULL)
		history_read_now(run, STORE_READ_HELLO, 0, 0, req);
	else if (req->op == OP_HISTORY)
		history_read_now(run, STORE_READ_EVENTS, user, room >= 0 ? room : MODEL_N_ROOMS,
				 req);
	else if (room >= 0 && op_is_write(req->op))
		write_event(run, user, room, req);
	else if (room >= 0 && req->op == OP_READ)
		mark(run, user, room, req);
	else
		request_free(req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;

	if (st == NULL)
		open_store();
	run = (struct run){.in = {.p = data, .left = size}};
	run.last = &run.batch;
	model_init(&run.model);
	current = &run;
	while (run.in.left > 0)
		history_command(&run);
	history_commit(&run);
	current = NULL;
	if (run.n_writes != 0)
		empty_store();
	model_deinit(&run.model);
	return 0;
}
