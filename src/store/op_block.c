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

/* Whether the statement yields a row for @a and @b.  1, 0 or negative. */
static int has_row(struct writer *w, unsigned stmt, int64_t a, int64_t b)
{
	sqlite3_stmt *s = db_stmt(&w->db, stmt);

	db_bind_int(s, 1, a);
	db_bind_int(s, 2, b);
	int rc = db_step(s);
	if (rc > 0)
		sqlite3_reset(s);
	return rc;
}

int op_is_blocked(struct writer *w, int64_t by, int64_t whom)
{
	return has_row(w, W_BLOCK, by, whom);
}

int op_is_blocked_direct(struct writer *w, int64_t user, int64_t room)
{
	return has_row(w, W_BLOCK_DIRECT, user, room);
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

int apply_report(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct op_target target;
	struct writer_room *room;
	int rc = op_find_room(w, op->req, &op->room_id);

	op->user = actor->user;
	if (rc > 0)
		rc = writer_find_room(w, op->room_id, &room);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	rc = op_permit(w, op, OP_HISTORY, room, false);
	if (rc <= 0)
		return rc;
	rc = op_find_target(w, room->id, op->req->target, &target);
	if (rc < 0)
		return rc;
	if (!target.is_message)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such message.");
	if (target.author == actor->user)
		return op_refuse(op, PROTO_E_FORBIDDEN, "That is your own: delete it.");
	sqlite3_stmt *s = db_stmt(&w->db, W_REPORT_NEW);
	db_bind_int(s, 1, room->id);
	db_bind_int(s, 2, (int64_t)op->req->target);
	db_bind_int(s, 3, actor->user);
	db_bind_int(s, 4, clock_wall_ms());
	db_bind_text(s, 5, op->req->text.p != NULL ? op->req->text : SPAN(""));
	return db_run(s);
}

/* 1: the message that the report is about; 0: there is no such report; or negative. */
static int find_report(struct writer *w, uint64_t id, int64_t *room, uint64_t *seq)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_REPORT);

	db_bind_int(s, 1, (int64_t)id);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	*room = sqlite3_column_int64(s, 0);
	*seq = (uint64_t)sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	return 1;
}

/* The message may be deleted in the admin's name, whoever sees its room. */
int apply_report_close(struct writer *w, struct store_op *op, const struct actor *actor)
{
	struct op_target target;
	struct writer_room *room;
	const char *author = NULL;
	uint64_t seq;
	int rc = find_report(w, op->req->target, &op->room_id, &seq);

	op->user = actor->user;
	if (rc > 0)
		rc = writer_find_room(w, op->room_id, &room);
	if (rc == 0)
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such report.");
	int err = rc < 0 ? rc : op_find_target(w, room->id, seq, &target);
	if (err == 0 && target.is_message && op->req->on)
		err = op_delete_message(w, op, room, seq, &target);
	if (err == 0)
		err = writer_find_name(w, target.author, &author);
	if (err != 0)
		return err;
	sqlite3_stmt *s = db_stmt(&w->db, W_REPORT_DROP);
	db_bind_int(s, 1, room->id);
	db_bind_int(s, 2, (int64_t)seq);
	err = db_run(s);
	return err != 0 ? err
			: account_audit(w, op, actor->user,
					op->req->on ? "report-delete" : "report-dismiss",
					span_of(author != NULL ? author : ""));
}
