/*
 * Who may do what in rooms, cell by cell: every op by every role in the team and the room, in every
 * kind of room, against the table that docs/security.md prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/permit.h"
#include <stdio.h>
#include <string.h>

#define DOC HUBBUB_FIXTURES "/../../docs/security.md"
#define N_COLUMNS 8

/* A row of the page's table, its cells trimmed. */
struct row {
	char cells[N_COLUMNS][32];
};

/* Whether the page's line is such a row: | `op` | … | with eight cells. */
static bool read_row(char *line, struct row *row)
{
	int n = 0;

	if (strncmp(line, "| `", 3) != 0)
		return false;
	for (char *cell = strtok(line, "|\n"); cell != NULL; cell = strtok(NULL, "|\n")) {
		if (n == N_COLUMNS || sscanf(cell, " %31[^ ]", row->cells[n++]) != 1)
			return false;
	}
	return n == N_COLUMNS;
}

static bool find_row(const char *op, struct row *row)
{
	FILE *f = fopen(DOC, "r");
	char line[400], wanted[40];
	bool found = false;

	assert_non_null(f);
	snprintf(wanted, sizeof(wanted), "`%s`", op);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = read_row(line, row) && strcmp(row->cells[0], wanted) == 0;
	fclose(f);
	return found;
}

static int parse(const char *cell, const char *(*name)(int), int n)
{
	for (int i = 0; i < n; i++) {
		if (strcmp(cell, name(i)) == 0)
			return i;
	}
	assert_string_equal(cell, "nobody");
	return n;
}

static const char *team_name(int i)
{
	return team_role_name((enum team_role)i);
}

/* Who only sees the room is no member of it. */
static const char *role_name(int i)
{
	return i == ROOM_ROLE_NONE ? "anyone" : room_role_name((enum room_role)i);
}

static enum permit expected(const struct row *row, const struct permit_case *c)
{
	bool is_listed = c->kind == ROOM_PUBLIC || c->kind == ROOM_ANNOUNCEMENT;
	bool is_seen = c->role != ROOM_ROLE_NONE || (is_listed && c->team >= ROLE_MEMBER);
	int least = parse(row->cells[2 + c->kind], role_name, N_ROOM_ROLES);
	int standing = c->role;

	if (!is_seen)
		return PERMIT_HIDDEN;
	if (c->team >= ROLE_ADMIN && c->kind != ROOM_DIRECT)
		standing = ROOM_ROLE_OWNER;
	if ((int)c->team < parse(row->cells[1], team_name, N_TEAM_ROLES) || standing < least)
		return PERMIT_ROLE;
	if (c->is_archived && strcmp(row->cells[6], "yes") != 0)
		return PERMIT_ARCHIVED;
	return c->is_muted && strcmp(row->cells[7], "yes") != 0 ? PERMIT_MUTED : PERMIT_YES;
}

static void check_op(enum op op, bool is_others, const char *name)
{
	struct permit_case c = {.is_others = is_others};
	struct row row;

	if (!find_row(name, &row))
		fail_msg("docs/security.md has no row for %s", name);
	for (int bits = 0; bits < N_ROOM_KINDS * N_TEAM_ROLES * N_ROOM_ROLES * 4; bits++) {
		c.kind = (enum room_kind)(bits % N_ROOM_KINDS);
		c.team = (enum team_role)(bits / N_ROOM_KINDS % N_TEAM_ROLES);
		c.role = (enum room_role)(bits / (N_ROOM_KINDS * N_TEAM_ROLES) % N_ROOM_ROLES);
		c.is_archived = bits / (N_ROOM_KINDS * N_TEAM_ROLES * N_ROOM_ROLES) % 2;
		c.is_muted = bits / (N_ROOM_KINDS * N_TEAM_ROLES * N_ROOM_ROLES * 2);
		if (permit_in_room(op, &c) != expected(&row, &c))
			fail_msg("%s: kind %d, team %d, role %d, archived %d, muted %d: %d", name,
				 c.kind, c.team, c.role, c.is_archived, c.is_muted,
				 permit_in_room(op, &c));
	}
}

static void every_cell_is_as_the_page_says(void **state)
{
	(void)state;
	static const struct {
		enum op op;
		const char *name;
	} ops[] = {
		{OP_JOIN, "join"},       {OP_LEAVE, "leave"},     {OP_HISTORY, "history"},
		{OP_READ, "read"},       {OP_MEMBERS, "members"}, {OP_SEND, "send"},
		{OP_EDIT, "edit"},       {OP_DELETE, "delete"},   {OP_REACT, "react"},
		{OP_INVITE, "invite"},   {OP_REMOVE, "remove"},   {OP_ROLE, "role"},
		{OP_MUTE, "mute"},       {OP_TOPIC, "topic"},     {OP_RENAME, "rename"},
		{OP_ARCHIVE, "archive"}, {OP_KEEP, "keep"},
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		check_op(ops[i].op, false, ops[i].name);
	check_op(OP_DELETE, true, "delete-others");
	check_op(OP_EDIT, true, "edit-others");
}

static void a_higher_role_is_never_refused_what_a_lower_one_may(void **state)
{
	(void)state;
	for (int op = OP_JOIN; op < N_WS_OPS; op++) {
		for (int kind = 0; kind < N_ROOM_KINDS; kind++) {
			bool may = false;

			for (int role = 0; role < N_ROOM_ROLES; role++) {
				struct permit_case c = {.kind = (enum room_kind)kind,
							.team = ROLE_MEMBER,
							.role = (enum room_role)role};
				bool now = permit_in_room((enum op)op, &c) == PERMIT_YES;

				assert_true(now || !may);
				may = now;
			}
		}
	}
}

static void guests_make_no_rooms(void **state)
{
	(void)state;
	for (int team = 0; team < N_TEAM_ROLES; team++)
		assert_int_equal(permit_to_make_rooms((enum team_role)team), team != ROLE_GUEST);
}

static void one_acts_on_those_below_and_owners_on_all(void **state)
{
	(void)state;
	for (int standing = ROOM_ROLE_MEMBER; standing < N_ROOM_ROLES; standing++) {
		for (int target = ROOM_ROLE_MEMBER; target < N_ROOM_ROLES; target++)
			assert_int_equal(
				permit_over((enum room_role)standing, (enum room_role)target),
				standing > target || standing == ROOM_ROLE_OWNER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_as_the_page_says),
		cmocka_unit_test(a_higher_role_is_never_refused_what_a_lower_one_may),
		cmocka_unit_test(guests_make_no_rooms),
		cmocka_unit_test(one_acts_on_those_below_and_owners_on_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
