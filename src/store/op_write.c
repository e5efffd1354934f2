/*
 * send, edit, delete and react: one event appended to a room's log.
 *
 * The key is looked up first, then the targets, both inside the transaction, so that earlier ops of
 * the same batch count.  A refused op writes nothing and does not use up its key.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/row.h"
#include "store/secret.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <assert.h>

/* What a write points at, as it stands. */
struct target {
	int64_t event;
	bool is_message; /* and not deleted */
	int64_t author;
	unsigned char mentions[8 * REQUEST_MAX_MENTIONS];
	size_t mentions_len;
};

static struct span hash_span(const unsigned char *hash)
{
	return (struct span){.p = (const char *)hash, .len = SECRET_CONTENT_HASH_BYTES};
}

/* 1: the key is known and the op answered; 0: it is new; negative: failed. */
static int answer_known_key(struct writer *w, struct store_op *op, const unsigned char *hash)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_EVENT_BY_KEY);

	db_bind_int(s, 1, op->user);
	db_bind_blob(s, 2, op->req->key);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	if (span_equal(db_column(s, 2), hash_span(hash))) {
		op->seq = (uint64_t)sqlite3_column_int64(s, 0);
		op->ts = sqlite3_column_int64(s, 1);
		op->dup = true;
	} else {
		op_refuse(op, PROTO_E_KEY_CONFLICT, "This key was used for something else.");
	}
	sqlite3_reset(s);
	return 1;
}

/* 0 with @out filled (is_message false where there is none), or negative. */
static int find_target(struct writer *w, int64_t room, uint64_t seq, struct target *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_EVENT_BY_SEQ);

	*out = (struct target){0};
	db_bind_int(s, 1, room);
	db_bind_int(s, 2, (int64_t)seq);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	out->event = sqlite3_column_int64(s, 0);
	out->author = sqlite3_column_int64(s, 2);
	out->is_message =
		sqlite3_column_int(s, 1) == EVENT_MESSAGE && sqlite3_column_int(s, 3) == 0;
	struct span mentions = db_column(s, 4);
	out->mentions_len = mentions.len <= sizeof(out->mentions) ? mentions.len : 0;
	if (out->mentions_len != 0)
		memcpy(out->mentions, mentions.p, out->mentions_len);
	sqlite3_reset(s);
	return 0;
}

/* Whether the op may be: sets its err where not.  0 or negative. */
static int check(struct writer *w, struct store_op *op, struct target *target)
{
	const struct request *req = op->req;
	struct target other;
	int err = 0;

	if (req->op != OP_SEND) {
		err = find_target(w, op->room_id, req->target, target);
		if (err != 0)
			return err;
		if (!target->is_message)
			return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such message.");
		if (req->op != OP_REACT && target->author != op->user)
			return op_refuse(op, PROTO_E_FORBIDDEN, "Only its author may do that.");
		return 0;
	}
	const uint64_t refs[] = {req->thread, req->quote};
	for (size_t i = 0; i < 2; i++) {
		if (refs[i] == 0)
			continue;
		err = find_target(w, op->room_id, refs[i], &other);
		if (err != 0)
			return err;
		if (!other.is_message)
			return op_refuse(op, PROTO_E_NOT_FOUND,
					 "The message that it refers to is not there.");
	}
	return 0;
}

/* 0 or negative: which of the author's messages in this room the next one is. */
static int next_own_ord(struct writer *w, const struct store_op *op, uint64_t *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_OWN_ORD);

	db_bind_int(s, 1, op->user);
	db_bind_int(s, 2, op->room_id);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	*out = 1;
	if (rc > 0) {
		*out += (uint64_t)sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
	}
	return 0;
}

static void bind_unless_0(sqlite3_stmt *s, int i, uint64_t n)
{
	if (n != 0)
		db_bind_int(s, i, (int64_t)n);
}

static int insert(struct writer *w, struct store_op *op, struct writer_room *room,
		  const unsigned char *hash)
{
	const struct event *e = &op->event;
	unsigned char mentions[8 * REQUEST_MAX_MENTIONS];
	size_t mentions_len = row_pack_mentions(mentions, e->mentions, e->n_mentions);
	uint64_t own_ord = 0;

	if (e->kind == EVENT_MESSAGE) {
		int err = next_own_ord(w, op, &own_ord);
		if (err != 0)
			return err;
	}
	sqlite3_stmt *s = db_stmt(&w->db, W_EVENT_NEW);
	db_bind_int(s, 1, op->room_id);
	db_bind_int(s, 2, (int64_t)e->seq);
	db_bind_int(s, 3, e->ts);
	db_bind_int(s, 4, e->kind);
	db_bind_int(s, 5, op->user);
	bind_unless_0(s, 6, e->target);
	bind_unless_0(s, 7, e->thread);
	bind_unless_0(s, 8, e->quote);
	db_bind_int(s, 9, (int64_t)room->n_messages + (e->kind == EVENT_MESSAGE));
	if (e->kind == EVENT_MESSAGE)
		db_bind_int(s, 10, (int64_t)own_ord);
	if (e->kind == EVENT_REACT) {
		db_bind_int(s, 11, e->on);
		db_bind_int(s, 12, (int64_t)e->count);
		db_bind_blob(s, 13, e->emoji);
	}
	db_bind_blob(s, 14, op->req->key);
	db_bind_blob(s, 15, hash_span(hash));
	if (mentions_len != 0)
		db_bind_blob(s, 16,
			     (struct span){.p = (const char *)mentions, .len = mentions_len});
	if (e->text.p != NULL)
		db_bind_blob(s, 17, e->text);
	int err = db_run(s);
	if (err != 0)
		return err;
	w->batch_event = sqlite3_last_insert_rowid(w->db.h);
	return 0;
}

static enum event_kind kind_of(enum op op)
{
	switch (op) {
	case OP_SEND:
		return EVENT_MESSAGE;
	case OP_EDIT:
		return EVENT_EDIT;
	case OP_DELETE:
		return EVENT_DELETE;
	case OP_REACT:
		return EVENT_REACT;
	default:
		assert(!"no write");
		return 0;
	}
}

/* The event as it goes out; what it points at belongs to the op. */
static int fill_event(struct writer *w, struct store_op *op, const struct writer_room *room)
{
	const struct request *req = op->req;
	const char *name;
	int err = writer_find_name(w, op->user, &name);

	if (err != 0)
		return err;
	op->name = mem_strdup(name != NULL ? name : "");
	buf_append_str(&op->scratch, room->label);
	op->event = (struct event){
		.kind = kind_of(req->op),
		.room = buf_span(&op->scratch),
		.seq = room->head + 1,
		.ts = clock_wall_ms(),
		.from_id = op->user,
		.from_name = span_of(op->name),
	};
	struct event *e = &op->event;
	if (e->kind == EVENT_MESSAGE) {
		e->thread = req->thread;
		e->quote = req->quote;
		e->mentions = req->mentions;
		e->n_mentions = req->n_mentions;
	} else {
		e->target = req->target;
	}
	if (e->kind == EVENT_MESSAGE || e->kind == EVENT_EDIT)
		e->text = req->text;
	if (e->kind == EVENT_REACT) {
		e->emoji = req->emoji;
		e->on = req->on;
	}
	return 0;
}

int op_apply_write(struct writer *w, struct store_op *op)
{
	unsigned char hash[SECRET_CONTENT_HASH_BYTES];
	struct target target = {0};
	struct writer_room *room;
	int rc = writer_find_room(w, op->room_id, &room);

	if (rc <= 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	secret_hash_content(hash, w->hash_key, op->req, span_of(room->rid));
	rc = answer_known_key(w, op, hash);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = check(w, op, &target);
	if (rc != 0 || op->err != PROTO_OK)
		return rc;
	rc = fill_event(w, op, room);
	if (rc != 0)
		return rc;

	struct event *e = &op->event;
	if (e->kind == EVENT_REACT) {
		rc = op_apply_reaction(w, op, e->seq, &e->count);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			op->event = (struct event){0};
			return op_refuse(op, PROTO_E_TOO_LARGE,
					 "This message has too many kinds of reactions.");
		}
	}
	rc = insert(w, op, room, hash);
	if (rc == 0 && e->kind == EVENT_DELETE)
		rc = op_clear_target(
			w, op->room_id, target.event, e->target,
			(struct span){.p = (char *)target.mentions, .len = target.mentions_len});
	if (rc == 0 && e->kind == EVENT_MESSAGE)
		rc = op_add_mentions(w, op, e->seq);
	if (rc != 0)
		return rc;

	room->head = e->seq;
	room->n_messages += e->kind == EVENT_MESSAGE;
	writer_mark_dirty(w, room);
	op->seq = e->seq;
	op->ts = e->ts;
	op->drops_tail = e->kind == EVENT_DELETE;
	return 0;
}
