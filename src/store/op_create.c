/*
 * create and direct: rooms that are made on purpose.
 *
 * A room with a name is found by it, so making one twice is refused; under the same key the reply
 * of the first time comes again.  A direct room is found by its people.
 */
#include "hubbub/mem.h"
#include "hubbub/permit.h"
#include "store/secret.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <errno.h>
#include <stdlib.h>

int op_make_room(struct writer *w, const struct new_room *room, int64_t *id)
{
	char rid[STORE_RID_SIZE];
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_NEW);

	secret_make_rid(rid);
	db_bind_text(s, 1, span_of(rid));
	db_bind_text(s, 2, room->name);
	db_bind_text(s, 3, room->title);
	db_bind_int(s, 4, room->kind);
	db_bind_text(s, 5, room->topic.p != NULL ? room->topic : SPAN(""));
	db_bind_text(s, 6, room->people);
	int err = db_run(s);
	if (err == 0)
		*id = sqlite3_last_insert_rowid(w->db.h);
	return err;
}

/* Whether op->user may make rooms.  1; 0: refused; negative: failed. */
static int may(struct writer *w, struct store_op *op)
{
	enum team_role team;
	int rc = op_find_team_role(w, op->user, &team);

	if (rc > 0)
		rc = permit_to_make_rooms(team);
	return rc != 0 ? rc : op_refuse(op, PROTO_E_FORBIDDEN, "Guests make no rooms.");
}

int op_refuse_lookalike(struct writer *w, struct store_op *op, struct span title, int64_t room)
{
	int rc = op_has_lookalike(w, title, room);

	if (rc > 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN,
				 "There is a room whose name looks like this one.");
	return rc < 0 ? rc : 1;
}

/* Whether the room that is wanted may have its name.  1; 0: refused; negative: failed. */
static int check_name(struct writer *w, struct store_op *op)
{
	const struct request *req = op->req;
	int64_t other;

	if (req->kind == ROOM_PRIVATE)
		return 1;
	if (req->title_key.p == NULL)
		return op_refuse(op, PROTO_E_BAD_REQUEST,
				 "A room's name is letters, digits, '-', '_' and '.'.");
	int rc = op_find_room(w, &(struct request){.room = req->title_key}, &other);
	if (rc > 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN, "There is a room with this name.");
	return rc < 0 ? rc : op_refuse_lookalike(w, op, req->text, 0);
}

/* What the reply says: the room, and what the user is in it; by now that may be nothing. */
static int answer(struct writer *w, struct store_op *op)
{
	const struct writer_member *m;
	struct writer_room *room;
	int rc = writer_find_room(w, op->room_id, &room);

	if (rc > 0)
		rc = op_permit(w, op, OP_JOIN, room, false);
	if (rc <= 0)
		return rc;
	int err = writer_find_member(w, op->user, room->id, &m);

	if (err == 0)
		op->role = m->role;
	return err == 0 ? op_fill_entry(w, op) : err;
}

/* The first event of its log says whose it is. */
static int begin_log(struct writer *w, struct store_op *op, const unsigned char *hash)
{
	struct writer_room *room;
	int rc = writer_find_room(w, op->room_id, &room);

	if (rc > 0)
		rc = op_add_member(w, op->user, room, ROOM_ROLE_OWNER);
	return rc != 0 ? rc : op_append_own(w, op, room, MEMBER_ADD, 0, hash);
}

static int create(struct writer *w, struct store_op *op)
{
	const struct request *req = op->req;
	unsigned char hash[SECRET_CONTENT_HASH_BYTES];
	struct new_room room = {.kind = req->kind, .title = req->text, .topic = req->topic};

	secret_hash_content(hash, w->hash_key, req, SPAN(""));
	int rc = op_answer_known_key(w, op, hash);
	if (rc != 0)
		return rc < 0 ? rc : op->err == PROTO_OK ? answer(w, op) : 0;
	rc = may(w, op);
	if (rc > 0)
		rc = check_name(w, op);
	if (rc <= 0)
		return rc;
	if (req->kind != ROOM_PRIVATE)
		room.name = req->title_key;
	rc = op_make_room(w, &room, &op->room_id);
	if (rc == 0)
		rc = begin_log(w, op, hash);
	return rc != 0 ? rc : answer(w, op);
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Everybody whom it is between, in rising order.  1; 0: refused; negative: failed. */
static int gather_people(struct writer *w, struct store_op *op,
			 int64_t people[REQUEST_MAX_DIRECT + 1], unsigned *n)
{
	const struct request *req = op->req;

	*n = 0;
	people[(*n)++] = op->user;
	for (unsigned i = 0; i < req->n_mentions; i++) {
		enum team_role team;

		if (req->mentions[i] == op->user)
			continue;
		int rc = op_find_team_role(w, req->mentions[i], &team);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such user.");
		people[(*n)++] = req->mentions[i];
	}
	if (*n == 1)
		return op_refuse(op, PROTO_E_BAD_REQUEST, "Somebody else is wanted.");
	qsort(people, *n, sizeof(people[0]), compare_ids);
	return 1;
}

/* Nobody opens a conversation with somebody who has blocked them, or whom they have.  1; 0:
 * refused; negative: failed. */
static int check_blocks(struct writer *w, struct store_op *op, const int64_t *people, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int rc = op_is_blocked(w, people[i], op->user);

		if (rc == 0)
			rc = op_is_blocked(w, op->user, people[i]);
		if (rc < 0)
			return rc;
		if (rc > 0)
			return op_refuse(op, PROTO_E_FORBIDDEN,
					 "One of you has blocked the other.");
	}
	return 1;
}

static int make_direct(struct writer *w, struct store_op *op, struct span key,
		       const int64_t *people, unsigned n)
{
	struct new_room made = {.kind = ROOM_DIRECT, .title = SPAN(""), .people = key};
	struct writer_room *room;
	int rc = check_blocks(w, op, people, n);

	if (rc <= 0)
		return rc;
	rc = op_make_room(w, &made, &op->room_id);
	if (rc == 0)
		rc = writer_find_room(w, op->room_id, &room);
	if (rc <= 0)
		return rc < 0 ? rc : -EUCLEAN;
	rc = 0;
	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = op_add_member(w, people[i], room, ROOM_ROLE_MEMBER);
	for (unsigned i = 0; i < n; i++) {
		if (people[i] != op->user)
			op->added[op->n_added++] = people[i];
	}
	return rc;
}

static int open_direct(struct writer *w, struct store_op *op)
{
	int64_t people[REQUEST_MAX_DIRECT + 1];
	struct buf key = {0};
	unsigned n;
	int rc = may(w, op);

	if (rc > 0)
		rc = gather_people(w, op, people, &n);
	if (rc <= 0)
		return rc;
	for (unsigned i = 0; i < n; i++)
		buf_printf(&key, "%s%lld", i > 0 ? "," : "", (long long)people[i]);
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_BY_PEOPLE);
	db_bind_text(s, 1, buf_span(&key));
	rc = db_step(s);
	if (rc > 0) {
		op->room_id = sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
		rc = 0;
	} else if (rc == 0) {
		rc = make_direct(w, op, buf_span(&key), people, n);
	}
	buf_deinit(&key);
	return rc != 0 || op->err != PROTO_OK ? rc : answer(w, op);
}

int op_apply_create(struct writer *w, struct store_op *op)
{
	return op->req->op == OP_DIRECT ? open_direct(w, op) : create(w, op);
}
