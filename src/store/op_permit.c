/*
 * Whether somebody may do something in a room, as of the transaction under way.
 */
#include "hubbub/clock.h"
#include "hubbub/permit.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <errno.h>

int op_find_team_role(struct writer *w, int64_t user, enum team_role *out)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_USER_TEAM);

	db_bind_int(s, 1, user);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	int64_t role = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	if (role < 0 || role >= N_TEAM_ROLES)
		return -EUCLEAN;
	*out = (enum team_role)role;
	return 1;
}

/* As a guest at first: mostly that will do, and nothing more is read. */
static int make_case(struct writer *w, int64_t user, const struct writer_room *room,
		     struct permit_case *out)
{
	const struct writer_member *m;
	int err = writer_find_member(w, user, room->id, &m);

	if (err == 0)
		*out = (struct permit_case){
			.kind = room->kind,
			.is_archived = room->is_archived,
			.team = ROLE_GUEST,
			.role = m->role,
			.is_muted = m->muted_until != 0 && m->muted_until > clock_wall_ms(),
		};
	return err;
}

static int refuse(struct store_op *op, enum permit permit)
{
	switch (permit) {
	case PERMIT_HIDDEN:
		return op_refuse(op, PROTO_E_NOT_FOUND, "There is no such room.");
	case PERMIT_ARCHIVED:
		return op_refuse(op, PROTO_E_FORBIDDEN, "This room is archived.");
	case PERMIT_MUTED:
		return op_refuse(op, PROTO_E_FORBIDDEN, "You are muted in this room.");
	default:
		return op_refuse(op, PROTO_E_FORBIDDEN,
				 "Your role in this room does not allow this.");
	}
}

int op_permit(struct writer *w, struct store_op *op, enum op asked, const struct writer_room *room,
	      bool is_others)
{
	struct permit_case c;
	int err = make_case(w, op->user, room, &c);

	if (err != 0)
		return err;
	c.is_others = is_others;
	enum permit permit = permit_in_room(asked, &c);

	if (permit == PERMIT_HIDDEN || permit == PERMIT_ROLE) {
		int rc = op_find_team_role(w, op->user, &c.team);

		if (rc < 0)
			return rc;
		permit = permit_in_room(asked, &c);
	}
	return permit == PERMIT_YES ? 1 : refuse(op, permit);
}

int op_find_standing(struct writer *w, int64_t user, const struct writer_room *room,
		     enum room_role *out)
{
	struct permit_case c;
	int rc = make_case(w, user, room, &c);

	if (rc == 0)
		rc = op_find_team_role(w, user, &c.team);
	if (rc >= 0)
		*out = permit_standing(&c);
	return rc < 0 ? rc : 0;
}

int op_audit_room(struct writer *w, const struct store_op *op, const struct writer_room *room,
		  const char *act, int64_t user)
{
	struct buf object = {0};
	const char *name = NULL;
	int err = user != 0 ? writer_find_name(w, user, &name) : 0;

	if (err != 0 || op->session == 0)
		return err;
	if (name != NULL)
		buf_printf(&object, "%s, ", name);
	buf_append_str(&object, room->label);
	sqlite3_stmt *s = db_stmt(&w->db, W_AUDIT_ROOM);
	db_bind_int(s, 1, clock_wall_ms());
	db_bind_int(s, 2, op->user);
	db_bind_text(s, 3, span_of(act));
	db_bind_text(s, 4, buf_span(&object));
	db_bind_int(s, 5, op->session);
	err = db_run(s);
	buf_deinit(&object);
	return err;
}
