#pragma once
/* Layer: auth. */
#include "hubbub/addr.h"
#include "hubbub/config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * How often a user or an address may do something, over all threads.
 *
 * Each user and each address (of IPv6 each /64) that is here or has been here lately has an
 * account.  A connection finds its account when it is opened or says hello and holds it until it
 * ends; what it does then costs one compare-and-swap and no lock.
 *
 * Any thread, where nothing else is said.
 */
struct limits;
struct limit_account;

#define LIMITS_EACH 4 /* of a user, of an address */

enum limit {
	/* Of a user: */
	LIMIT_SEND,    /* writes */
	LIMIT_REQUEST, /* other requests */
	LIMIT_FAILED,  /* requests that are refused */
	/* Of an address: */
	LIMIT_CONNECT = LIMITS_EACH, /* connections; behind a proxy handshakes */
	LIMIT_HTTP,                  /* HTTP requests, and what comes before a hello */
	LIMIT_HELLO,                 /* hellos that failed */
	LIMIT_ANSWER,                /* refusals that are explained to the peer */
	/* Of a login that is tried, and of the address that it is tried from: */
	LIMIT_GUESS = 2 * LIMITS_EACH, /* passwords and codes that were wrong */
	N_LIMITS,
};

/**
 * While the settings have no limits, no accounts are given out: all that takes an account takes
 * NULL, and limits nothing.
 */
struct limits *limits_new(const struct config *cfg);
/** Go by @cfg from now on.  Who holds no account gets one when it comes again.  Main thread. */
void limits_set_config(struct limits *l, const struct config *cfg);
/** Free all accounts, those that are held too. */
void limits_free(struct limits *l);
/** So many connections fit at once: of one address no more than three quarters of them.  Main
 * thread.
 */
void limits_set_capacity(struct limits *l, unsigned n_connections);

/** What came of asking for an account. */
enum limit_entry {
	LIMIT_ENTERED,
	LIMIT_FULL, /* as many hold it as may: *@out is NULL */
};
/** The account of @user for one more of their connections. */
enum limit_entry limits_enter_user(struct limits *l, int64_t user, struct limit_account **out);
/** The account of @addr for one more connection from there. */
enum limit_entry limits_enter_addr(struct limits *l, const struct addr *addr,
				   struct limit_account **out);
/** The account of @addr for a moment, however many hold it. */
struct limit_account *limits_borrow_addr(struct limits *l, const struct addr *addr);
/** The accounts of who signs in, for a moment: by login (folded), and by address. */
struct limit_account *limits_borrow_login(struct limits *l, struct span login_key);
struct limit_account *limits_borrow_guesser(struct limits *l, const struct addr *addr);
/** Whether there are any limits now. */
bool limits_are_on(struct limits *l);
/** Give an account back, entered or borrowed; NULL is allowed. */
void limit_account_leave(struct limit_account *a);

/**
 * Take one of @which.  0, or the milliseconds after which one is there, if nobody takes it first:
 * then nothing was taken.  @now_ms is clock_mono_ms() or the worker's, which may be a little late.
 */
unsigned limit_take(struct limit_account *a, enum limit which, uint64_t now_ms);
/** Take @n whether they are there or not: the next wait for longer, twice the limit's time at most.
 */
void limit_charge(struct limit_account *a, enum limit which, uint64_t now_ms, unsigned n);
/** What limit_take() would say; takes nothing. */
unsigned limit_wait(struct limit_account *a, enum limit which, uint64_t now_ms);

/** True once for an account: its first refusal is worth a line in the log. */
bool limit_is_news(struct limit_account *a);

/** Forget accounts that nobody holds and that are as new; now and then. */
void limits_sweep(struct limits *l, uint64_t now_ms);
/** Accounts that are kept now. */
size_t limits_count(struct limits *l);
