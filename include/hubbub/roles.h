#pragma once
/* Layer: protocol. */

/** What a user may do in the team; each may what those before it may.  In open mode all are
 * members. */
enum team_role {
	ROLE_GUEST,
	ROLE_MEMBER,
	ROLE_ADMIN,
	ROLE_OWNER,
	N_TEAM_ROLES,
};

/** "guest", "member", "admin", "owner". */
const char *team_role_name(enum team_role role);

/** What a room is for.  The numbers are in the database. */
enum room_kind {
	ROOM_PUBLIC,       /* listed, joined by its name */
	ROOM_PRIVATE,      /* by invitation */
	ROOM_DIRECT,       /* of two or a few people, who never change */
	ROOM_ANNOUNCEMENT, /* as public, and only some may write */
	N_ROOM_KINDS,
};
/** "public", "private", "direct", "announcement". */
const char *room_kind_name(enum room_kind kind);

/** What a user is in a room; each may what those before it may.  The numbers are in the database.
 */
enum room_role {
	ROOM_ROLE_NONE, /* does not belong to it */
	ROOM_ROLE_MEMBER,
	ROOM_ROLE_MODERATOR,
	ROOM_ROLE_OWNER,
	N_ROOM_ROLES,
};
/** "none", "member", "moderator", "owner". */
const char *room_role_name(enum room_role role);
