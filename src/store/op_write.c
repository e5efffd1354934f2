/*
 * send, edit, delete and react: one event appended to a room's log.
 *
 * The key is looked up first, then the targets, both inside the transaction, so that earlier ops of
 * the same batch count.  What points at nothing is new nearly always: it is inserted, and only if
 * its key is there already is that looked up.  A refused op writes nothing and does not use up its
 * key.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/row.h"
#include "store/secret.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <assert.h>
#include <errno.h>

/* Whether the op may be: sets its err where not.  0 or negative. */
static int check(struct writer *w, struct store_op *op, const struct writer_room *room,
		 struct op_target *target)
{
	const struct request *req = op->req;
	struct op_target other;
	int err = 0;

	if (req->op != OP_SEND) {
		err = op_find_target(w, op->room_id, req->target, target);
		if (err != 0)
			return err;
		if (!target->is_message)
			return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such message.");
		if (req->op == OP_REACT || target->author == op->user)
			return 0;
		int rc = op_permit(w, op, req->op, room, true);
		if (rc == 0)
			op->why = "Only its author may do that.";
		else if (rc > 0)
			rc = op_audit_room(w, op, room, "message-delete", target->author);
		return rc < 0 ? rc : 0;
	}
	const uint64_t refs[] = {req->thread, req->quote};
	for (size_t i = 0; i < 2; i++) {
		if (refs[i] == 0)
			continue;
		err = op_find_target(w, op->room_id, refs[i], &other);
		if (err != 0)
			return err;
		if (!other.is_message)
			return op_refuse(op, PROTO_E_NOT_FOUND,
					 "The message that it refers to is not there.");
	}
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

/* What it says of itself. */
static void begin_event(struct store_op *op)
{
	const struct request *req = op->req;
	struct event *e = &op->event;

	*e = (struct event){.kind = kind_of(req->op)};
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
}

/* What must be known before the op may be: 1: it is answered; 0: go on; negative: failed. */
static int look_first(struct writer *w, struct store_op *op, const struct writer_room *room,
		      const unsigned char *hash, struct op_target *target)
{
	const struct request *req = op->req;
	int rc = op_permit(w, op, req->op, room, false);

	if (rc < 0)
		return rc;
	if (rc == 0 && op->err == PROTO_E_NOT_FOUND)
		return 1;
	if (rc > 0 && req->op == OP_SEND && req->thread == 0 && req->quote == 0)
		return 0;
	/* What was written once gets its reply also when one may not write any longer. */
	enum proto_error refused = op->err;

	op->err = PROTO_OK;
	rc = op_answer_known_key(w, op, hash);
	if (rc != 0)
		return rc;
	op->err = refused;
	if (refused == PROTO_OK && !op_is_change(req->op))
		rc = check(w, op, room, target);
	return rc != 0 ? rc : op->err != PROTO_OK;
}

/* What the event does beside being there.  0 or negative. */
static int apply_effects(struct writer *w, struct store_op *op, const struct op_target *target)
{
	const struct event *e = &op->event;

	if (e->kind == EVENT_MESSAGE)
		return op_add_mentions(w, op, e->seq);
	if (e->kind != EVENT_DELETE)
		return 0;
	op->drops_tail = true;
	return op_clear_target(w, op->room_id, e->target, target);
}

/* The event before it is appended.  0, with the op refused or not, or negative. */
static int make_event(struct writer *w, struct store_op *op, struct writer_room *room)
{
	if (op_is_change(op->req->op)) {
		int err = op_apply_change(w, op, room);

		if (err != 0 || op->err != PROTO_OK)
			return err;
	} else {
		begin_event(op);
	}
	int err = op_fill_event(w, op, room);

	if (err != 0 || op->event.kind != EVENT_REACT)
		return err;
	int rc = op_apply_reaction(w, op, op->event.seq, &op->event.count);

	if (rc == 0)
		op_refuse(op, PROTO_E_TOO_LARGE, "This message has too many kinds of reactions.");
	return rc < 0 ? rc : 0;
}

static bool req_adds(enum op op)
{
	return op == OP_SEND || op == OP_EDIT || op == OP_REACT;
}

/* 1: it is answered: one of the two in a direct room has blocked the other; 0: go on; negative:
 * failed. */
static int refuse_blocked(struct writer *w, struct store_op *op, const unsigned char *hash)
{
	int rc = op_is_blocked_direct(w, op->user, op->room_id);

	if (rc <= 0)
		return rc;
	rc = op_answer_known_key(w, op, hash);
	if (rc == 0)
		op_refuse(op, PROTO_E_FORBIDDEN, "One of you has blocked the other.");
	return rc < 0 ? rc : 1;
}

int op_apply_write(struct writer *w, struct store_op *op)
{
	unsigned char hash[SECRET_CONTENT_HASH_BYTES];
	struct op_target target = {0};
	struct writer_room *room;
	int rc = writer_find_room(w, op->room_id, &room);

	if (rc <= 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	secret_hash_content(hash, w->hash_key, op->req, span_of(room->rid));
	rc = look_first(w, op, room, hash, &target);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (room->kind == ROOM_DIRECT && req_adds(op->req->op)) {
		rc = refuse_blocked(w, op, hash);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	rc = make_event(w, op, room);
	if (rc == 0 && op->err == PROTO_OK)
		rc = op_append_event(w, op, room, hash);
	else if (rc == 0)
		op->event = (struct event){0};
	if (rc == 0 && op->err == PROTO_OK) {
		op->event = (struct event){0};
		rc = op_answer_known_key(w, op, hash);
		if (rc == 0)
			return -EUCLEAN; /* it is there, and it is not */
	} else if (rc > 0) {
		return apply_effects(w, op, &target);
	}
	return rc < 0 ? rc : 0;
}
