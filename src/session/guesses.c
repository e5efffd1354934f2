/*
 * How often passwords and codes may be guessed: by the login that they are tried for, and by the
 * address that tries.
 */
#include "session/api.h"

static void borrow(const struct conn *c, struct span login_key, struct limit_account *of[2])
{
	struct limits *limits = conn_hub(c)->env->limits;
	struct addr addr;

	conn_find_client(c, http_deferred_request(c->http), &addr);
	of[0] = limits_borrow_guesser(limits, &addr);
	of[1] = login_key.p != NULL ? limits_borrow_login(limits, login_key) : NULL;
}

unsigned api_guess_wait(const struct conn *c, struct span login_key)
{
	uint64_t now_ms = conn_hub(c)->worker->now_ms;
	struct limit_account *of[2];
	unsigned wait_ms = 0;

	borrow(c, login_key, of);
	for (int i = 0; i < 2; i++) {
		unsigned ms = limit_wait(of[i], LIMIT_GUESS, now_ms);

		wait_ms = ms > wait_ms ? ms : wait_ms;
		limit_account_leave(of[i]);
	}
	return wait_ms;
}

void api_count_guess(const struct conn *c, struct span login_key)
{
	uint64_t now_ms = conn_hub(c)->worker->now_ms;
	struct limit_account *of[2];

	borrow(c, login_key, of);
	for (int i = 0; i < 2; i++) {
		limit_charge(of[i], LIMIT_GUESS, now_ms, 1);
		limit_account_leave(of[i]);
	}
}
