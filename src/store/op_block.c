/*
 * Who wants nothing of whom, and what is reported to the team's admins.
 *
 * A report shows admins the message that it is about, also where they do not see its room: somebody
 * who does see it has shown it to them.  It keeps no copy: what is deleted is gone there, too.
 */
#include "hubbub/clock.h"
#include "hubbub/permit.h"
#include "store/account.h"
#include "store/store_internal.h"

#define MAX_BLOCKS 1000

int op_is_blocked(struct writer *w, int64_t by, int64_t whom)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_BLOCK);

	db_bind_int(s, 1, by);
	db_bind_int(s, 2, whom);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

int op_is_blocked_direct(struct writer *w, int64_t user, int64_t room)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_BLOCK_DIRECT);

	db_bind_int(s, 1, user);
	db_bind_int(s, 2, room);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

static int64_t count_blocks(struct writer *w, int64_t user)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_BLOCKS);

	db_bind_int(s, 1, user);
	int rc = db_step(s);
	int64_t n = rc > 0 ? sqlite3_column_int64(s, 0) : rc;
	if (rc > 0)
		sqlite3_reset(s);
	return n;
}

int apply_block(struct writer *w, struct store_op *op, const struct actor *actor)
{
	int64_t whom = (int64_t)op->req->target;
	enum team_role team;
	int64_t n = count_blocks(w, actor->user);
	int rc = op_find_team_role(w, whom, &team);

	if (rc < 0 || n < 0)
		return rc < 0 ? rc : (int)n;
	if (op->req->on && rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such user.");
	if (whom == actor->user)
		return op_refuse(op, PROTO_E_FORBIDDEN, "Nobody blocks themselves.");
	if (op->req->on && n >= MAX_BLOCKS)
		return op_refuse(op, PROTO_E_TOO_LARGE, "You have blocked 1,000 people already.");
	sqlite3_stmt *s = db_stmt(&w->db, op->req->on ? W_BLOCK_ADD : W_BLOCK_DROP);
	db_bind_int(s, 1, actor->user);
	db_bind_int(s, 2, whom);
	return db_run(s);
}

/* A message that is there. */
struct reported {
	struct writer_room *room;
	int64_t event, author;
	uint64_t seq;
	unsigned char mentions[8 * REQUEST_MAX_MENTIONS];
	size_t mentions_len;
};

/* 1: @out is filled but for the room; 0: it is gone; or negative. */
static int find_message(struct writer *w, int64_t room, uint64_t seq, struct reported *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_EVENT_BY_SEQ);

	db_bind_int(s, 1, room);
	db_bind_int(s, 2, (int64_t)seq);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	bool is_there = sqlite3_column_int(s, 1) == EVENT_MESSAGE && sqlite3_column_int(s, 3) == 0;
	struct span mentions = db_column(s, 4);

	out->event = sqlite3_column_int64(s, 0);
	out->author = sqlite3_column_int64(s, 2);
	out->seq = seq;
	out->mentions_len = mentions.len <= sizeof(out->mentions) ? mentions.len : 0;
	if (out->mentions_len != 0)
		memcpy(out->mentions, mentions.p, out->mentions_len);
	sqlite3_reset(s);
	return is_there;
}

int apply_report(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct reported m;
	int rc = op_find_room(w, op->req, &op->room_id);

	op->user = actor->user;
	if (rc > 0)
		rc = writer_find_room(w, op->room_id, &m.room);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	rc = op_permit(w, op, OP_HISTORY, m.room, false);
	if (rc > 0)
		rc = find_message(w, op->room_id, op->req->target, &m);
	if (rc < 0 || op->err != PROTO_OK)
		return rc < 0 ? rc : 0;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such message.");
	if (m.author == actor->user)
		return op_refuse(op, PROTO_E_FORBIDDEN, "That is your own: delete it.");
	sqlite3_stmt *s = db_stmt(&w->db, W_REPORT_NEW);
	db_bind_int(s, 1, op->room_id);
	db_bind_int(s, 2, (int64_t)m.seq);
	db_bind_int(s, 3, actor->user);
	db_bind_int(s, 4, clock_wall_ms());
	db_bind_text(s, 5, op->req->text.p != NULL ? op->req->text : SPAN(""));
	return db_run(s);
}

/* Delete it in the admin's name, whoever sees its room. */
static int delete_message(struct writer *w, struct store_op *op, const struct reported *m)
{
	op->event = (struct event){.kind = EVENT_DELETE, .target = m->seq};
	op->drops_tail = true;
	int rc = op_fill_event(w, op, m->room);

	if (rc == 0)
		rc = op_append_event(w, op, m->room, NULL);
	return rc <= 0 ? rc
		       : op_clear_target(w, m->room->id, m->event, m->seq,
					 (struct span){.p = (const char *)m->mentions,
						       .len = m->mentions_len});
}

int apply_report_close(struct writer *w, struct store_op *op, const struct actor *actor)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_REPORT);
	struct reported m;
	const char *author = NULL;

	db_bind_int(s, 1, (int64_t)op->req->target);
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such report.");
	op->room_id = sqlite3_column_int64(s, 0);
	uint64_t seq = (uint64_t)sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	op->user = actor->user;
	rc = writer_find_room(w, op->room_id, &m.room);
	if (rc > 0)
		rc = find_message(w, op->room_id, seq, &m);
	if (rc < 0)
		return rc;
	int err = rc > 0 && op->req->on ? delete_message(w, op, &m) : 0;
	if (err == 0 && rc > 0)
		err = writer_find_name(w, m.author, &author);
	if (err == 0) {
		s = db_stmt(&w->db, W_REPORT_DROP);
		db_bind_int(s, 1, op->room_id);
		db_bind_int(s, 2, (int64_t)seq);
		err = db_run(s);
	}
	return err != 0 ? err
			: account_audit(w, op, actor->user,
					op->req->on ? "report-delete" : "report-dismiss",
					span_of(author != NULL ? author : ""));
}
