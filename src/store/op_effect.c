/*
 * What a write does beside appending its event: texts that go, reactions that count, people who
 * are mentioned.
 */
#include "store/row.h"
#include "store/store_internal.h"
#include "store/writer.h"

/* A folded message lists each kind of its reactions, so there is a bound to them. */
enum {
	MAX_KINDS_PER_MESSAGE = 200
};

static int run_on_target(struct writer *w, unsigned stmt, int64_t room, uint64_t target)
{
	sqlite3_stmt *s = db_stmt(&w->db, stmt);

	db_bind_int(s, 1, room);
	db_bind_int(s, 2, (int64_t)target);
	return db_run(s);
}

int op_find_target(struct writer *w, int64_t room, uint64_t seq, struct op_target *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_EVENT_BY_SEQ);

	*out = (struct op_target){0};
	db_bind_int(s, 1, room);
	db_bind_int(s, 2, (int64_t)seq);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	out->event = sqlite3_column_int64(s, 0);
	out->kind = (enum event_kind)sqlite3_column_int(s, 1);
	out->author = sqlite3_column_int64(s, 2);
	out->is_message = out->kind == EVENT_MESSAGE && sqlite3_column_int(s, 3) == 0;
	struct span mentions = db_column(s, 4);
	out->mentions_len = mentions.len <= sizeof(out->mentions) ? mentions.len : 0;
	if (out->mentions_len != 0)
		memcpy(out->mentions, mentions.p, out->mentions_len);
	out->ts = sqlite3_column_int64(s, 5);
	sqlite3_reset(s);
	return 0;
}

int op_clear_target(struct writer *w, int64_t room, uint64_t seq, const struct op_target *target)
{
	struct span mentions = {.p = (const char *)target->mentions, .len = target->mentions_len};
	int64_t ids[REQUEST_MAX_MENTIONS];
	unsigned n = row_unpack_mentions(ids, mentions);
	sqlite3_stmt *s = db_stmt(&w->db, W_CLEAR_MESSAGE);

	db_bind_int(s, 1, target->event);
	int err = db_run(s);
	if (err == 0)
		err = run_on_target(w, W_CLEAR_EDITS, room, seq);
	if (err == 0)
		err = run_on_target(w, W_REACTIONS_CLEAR, room, seq);
	if (err == 0)
		err = run_on_target(w, W_REACTION_COUNTS_CLEAR, room, seq);
	for (unsigned i = 0; err == 0 && i < n; i++) {
		s = db_stmt(&w->db, W_MENTION_DROP);
		db_bind_int(s, 1, ids[i]);
		db_bind_int(s, 2, room);
		db_bind_int(s, 3, (int64_t)seq);
		err = db_run(s);
	}
	return err;
}

int op_delete_message(struct writer *w, struct store_op *op, struct writer_room *room, uint64_t seq,
		      const struct op_target *target)
{
	op->event = (struct event){.kind = EVENT_DELETE, .target = seq};
	op->drops_tail = true;
	int rc = op_fill_event(w, op, room);

	if (rc == 0)
		rc = op_append_event(w, op, room, NULL);
	return rc > 0 ? op_clear_target(w, room->id, seq, target) : rc;
}

static sqlite3_stmt *reaction_stmt(struct writer *w, unsigned stmt, const struct store_op *op)
{
	sqlite3_stmt *s = db_stmt(&w->db, stmt);

	db_bind_int(s, 1, op->room_id);
	db_bind_int(s, 2, (int64_t)op->req->target);
	db_bind_blob(s, 3, op->req->emoji);
	return s;
}

/* 0 or negative; *@count is 0 where nobody has that emoji there. */
static int count_reaction(struct writer *w, const struct store_op *op, uint64_t *count)
{
	sqlite3_stmt *s = reaction_stmt(w, W_REACTION_COUNT, op);
	int rc = db_step(s);

	*count = rc > 0 ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
	if (rc > 0)
		sqlite3_reset(s);
	return rc < 0 ? rc : 0;
}

/* 1: one more kind fits; 0: it does not; negative: failed. */
static int check_kinds(struct writer *w, const struct store_op *op)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_REACTION_KINDS);

	db_bind_int(s, 1, op->room_id);
	db_bind_int(s, 2, (int64_t)op->req->target);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	rc = sqlite3_column_int64(s, 0) < MAX_KINDS_PER_MESSAGE;
	sqlite3_reset(s);
	return rc;
}

int op_apply_reaction(struct writer *w, const struct store_op *op, uint64_t seq, uint64_t *count)
{
	bool on = op->req->on;
	int rc = count_reaction(w, op, count);

	if (rc == 0 && on && *count == 0) {
		rc = check_kinds(w, op);
		if (rc == 0)
			return 0;
	}
	if (rc < 0)
		return rc;

	sqlite3_stmt *s = reaction_stmt(w, on ? W_REACTION_ADD : W_REACTION_DROP, op);
	db_bind_int(s, 4, op->user);
	int err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) == 0)
		return 1; /* it was so before */

	if (on) {
		s = reaction_stmt(w, W_REACTION_COUNT_ADD, op);
		db_bind_int(s, 4, (int64_t)seq);
		err = db_run(s);
	} else {
		err = db_run(reaction_stmt(w, W_REACTION_COUNT_SUB, op));
		if (err == 0 && *count <= 1)
			err = db_run(reaction_stmt(w, W_REACTION_COUNT_TRIM, op));
	}
	if (err == 0)
		err = count_reaction(w, op, count);
	return err != 0 ? err : 1;
}

int op_add_mentions(struct writer *w, const struct store_op *op, uint64_t seq)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < op->req->n_mentions; i++) {
		if (op->req->mentions[i] == op->user)
			continue; /* nobody calls themselves */
		sqlite3_stmt *s = db_stmt(&w->db, W_MENTION_ADD);
		db_bind_int(s, 4, op->user);
		db_bind_int(s, 1, op->req->mentions[i]);
		db_bind_int(s, 2, op->room_id);
		db_bind_int(s, 3, (int64_t)seq);
		err = db_run(s);
	}
	return err;
}
