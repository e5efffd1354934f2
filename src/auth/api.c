#include "hubbub/api.h"

/* The least role; guests are below members.  What is not here is for anyone. */
static const struct {
	bool is_for_somebody;
	enum team_role least;
} rules[N_OPS] = {
	[OP_SIGN_OUT] = {true, ROLE_GUEST},        [OP_ME] = {true, ROLE_GUEST},
	[OP_SET_NAME] = {true, ROLE_GUEST},        [OP_SET_PASSWORD] = {true, ROLE_GUEST},
	[OP_TOTP_BEGIN] = {true, ROLE_GUEST},      [OP_TOTP_CONFIRM] = {true, ROLE_GUEST},
	[OP_TOTP_END] = {true, ROLE_GUEST},        [OP_SESSIONS] = {true, ROLE_GUEST},
	[OP_SESSION_END] = {true, ROLE_GUEST},     [OP_SESSIONS_END] = {true, ROLE_GUEST},
	[OP_INVITES] = {true, ROLE_ADMIN},         [OP_INVITE_NEW] = {true, ROLE_ADMIN},
	[OP_INVITE_END] = {true, ROLE_ADMIN},      [OP_USERS] = {true, ROLE_ADMIN},
	[OP_USER_NEW] = {true, ROLE_ADMIN},        [OP_USER_ROLE] = {true, ROLE_ADMIN},
	[OP_USER_DISABLED] = {true, ROLE_ADMIN},   [OP_USER_RESET] = {true, ROLE_ADMIN},
	[OP_OIDC_LINK] = {true, ROLE_GUEST},       [OP_OIDC_UNLINK] = {true, ROLE_GUEST},
	[OP_LEAVE_TEAM] = {true, ROLE_GUEST},      [OP_EXPORT] = {true, ROLE_GUEST},
	[OP_EXPORT_MESSAGES] = {true, ROLE_GUEST}, [OP_TEAM] = {true, ROLE_ADMIN},
	[OP_TEAM_SET] = {true, ROLE_OWNER},        [OP_AUDIT] = {true, ROLE_ADMIN},
	[OP_TEAM_ROOMS] = {true, ROLE_ADMIN},      [OP_PASSKEYS] = {true, ROLE_GUEST},
	[OP_PASSKEY_BEGIN] = {true, ROLE_GUEST},   [OP_PASSKEY_NEW] = {true, ROLE_GUEST},
	[OP_PASSKEY_END] = {true, ROLE_GUEST},     [OP_USER_SESSIONS] = {true, ROLE_ADMIN},
	[OP_USER_SIGN_OUT] = {true, ROLE_ADMIN},   [OP_FIGURES] = {true, ROLE_ADMIN},
	[OP_BLOCKS] = {true, ROLE_GUEST},          [OP_BLOCK] = {true, ROLE_GUEST},
	[OP_REPORT] = {true, ROLE_GUEST},          [OP_REPORTS] = {true, ROLE_ADMIN},
	[OP_REPORT_CLOSE] = {true, ROLE_ADMIN},
};

bool api_is_for_anyone(enum op op)
{
	return !rules[op].is_for_somebody;
}

bool api_permits(enum op op, enum team_role role)
{
	return rules[op].is_for_somebody && role >= rules[op].least;
}

bool api_permits_shell(enum op op)
{
	return rules[op].is_for_somebody && rules[op].least == ROLE_ADMIN;
}

bool api_may_act_on(enum team_role actor, enum team_role target)
{
	return actor == ROLE_OWNER || (actor == ROLE_ADMIN && target < ROLE_ADMIN);
}
