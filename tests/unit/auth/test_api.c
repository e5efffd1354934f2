/* Who may ask what over the HTTP API: cell by cell, and nothing that has no row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/api.h"
#include <string.h>

/* g, m, a, o: the least role; *: nobody has to be signed in. */
static const char expected[N_OPS] = {
	[OP_SERVER] = '*',
	[OP_SETUP] = '*',
	[OP_SIGN_IN] = '*',
	[OP_INVITE_LOOK] = '*',
	[OP_INVITE_ACCEPT] = '*',
	[OP_RESET] = '*',
	[OP_SIGN_OUT] = 'g',
	[OP_ME] = 'g',
	[OP_SET_NAME] = 'g',
	[OP_SET_PASSWORD] = 'g',
	[OP_TOTP_BEGIN] = 'g',
	[OP_TOTP_CONFIRM] = 'g',
	[OP_TOTP_END] = 'g',
	[OP_SESSIONS] = 'g',
	[OP_SESSION_END] = 'g',
	[OP_SESSIONS_END] = 'g',
	[OP_INVITES] = 'a',
	[OP_INVITE_NEW] = 'a',
	[OP_INVITE_END] = 'a',
	[OP_USERS] = 'a',
	[OP_USER_NEW] = 'a',
	[OP_USER_ROLE] = 'a',
	[OP_USER_DISABLED] = 'a',
	[OP_USER_RESET] = 'a',
	[OP_AUDIT] = 'a',
	[OP_FIGURES] = 'a',
	[OP_OIDC_START] = '*',
	[OP_OIDC_CALLBACK] = '*',
	[OP_OIDC_ENTER] = '*',
	[OP_OIDC_LINK] = 'g',
	[OP_OIDC_UNLINK] = 'g',
	[OP_LEAVE_TEAM] = 'g',
	[OP_EXPORT] = 'g',
	[OP_EXPORT_MESSAGES] = 'g',
	[OP_BLOCKS] = 'g',
	[OP_BLOCK] = 'g',
	[OP_REPORT] = 'g',
	[OP_REPORTS] = 'a',
	[OP_REPORT_CLOSE] = 'a',
	[OP_RESET_MAIL] = '*',
	[OP_USER_SESSIONS] = 'a',
	[OP_USER_SIGN_OUT] = 'a',
	[OP_PASSKEYS] = 'g',
	[OP_PASSKEY_BEGIN] = 'g',
	[OP_PASSKEY_NEW] = 'g',
	[OP_PASSKEY_END] = 'g',
	[OP_PASSKEY_CHALLENGE] = '*',
	[OP_PASSKEY_ENTER] = '*',
	[OP_TEAM_ROOMS] = 'a',
	[OP_TEAM] = 'a',
	[OP_TEAM_SET] = 'o',
};

static void each_role_may_what_its_row_says(void **state)
{
	(void)state;
	static const char letters[N_TEAM_ROLES] = {'g', 'm', 'a', 'o'};

	for (int op = N_WS_OPS; op < N_OPS; op++) {
		const char *least = strchr("gmao", expected[op]);

		assert_int_not_equal(expected[op], '\0'); /* every op has its row here */
		assert_int_equal(api_is_for_anyone((enum op)op), expected[op] == '*');
		for (int role = 0; role < N_TEAM_ROLES; role++) {
			bool may = least != NULL && strchr(least, letters[role]) != NULL;

			assert_int_equal(api_permits((enum op)op, (enum team_role)role), may);
		}
		assert_int_equal(api_permits_shell((enum op)op), expected[op] == 'a');
	}
}

static void nobody_acts_on_those_beside_or_above_but_owners(void **state)
{
	(void)state;
	static const bool may[N_TEAM_ROLES][N_TEAM_ROLES] = {
		[ROLE_ADMIN] = {[ROLE_GUEST] = true, [ROLE_MEMBER] = true},
		[ROLE_OWNER] = {true, true, true, true},
	};

	for (int actor = 0; actor < N_TEAM_ROLES; actor++) {
		for (int target = 0; target < N_TEAM_ROLES; target++)
			assert_int_equal(
				api_may_act_on((enum team_role)actor, (enum team_role)target),
				may[actor][target]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_may_what_its_row_says),
		cmocka_unit_test(nobody_acts_on_those_beside_or_above_but_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
