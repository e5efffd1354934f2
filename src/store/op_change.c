/*
 * invite, remove, role, mute, topic, rename, archive: what changes a room, or who belongs to it.
 *
 * Each decides first, then changes the rows, and says in the op's event what it did; the event is
 * appended in the same transaction.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "hubbub/names.h"
#include "hubbub/permit.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <stdlib.h>

typedef int changer(struct writer *w, struct store_op *op, struct writer_room *room);

static void note_member(struct store_op *op, enum member_act act, uint64_t value)
{
	op->event = (struct event){
		.kind = EVENT_MEMBER,
		.about_id = (int64_t)op->req->target,
		.act = act,
		.value = value,
	};
}

/* Update a row of members, or the room's, whose parameter 3 or 2 is @n. */
static int update_member(struct writer *w, unsigned stmt, int64_t user, int64_t room, int64_t n)
{
	sqlite3_stmt *s = db_stmt(&w->db, stmt);

	db_bind_int(s, 1, user);
	db_bind_int(s, 2, room);
	if (stmt != W_MEMBER_DROP)
		db_bind_int(s, 3, n);
	writer_forget_member(w, user, room);
	return db_run(s);
}

int op_add_member(struct writer *w, int64_t user, const struct writer_room *room,
		  enum room_role role)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_INVITE);

	db_bind_int(s, 1, user);
	db_bind_int(s, 2, room->id);
	db_bind_int(s, 3, role);
	db_bind_int(s, 4, (int64_t)room->head);
	writer_forget_member(w, user, room->id);
	return db_run(s);
}

static int append_people(struct writer *w, int64_t room, struct buf *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_PEOPLE);
	int rc;

	db_bind_int(s, 1, room);
	while ((rc = db_step(s)) > 0) {
		if (out->len > 0)
			buf_append_char(out, ',');
		user_encode(out, sqlite3_column_int64(s, 0), db_column(s, 1));
	}
	return rc;
}

int op_fill_entry(struct writer *w, struct store_op *op)
{
	struct buf people = {0};
	struct writer_room *room;
	int rc = op_take_snapshot(w, op);

	if (rc == 0)
		rc = writer_find_room(w, op->room_id, &room);
	if (rc <= 0)
		return rc;
	rc = room->kind == ROOM_DIRECT ? append_people(w, room->id, &people) : 0;
	if (rc == 0) {
		struct room_entry e = {
			.room = span_of(room->label),
			.rid = span_of(op->room.rid),
			.title = span_of(op->room.title),
			.kind = room->kind,
			.is_archived = room->is_archived,
		};

		if (people.len > 0)
			e.people = buf_span(&people);
		room_entry_encode_open(&op->entry, &e);
	}
	buf_deinit(&people);
	return rc;
}

static int invite(struct writer *w, struct store_op *op, struct writer_room *room)
{
	int64_t user = (int64_t)op->req->target;
	const struct writer_member *m;
	enum team_role team;
	int rc = op_find_team_role(w, user, &team);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such user.");
	rc = writer_find_member(w, user, room->id, &m);
	if (rc < 0)
		return rc;
	if (m->role != ROOM_ROLE_NONE)
		return op_refuse(op, PROTO_E_FORBIDDEN, "They belong to this room already.");
	rc = op_is_blocked(w, user, op->user);
	if (rc != 0)
		return rc < 0 ? rc : op_refuse(op, PROTO_E_FORBIDDEN, "They have blocked you.");
	rc = op_add_member(w, user, room, ROOM_ROLE_MEMBER);
	if (rc == 0)
		rc = op_fill_entry(w, op);
	op->added[op->n_added++] = user;
	note_member(op, MEMBER_ADD, 0);
	return rc != 0 ? rc : op_audit_room(w, op, room, "room-invite", user);
}

/* Whether op->user may act on the target, who belongs to the room.  1; 0: refused; negative. */
static int find_target(struct writer *w, struct store_op *op, const struct writer_room *room,
		       enum room_role *role)
{
	int64_t user = (int64_t)op->req->target;
	const struct writer_member *m;
	enum room_role standing;
	int err = writer_find_member(w, user, room->id, &m);

	if (err == 0) {
		*role = m->role;
		err = op_find_standing(w, op->user, room, &standing);
	}
	if (err != 0)
		return err;
	if (*role == ROOM_ROLE_NONE)
		return op_refuse(op, PROTO_E_NOT_FOUND, "They do not belong to this room.");
	if (user != op->user && !permit_over(standing, *role))
		return op_refuse(op, PROTO_E_FORBIDDEN, "Their role is not below yours.");
	return 1;
}

static int remove_member(struct writer *w, struct store_op *op, struct writer_room *room)
{
	int64_t user = (int64_t)op->req->target;
	enum room_role role = ROOM_ROLE_NONE;

	if (user == op->user)
		return op_refuse(op, PROTO_E_FORBIDDEN, "One leaves a room by oneself.");
	int rc = find_target(w, op, room, &role);
	if (rc <= 0)
		return rc;
	rc = op_take_snapshot(w, op);
	if (rc == 0)
		rc = update_member(w, W_MEMBER_DROP, user, room->id, 0);
	note_member(op, MEMBER_REMOVE, 0);
	return rc != 0 ? rc : op_audit_room(w, op, room, "room-remove", user);
}

/* 1, 0 or negative. */
static int has_other_owner(struct writer *w, int64_t user, const struct writer_room *room)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_OTHER_OWNER);

	db_bind_int(s, 1, user);
	db_bind_int(s, 2, room->id);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

static int set_role(struct writer *w, struct store_op *op, struct writer_room *room)
{
	int64_t user = (int64_t)op->req->target;
	enum room_role wanted = op->req->room_role, role = ROOM_ROLE_NONE;
	int rc = find_target(w, op, room, &role);

	if (rc <= 0)
		return rc;
	rc = role == ROOM_ROLE_OWNER && wanted != role ? has_other_owner(w, user, room) : 1;
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_FORBIDDEN, "A room keeps an owner.");
	rc = update_member(w, W_MEMBER_ROLE, user, room->id, wanted);
	note_member(op, MEMBER_ROLE, wanted);
	return rc != 0 ? rc : op_audit_room(w, op, room, "room-role", user);
}

static int mute(struct writer *w, struct store_op *op, struct writer_room *room)
{
	int64_t user = (int64_t)op->req->target;
	uint64_t for_ms = op->req->for_ms;
	enum room_role role = ROOM_ROLE_NONE;

	if (user == op->user)
		return op_refuse(op, PROTO_E_FORBIDDEN, "Nobody mutes themselves.");
	int rc = find_target(w, op, room, &role);
	if (rc <= 0)
		return rc;
	uint64_t until = for_ms != 0 ? (uint64_t)clock_wall_ms() + for_ms : 0;
	rc = update_member(w, W_MEMBER_MUTE, user, room->id, (int64_t)until);
	note_member(op, MEMBER_MUTE, until);
	return rc != 0 ? rc : op_audit_room(w, op, room, "room-mute", user);
}

static int set_topic(struct writer *w, struct store_op *op, struct writer_room *room)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_TOPIC);

	db_bind_int(s, 1, room->id);
	db_bind_text(s, 2, op->req->topic);
	op->event = (struct event){.kind = EVENT_TOPIC, .text = op->req->topic};
	return db_run(s);
}

/* Whether the room may be called @name.  1; 0: another is; or negative. */
static int is_free(struct writer *w, const struct writer_room *room, struct span name)
{
	int64_t other = 0;
	int rc = op_find_room(w, &(struct request){.room = name}, &other);

	return rc < 0 ? rc : rc == 0 || other == room->id;
}

/* The room goes by @name, and by its old one as well. */
static int move_name(struct writer *w, const struct writer_room *room, struct span name)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_ALIAS);

	db_bind_int(s, 1, room->id);
	db_bind_text(s, 2, span_of(room->label));
	int err = db_run(s);
	if (err != 0)
		return err;
	s = db_stmt(&w->db, W_ROOM_UNALIAS);
	db_bind_int(s, 1, room->id);
	db_bind_text(s, 2, name);
	return db_run(s);
}

static int rename_room(struct writer *w, struct store_op *op, struct writer_room *room)
{
	struct span name = op->req->title_key;
	bool is_named = room->kind != ROOM_PRIVATE;
	int rc = 1;

	if (is_named && name.p == NULL)
		return op_refuse(op, PROTO_E_BAD_REQUEST,
				 "A room's name is letters, digits, '-', '_' and '.'.");
	if (is_named)
		rc = is_free(w, room, name);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NAME_TAKEN, "Another room has this name.");
	rc = is_named ? op_refuse_lookalike(w, op, op->req->text, room->id) : 1;
	if (rc <= 0)
		return rc;
	rc = op_take_snapshot(w, op);
	if (rc == 0 && is_named)
		rc = move_name(w, room, name);
	if (rc != 0)
		return rc;
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_RENAME);
	db_bind_int(s, 1, room->id);
	db_bind_text(s, 2, op->req->text);
	if (is_named) {
		db_bind_text(s, 3, name);
		free(room->label);
		room->label = mem_dup(name.p, name.len);
	}
	op->drops_tail = true;
	op->event = (struct event){
		.kind = EVENT_RENAME,
		.text = span_of(op->room.title),
		.title = op->req->text,
	};
	rc = db_run(s);
	return rc != 0 ? rc : op_audit_room(w, op, room, "room-rename", 0);
}

static int archive(struct writer *w, struct store_op *op, struct writer_room *room)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_ARCHIVE);

	db_bind_int(s, 1, room->id);
	db_bind_int(s, 2, op->req->on);
	room->is_archived = op->req->on;
	op->event = (struct event){.kind = EVENT_ARCHIVE, .on = op->req->on};
	int err = db_run(s);
	return err != 0 ? err
			: op_audit_room(w, op, room,
					op->req->on ? "room-archive" : "room-unarchive", 0);
}

static int keep(struct writer *w, struct store_op *op, struct writer_room *room)
{
	uint64_t value = op->req->keep;
	sqlite3_stmt *s = db_stmt(&w->db, W_ROOM_KEEP);

	db_bind_int(s, 1, room->id);
	if (value != 0)
		db_bind_int(s, 2, (int64_t)value - 1);
	op->event = (struct event){.kind = EVENT_KEEP, .value = value};
	op_want_upkeep(w);
	int err = db_run(s);
	return err != 0 ? err : op_audit_room(w, op, room, "room-keep", 0);
}

int op_apply_change(struct writer *w, struct store_op *op, struct writer_room *room)
{
	static changer *const changers[N_WS_OPS] = {
		[OP_INVITE] = invite,   [OP_REMOVE] = remove_member,
		[OP_ROLE] = set_role,   [OP_MUTE] = mute,
		[OP_TOPIC] = set_topic, [OP_RENAME] = rename_room,
		[OP_ARCHIVE] = archive, [OP_KEEP] = keep,
	};

	return changers[op->req->op](w, op, room);
}

int op_find_heir(struct writer *w, int64_t user, const struct writer_room *room, int64_t *heir)
{
	const struct writer_member *m;
	int rc = writer_find_member(w, user, room->id, &m);

	*heir = 0;
	if (rc == 0 && m->role != ROOM_ROLE_OWNER)
		return 0;
	if (rc == 0)
		rc = has_other_owner(w, user, room);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	sqlite3_stmt *s = db_stmt(&w->db, W_MEMBER_HEIR);
	db_bind_int(s, 1, user);
	db_bind_int(s, 2, room->id);
	rc = db_step(s);
	if (rc <= 0)
		return rc;
	*heir = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return update_member(w, W_MEMBER_ROLE, *heir, room->id, ROOM_ROLE_OWNER);
}
