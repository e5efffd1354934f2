/*
 * Whether somebody may read of a room, as of the snapshot that is read: who was removed meanwhile
 * may not.
 */
#include "hubbub/permit.h"
#include "store/reader.h"
#include <errno.h>

static bool make_case(sqlite3_stmt *s, struct permit_case *out)
{
	int64_t kind = sqlite3_column_int64(s, 3), role = sqlite3_column_int64(s, 5);
	int64_t team = sqlite3_column_int64(s, 6);

	*out = (struct permit_case){
		.kind = (enum room_kind)kind,
		.is_archived = sqlite3_column_int64(s, 4) != 0,
		.role = (enum room_role)role,
		.team = (enum team_role)team,
	};
	return kind >= 0 && kind < N_ROOM_KINDS && role >= 0 && role < N_ROOM_ROLES && team >= 0 &&
	       team < N_TEAM_ROLES;
}

int reader_find_log(struct reader *rd, struct store_read *r, enum op asked, sqlite3_stmt **out)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_LOG);
	struct permit_case c;

	db_bind_int(s, 1, r->room_id);
	db_bind_int(s, 2, r->user);
	int rc = db_step(s);
	if (rc > 0 && !make_case(s, &c)) {
		sqlite3_reset(s);
		return -EUCLEAN;
	}
	if (rc > 0 && permit_in_room(asked, &c) == PERMIT_YES) {
		*out = s;
		return 1;
	}
	if (rc >= 0) {
		sqlite3_reset(s);
		r->err = PROTO_E_NOT_FOUND;
		r->why = "There is no such room.";
		rc = 0;
	}
	return rc;
}
