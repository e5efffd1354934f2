#include "hubbub/permit.h"

#define NOBODY N_ROOM_ROLES
#define NONE ROOM_ROLE_NONE
#define MEMBER ROOM_ROLE_MEMBER
#define MODERATOR ROOM_ROLE_MODERATOR
#define OWNER ROOM_ROLE_OWNER

/* The least role in the team, and in a room that is public, private, direct, for announcements. */
static const struct rule {
	enum team_role team;
	int least[N_ROOM_KINDS];
	bool when_archived, when_muted;
} rules[N_WS_OPS] = {
	[OP_JOIN] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, NONE}, true, true},
	[OP_LEAVE] = {ROLE_GUEST, {NONE, MEMBER, NOBODY, NONE}, true, true},
	[OP_HISTORY] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, NONE}, true, true},
	[OP_READ] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, NONE}, true, true},
	[OP_MEMBERS] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, NONE}, true, true},
	[OP_SEND] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, MODERATOR}, false, false},
	[OP_EDIT] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, NONE}, false, false},
	[OP_DELETE] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, NONE}, false, true},
	[OP_REACT] = {ROLE_GUEST, {NONE, MEMBER, MEMBER, NONE}, false, false},
	[OP_INVITE] = {ROLE_MEMBER, {MEMBER, MEMBER, NOBODY, MODERATOR}, false, true},
	[OP_REMOVE] = {ROLE_GUEST, {MODERATOR, MODERATOR, NOBODY, MODERATOR}, false, true},
	[OP_ROLE] = {ROLE_GUEST, {OWNER, OWNER, NOBODY, OWNER}, false, true},
	[OP_MUTE] = {ROLE_GUEST, {MODERATOR, MODERATOR, NOBODY, MODERATOR}, false, true},
	[OP_TOPIC] = {ROLE_MEMBER, {MEMBER, MEMBER, NOBODY, MODERATOR}, false, false},
	[OP_RENAME] = {ROLE_MEMBER, {MODERATOR, MODERATOR, NOBODY, MODERATOR}, false, false},
	[OP_ARCHIVE] = {ROLE_GUEST, {OWNER, OWNER, NOBODY, OWNER}, true, true},
	[OP_KEEP] = {ROLE_MEMBER, {OWNER, OWNER, NOBODY, OWNER}, true, true},
};

/* Messages of others: nobody edits them. */
static const int least_to_delete[N_ROOM_KINDS] = {MODERATOR, MODERATOR, NOBODY, MODERATOR};

static bool is_listed(enum room_kind kind)
{
	return kind == ROOM_PUBLIC || kind == ROOM_ANNOUNCEMENT;
}

static bool may_see(const struct permit_case *c)
{
	return c->role != ROOM_ROLE_NONE || (is_listed(c->kind) && c->team >= ROLE_MEMBER);
}

enum room_role permit_standing(const struct permit_case *c)
{
	return c->team >= ROLE_ADMIN && c->kind != ROOM_DIRECT && may_see(c) ? ROOM_ROLE_OWNER
									     : c->role;
}

static int least_role(enum op op, const struct permit_case *c)
{
	if (!c->is_others)
		return rules[op].least[c->kind];
	return op == OP_DELETE ? least_to_delete[c->kind] : NOBODY;
}

enum permit permit_in_room(enum op op, const struct permit_case *c)
{
	const struct rule *rule = &rules[op];

	if (!may_see(c))
		return PERMIT_HIDDEN;
	if (c->team < rule->team || (int)permit_standing(c) < least_role(op, c))
		return PERMIT_ROLE;
	if (c->is_archived && !rule->when_archived)
		return PERMIT_ARCHIVED;
	return c->is_muted && !rule->when_muted ? PERMIT_MUTED : PERMIT_YES;
}

bool permit_to_make_rooms(enum team_role team)
{
	return team >= ROLE_MEMBER;
}

bool permit_over(enum room_role standing, enum room_role target)
{
	return standing == ROOM_ROLE_OWNER || standing > target;
}
