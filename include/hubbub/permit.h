#pragma once
/* Layer: auth. */
#include "hubbub/request.h"

/**
 * Who may do what in rooms: one table, which the store asks inside the transaction or the snapshot
 * that serves the request.  What is done over the HTTP API is in hubbub/api.h.
 */

/** Somebody, and the room that they want something of. */
struct permit_case {
	enum room_kind kind;
	bool is_archived;
	enum team_role team;
	enum room_role role; /* as it is kept; NONE: they do not belong */
	bool is_muted;
	bool is_others; /* the message is not theirs */
};

enum permit {
	PERMIT_YES,
	PERMIT_HIDDEN, /* for them there is no such room */
	PERMIT_ROLE,   /* not in their role */
	PERMIT_ARCHIVED,
	PERMIT_MUTED,
};
/** What a higher role in the team or the room is permitted, a lower one may be refused, and never
 * the other way round. */
enum permit permit_in_room(enum op op, const struct permit_case *c);
/** What they count as in the room: admins as owners where they belong, and where all may come. */
enum room_role permit_standing(const struct permit_case *c);
/** Whether rooms may be made: by create, direct, or a join by a name that none has. */
bool permit_to_make_rooms(enum team_role team);
/** Whether somebody of that standing may remove, mute or demote one who has @target. */
bool permit_over(enum room_role standing, enum room_role target);
