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
