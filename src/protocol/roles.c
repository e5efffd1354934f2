#include "hubbub/roles.h"

const char *team_role_name(enum team_role role)
{
	static const char *const names[N_TEAM_ROLES] = {
		[ROLE_GUEST] = "guest",
		[ROLE_MEMBER] = "member",
		[ROLE_ADMIN] = "admin",
		[ROLE_OWNER] = "owner",
	};

	return names[role];
}
