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

const char *room_kind_name(enum room_kind kind)
{
	static const char *const names[N_ROOM_KINDS] = {
		[ROOM_PUBLIC] = "public",
		[ROOM_PRIVATE] = "private",
		[ROOM_DIRECT] = "direct",
		[ROOM_ANNOUNCEMENT] = "announcement",
	};

	return names[kind];
}

const char *room_role_name(enum room_role role)
{
	static const char *const names[N_ROOM_ROLES] = {
		[ROOM_ROLE_NONE] = "none",
		[ROOM_ROLE_MEMBER] = "member",
		[ROOM_ROLE_MODERATOR] = "moderator",
		[ROOM_ROLE_OWNER] = "owner",
	};

	return names[role];
}
