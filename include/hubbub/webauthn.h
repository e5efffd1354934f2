#pragma once
/* Layer: auth. */
#include "hubbub/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Passkeys: the relying party's part of Web Authentication (W3C, level 2, chapter 7).  libfido2
 * takes authenticator data apart and checks signatures.
 *
 * A challenge says by itself what it is for and until when, under a key of this process, so nothing
 * is kept while somebody thinks; one that was answered is remembered for as long as it is good.
 */
struct webauthn;

enum webauthn_purpose {
	WEBAUTHN_CREATE = 1,
	WEBAUTHN_GET,
};

#define WEBAUTHN_CHALLENGE_SIZE 108 /* base64url, and a NUL */
#define WEBAUTHN_CHALLENGE_MS (INT64_C(5) * 60 * 1000)
#define WEBAUTHN_MAX_KEY 1024 /* bytes of a public key */
#define WEBAUTHN_MAX_ID 1023  /* bytes of a credential's id (7.1, 25) */

struct webauthn *webauthn_new(void);
void webauthn_free(struct webauthn *wa); /* NULL is allowed */

/** @user: for whom; 0 for whoever signs in.  Any thread. */
void webauthn_challenge(const struct webauthn *wa, enum webauthn_purpose purpose, int64_t user,
			char text[WEBAUTHN_CHALLENGE_SIZE]);

/** What a browser answered with; all but origin and host are base64url as they came. */
struct webauthn_answer {
	struct span client_data, authenticator_data, signature;
	struct span origin; /* what the page's must be: scheme, host and port */
	struct span host;   /* the relying party: its name alone */
};

/** A credential as it is kept. */
struct webauthn_key {
	unsigned char id[WEBAUTHN_MAX_ID];
	size_t id_len;
	int cose; /* the algorithm, as COSE numbers it */
	unsigned char key[WEBAUTHN_MAX_KEY];
	size_t key_len;
	uint32_t count; /* of signatures; 0 where the authenticator does not count */
};

/**
 * Check a new credential of @user.  NULL with @out filled, or why not, a static sentence.
 * Attestation is not asked for.  The challenge counts as answered.  Any thread.
 */
const char *webauthn_check_new(struct webauthn *wa, const struct webauthn_answer *a, int64_t user,
			       struct webauthn_key *out);
/**
 * Check that who answers has @key and showed themselves to it (user verification); key->count
 * becomes the new one.  NULL, or why not.  Likewise.
 */
const char *webauthn_check(struct webauthn *wa, const struct webauthn_answer *a,
			   struct webauthn_key *key);
/** base64url without padding into @out.  False: it is none, empty, or longer. */
bool webauthn_decode(struct span text, unsigned char *out, size_t size, size_t *len);
