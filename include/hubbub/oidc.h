#pragma once
/* Layer: auth. */
#include "hubbub/buf.h"
#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * Single sign-on: a relying party of OpenID Connect Core 1.0, by the authorization code flow with
 * PKCE (RFC 7636), of one identity provider, whose endpoints and keys are found by discovery.
 *
 * Any thread may use it; what asks the provider blocks and is for errand threads.
 */
struct oidc;

#define OIDC_RANDOM_SIZE 44 /* 32 random bytes in base64url, and a NUL */
#define OIDC_INVITE_SIZE 64
#define OIDC_FLOW_MS (INT64_C(10) * 60 * 1000)
#define OIDC_FLOW_SIZE 512 /* a sealed flow, as text */

/** What the browser keeps between the start and the callback, sealed so that it cannot change it.
 */
struct oidc_flow {
	char state[OIDC_RANDOM_SIZE], nonce[OIDC_RANDOM_SIZE], verifier[OIDC_RANDOM_SIZE];
	int64_t expires;               /* Unix ms */
	int64_t user;                  /* who is to be linked; 0: somebody signs in */
	char invite[OIDC_INVITE_SIZE]; /* an invitation's token; "": none */
};

/** Who somebody is for the provider. */
struct oidc_identity {
	char *subject; /* never given to another (OpenID Connect Core, 5.7) */
	char *name;    /* what they may be called; NULL: not said */
};

/** @secret: NULL or "" for a client without one.  All are copied. */
struct oidc *oidc_new(const char *issuer, const char *client_id, const char *secret);
void oidc_free(struct oidc *o); /* NULL is allowed */
const char *oidc_issuer(const struct oidc *o);

void oidc_begin(struct oidc_flow *flow);
/** As a cookie's value. */
void oidc_seal(const struct oidc *o, const struct oidc_flow *flow, char text[OIDC_FLOW_SIZE]);
/** False: it was not sealed by this process, or has expired. */
bool oidc_unseal(const struct oidc *o, struct span text, struct oidc_flow *flow);

/**
 * Append where the browser is to be sent.  0, or -EIO with one line for the log in @why.  Errand
 * thread.
 */
int oidc_append_url(struct oidc *o, const struct oidc_flow *flow, const char *redirect_uri,
		    const atomic_bool *stopping, struct buf *url, struct buf *why);
/**
 * Give @code for an ID token, and check that.  0 with @out for oidc_identity_deinit(), or -EIO or
 * -EACCES (the provider refused, or said what must not be believed) with a line for the log in
 * @why. Errand thread.
 */
int oidc_redeem(struct oidc *o, const struct oidc_flow *flow, const char *code,
		const char *redirect_uri, const atomic_bool *stopping, struct oidc_identity *out,
		struct buf *why);
void oidc_identity_deinit(struct oidc_identity *id);

/** What somebody may be called by these claims (OpenID Connect Core, 5.1).  The caller's; NULL: not
 * said. */
char *oidc_find_name(const json_t *claims);

/** What an ID token must say to be believed. */
struct id_token_rules {
	const char *issuer, *client_id, *nonce;
	int64_t now_s;
};
/**
 * Check a signed ID token (OpenID Connect Core, 3.1.3.7) with the keys of a JWK set, JSON.  0 with
 * @out; -ENOKEY: none of the keys is the one that it names, which may be new; -EACCES with the
 * reason in @why, static.  Any thread.
 */
int id_token_check(struct span token, const char *jwks, const struct id_token_rules *rules,
		   struct oidc_identity *out, const char **why);
