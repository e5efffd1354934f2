#include "hubbub/webauthn.h"

#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "hubbub/mutex.h"
#include <assert.h>
#include <endian.h>
#include <fido.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>

#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define NONCE_BYTES 16
#define MAX_USED 4096
#define MAX_CLIENT_DATA 2048
#define MAX_AUTHENTICATOR_DATA 2048
#define MAX_SIGNATURE 1024

/* 6.1: authenticator data begins with the hash of the relying party, flags, and a count. */
#define FLAGS_AT 32
#define HEAD_BYTES 37
#define FLAG_PRESENT 0x01
#define FLAG_VERIFIED 0x04

struct challenge {
	unsigned char nonce[NONCE_BYTES];
	uint64_t expires; /* Unix ms; big-endian, as the two below */
	uint64_t user;
	uint64_t purpose;
	unsigned char mac[crypto_auth_BYTES];
};
static_assert(sodium_base64_ENCODED_LEN(sizeof(struct challenge), BASE64URL) <=
		      WEBAUTHN_CHALLENGE_SIZE,
	      "a challenge");
#define SIGNED_BYTES offsetof(struct challenge, mac)

struct webauthn {
	unsigned char key[crypto_auth_KEYBYTES];
	struct mutex lock;
	/* Guarded by lock: nonces that were answered, the oldest overwritten first. */
	unsigned char used[MAX_USED][NONCE_BYTES];
	unsigned n_used;
};

struct webauthn *webauthn_new(void)
{
	struct webauthn *wa = mem_zalloc(sizeof(*wa));

	crypto_auth_keygen(wa->key);
	mutex_init(&wa->lock);
	return wa;
}

void webauthn_free(struct webauthn *wa)
{
	if (wa == NULL)
		return;
	sodium_memzero(wa->key, sizeof(wa->key));
	mutex_deinit(&wa->lock);
	free(wa);
}

void webauthn_challenge(const struct webauthn *wa, enum webauthn_purpose purpose, int64_t user,
			char text[WEBAUTHN_CHALLENGE_SIZE])
{
	struct challenge c = {
		.expires = htobe64((uint64_t)(clock_wall_ms() + WEBAUTHN_CHALLENGE_MS)),
		.user = htobe64((uint64_t)user),
		.purpose = htobe64(purpose),
	};

	randombytes_buf(c.nonce, sizeof(c.nonce));
	crypto_auth(c.mac, (const unsigned char *)&c, SIGNED_BYTES, wa->key);
	sodium_bin2base64(text, WEBAUTHN_CHALLENGE_SIZE, (const unsigned char *)&c, sizeof(c),
			  BASE64URL);
}

bool webauthn_decode(struct span text, unsigned char *out, size_t size, size_t *len)
{
	return text.p != NULL &&
	       sodium_base642bin(out, size, text.p, text.len, NULL, len, NULL, BASE64URL) == 0 &&
	       *len > 0;
}

/* False: it was answered before. */
static bool use_up(struct webauthn *wa, const unsigned char nonce[NONCE_BYTES])
{
	bool is_used = false;

	mutex_lock(&wa->lock);
	for (unsigned i = 0; i < MAX_USED && i < wa->n_used && !is_used; i++)
		is_used = memcmp(wa->used[i], nonce, NONCE_BYTES) == 0;
	if (!is_used)
		memcpy(wa->used[wa->n_used++ % MAX_USED], nonce, NONCE_BYTES);
	mutex_unlock(&wa->lock);
	return !is_used;
}

static bool is_our_challenge(struct webauthn *wa, const char *text, enum webauthn_purpose purpose,
			     int64_t user)
{
	struct challenge c;
	size_t len;

	return text != NULL &&
	       webauthn_decode(span_of(text), (unsigned char *)&c, sizeof(c), &len) &&
	       len == sizeof(c) &&
	       crypto_auth_verify(c.mac, (const unsigned char *)&c, SIGNED_BYTES, wa->key) == 0 &&
	       (int64_t)be64toh(c.expires) > clock_wall_ms() && be64toh(c.user) == (uint64_t)user &&
	       be64toh(c.purpose) == purpose && use_up(wa, c.nonce);
}

/* What a browser says of its page (5.8.1), and the hash that is signed. */
static const char *check_client_data(struct webauthn *wa, const struct webauthn_answer *a,
				     enum webauthn_purpose purpose, int64_t user,
				     unsigned char hash[SHA256_DIGEST_LENGTH])
{
	unsigned char text[MAX_CLIENT_DATA];
	const char *why = NULL;
	size_t len;

	if (!webauthn_decode(a->client_data, text, sizeof(text), &len))
		return "client_data is none.";
	json_t *data = json_loadb((const char *)text, len, 0, NULL);
	const char *type = json_string_value(json_object_get(data, "type"));
	const char *origin = json_string_value(json_object_get(data, "origin"));

	if (type == NULL ||
	    strcmp(type, purpose == WEBAUTHN_CREATE ? "webauthn.create" : "webauthn.get") != 0)
		why = "client_data is of something else.";
	else if (origin == NULL || !span_equal(span_of(origin), a->origin) ||
		 json_is_true(json_object_get(data, "crossOrigin")))
		why = "client_data is of another page.";
	else if (!is_our_challenge(wa, json_string_value(json_object_get(data, "challenge")),
				   purpose, user))
		why = "This took too long, or was done before: try again.";
	json_decref(data);
	SHA256(text, len, hash);
	return why;
}

/* Whose it is, that somebody was there, and who they are was checked. */
static const char *check_head(const unsigned char *data, size_t len, struct span host)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)host.p, host.len, hash);
	if (len < HEAD_BYTES || memcmp(data, hash, sizeof(hash)) != 0)
		return "authenticator_data is of another server.";
	if ((data[FLAGS_AT] & (FLAG_PRESENT | FLAG_VERIFIED)) != (FLAG_PRESENT | FLAG_VERIFIED))
		return "The passkey did not check who uses it.";
	return NULL;
}

/* The key, by whichever of the algorithms that are offered; libfido2 wants to be told which. */
static bool take_credential(const unsigned char *data, size_t len, struct webauthn_key *out)
{
	static const int offered[] = {COSE_ES256, COSE_RS256};
	bool is_good = false;

	for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]) && !is_good; i++) {
		fido_cred_t *cred = fido_cred_new();

		is_good = cred != NULL && fido_cred_set_type(cred, offered[i]) == FIDO_OK &&
			  fido_cred_set_authdata_raw(cred, data, len) == FIDO_OK &&
			  fido_cred_id_len(cred) > 0 && fido_cred_id_len(cred) <= sizeof(out->id) &&
			  fido_cred_pubkey_len(cred) > 0 &&
			  fido_cred_pubkey_len(cred) <= sizeof(out->key);
		if (is_good) {
			out->cose = offered[i];
			out->id_len = fido_cred_id_len(cred);
			memcpy(out->id, fido_cred_id_ptr(cred), out->id_len);
			out->key_len = fido_cred_pubkey_len(cred);
			memcpy(out->key, fido_cred_pubkey_ptr(cred), out->key_len);
			out->count = fido_cred_sigcount(cred);
		}
		fido_cred_free(&cred);
	}
	return is_good;
}

const char *webauthn_check_new(struct webauthn *wa, const struct webauthn_answer *a, int64_t user,
			       struct webauthn_key *out)
{
	unsigned char hash[SHA256_DIGEST_LENGTH], data[MAX_AUTHENTICATOR_DATA];
	size_t len;
	const char *why = check_client_data(wa, a, WEBAUTHN_CREATE, user, hash);

	if (why != NULL)
		return why;
	if (!webauthn_decode(a->authenticator_data, data, sizeof(data), &len))
		return "authenticator_data is none.";
	why = check_head(data, len, a->host);
	if (why == NULL && !take_credential(data, len, out))
		why = "authenticator_data holds no key of a kind that is taken.";
	return why;
}

static bool verifies(const fido_assert_t *assertion, const struct webauthn_key *key)
{
	bool is_good = false;

	if (key->cose == COSE_ES256) {
		es256_pk_t *pk = es256_pk_new();

		is_good = pk != NULL && es256_pk_from_ptr(pk, key->key, key->key_len) == FIDO_OK &&
			  fido_assert_verify(assertion, 0, COSE_ES256, pk) == FIDO_OK;
		es256_pk_free(&pk);
	} else if (key->cose == COSE_RS256) {
		rs256_pk_t *pk = rs256_pk_new();

		is_good = pk != NULL && rs256_pk_from_ptr(pk, key->key, key->key_len) == FIDO_OK &&
			  fido_assert_verify(assertion, 0, COSE_RS256, pk) == FIDO_OK;
		rs256_pk_free(&pk);
	}
	return is_good;
}

static bool is_signed(const struct webauthn_answer *a, const unsigned char *hash,
		      const unsigned char *data, size_t len, const struct webauthn_key *key)
{
	unsigned char signature[MAX_SIGNATURE];
	size_t signature_len;
	char *host = mem_dup(a->host.p, a->host.len);
	fido_assert_t *assertion = fido_assert_new();
	bool is_good =
		assertion != NULL &&
		webauthn_decode(a->signature, signature, sizeof(signature), &signature_len) &&
		fido_assert_set_rp(assertion, host) == FIDO_OK &&
		fido_assert_set_clientdata_hash(assertion, hash, SHA256_DIGEST_LENGTH) == FIDO_OK &&
		fido_assert_set_uv(assertion, FIDO_OPT_TRUE) == FIDO_OK &&
		fido_assert_set_count(assertion, 1) == FIDO_OK &&
		fido_assert_set_authdata_raw(assertion, 0, data, len) == FIDO_OK &&
		fido_assert_set_sig(assertion, 0, signature, signature_len) == FIDO_OK &&
		verifies(assertion, key);

	fido_assert_free(&assertion);
	free(host);
	return is_good;
}

const char *webauthn_check(struct webauthn *wa, const struct webauthn_answer *a,
			   struct webauthn_key *key)
{
	unsigned char hash[SHA256_DIGEST_LENGTH], data[MAX_AUTHENTICATOR_DATA];
	uint32_t count;
	size_t len;
	const char *why = check_client_data(wa, a, WEBAUTHN_GET, 0, hash);

	if (why != NULL)
		return why;
	if (!webauthn_decode(a->authenticator_data, data, sizeof(data), &len))
		return "authenticator_data is none.";
	why = check_head(data, len, a->host);
	if (why != NULL)
		return why;
	if (!is_signed(a, hash, data, len, key))
		return "The passkey's signature is wrong.";
	memcpy(&count, data + FLAGS_AT + 1, sizeof(count));
	count = be32toh(count);
	/* 7.2, 21: one that counts and does not count up may be a copy. */
	if ((count != 0 || key->count != 0) && count <= key->count)
		return "This passkey may have been copied.";
	key->count = count;
	return NULL;
}
