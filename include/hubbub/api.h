#pragma once
/* Layer: auth. */
#include "hubbub/request.h"

/** Who may ask what over the HTTP API: one table, which sessions and the store go by. */

/** Whether @op wants nobody to be signed in: then it has its own proof, or needs none. */
bool api_is_for_anyone(enum op op);
/** Whether somebody of @role who is signed in may ask for @op at all. */
bool api_permits(enum op op, enum team_role role);
/** Whether the shell, which is nobody, may ask for @op: what administers the team. */
bool api_permits_shell(enum op op);
/**
 * Whether an @actor may act on the account of a @target with another role: each on those below, an
 * owner on all.
 */
bool api_may_act_on(enum team_role actor, enum team_role target);
