/*
 * ID tokens: signed JSON (RFC 7515 and 7519), whose signature libcjose checks.
 *
 * Only signatures by a key pair are taken: `none` is none, and an HMAC's key would be something
 * that the provider is not alone to know.
 */
#include "hubbub/mem.h"
#include "hubbub/oidc.h"
#include <cjose/cjose.h>
#include <errno.h>
#include <stdlib.h>

#define MAX_TOKEN (64 * 1024)
#define MAX_SUBJECT 255 /* OpenID Connect Core, 2 */
#define SKEW_S 120

static bool is_allowed_alg(const char *alg)
{
	static const char *const allowed[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
					      "PS512", "ES256", "ES384", "ES512"};

	for (size_t i = 0; alg != NULL && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (strcmp(alg, allowed[i]) == 0)
			return true;
	}
	return false;
}

/* Whether @key may be the one: by its id, where the token names one, and by what it is for. */
static bool is_candidate(const json_t *key, const char *kid)
{
	const char *id = json_string_value(json_object_get(key, "kid"));
	const char *use = json_string_value(json_object_get(key, "use"));

	if (use != NULL && strcmp(use, "sig") != 0)
		return false;
	return kid == NULL || (id != NULL && strcmp(id, kid) == 0);
}

static bool verifies(cjose_jws_t *jws, const json_t *key)
{
	char *text = json_dumps(key, JSON_COMPACT);
	cjose_jwk_t *jwk = text != NULL ? cjose_jwk_import(text, strlen(text), NULL) : NULL;
	bool is_good = jwk != NULL && cjose_jws_verify(jws, jwk, NULL);

	cjose_jwk_release(jwk);
	free(text);
	return is_good;
}

static int check_signature(cjose_jws_t *jws, const char *jwks, const char **why)
{
	cjose_header_t *header = cjose_jws_get_protected(jws);
	const char *alg = cjose_header_get(header, CJOSE_HDR_ALG, NULL);
	const char *kid = cjose_header_get(header, CJOSE_HDR_KID, NULL);
	json_t *set = json_loads(jwks, 0, NULL), *key;
	bool is_known = false, is_good = false;
	size_t i;

	json_array_foreach(json_object_get(set, "keys"), i, key)
	{
		if (is_good || !is_candidate(key, kid))
			continue;
		is_known = true;
		is_good = is_allowed_alg(alg) && verifies(jws, key);
	}
	json_decref(set);
	if (is_good)
		return 0;
	*why = !is_allowed_alg(alg) ? "its signature is of no kind that is taken"
	       : is_known           ? "its signature is wrong"
				    : "its key is not among the provider's";
	return !is_known && is_allowed_alg(alg) ? -ENOKEY : -EACCES;
}

static bool is_text(const json_t *claims, const char *name, const char *wanted)
{
	const char *s = json_string_value(json_object_get(claims, name));

	return s != NULL && strcmp(s, wanted) == 0;
}

static bool is_for(const json_t *claims, const char *client_id)
{
	const json_t *aud = json_object_get(claims, "aud"), *one;
	bool is_among = false;
	size_t i;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), client_id) == 0;
	json_array_foreach(aud, i, one)
	{
		is_among |= json_is_string(one) && strcmp(json_string_value(one), client_id) == 0;
	}
	/* For more than one, it must say that it was made for this one. */
	return is_among && (json_array_size(aud) == 1 || is_text(claims, "azp", client_id)) &&
	       (json_object_get(claims, "azp") == NULL || is_text(claims, "azp", client_id));
}

static const char *judge(const json_t *claims, const struct id_token_rules *rules)
{
	const json_t *exp = json_object_get(claims, "exp"), *iat = json_object_get(claims, "iat");
	const json_t *sub = json_object_get(claims, "sub");

	if (!is_text(claims, "iss", rules->issuer))
		return "it is of another issuer";
	if (!is_for(claims, rules->client_id))
		return "it is for another client";
	if (!json_is_number(exp) || json_number_value(exp) + SKEW_S < (double)rules->now_s)
		return "it has expired; are both clocks right?";
	if (!json_is_number(iat) || json_number_value(iat) - SKEW_S > (double)rules->now_s)
		return "it is from the future; are both clocks right?";
	if (!is_text(claims, "nonce", rules->nonce))
		return "it was made for another sign-in";
	if (!json_is_string(sub) || json_string_length(sub) == 0 ||
	    json_string_length(sub) > MAX_SUBJECT)
		return "it does not say who";
	return NULL;
}

char *oidc_find_name(const json_t *claims)
{
	static const char *const claimed[] = {"name", "preferred_username", "nickname",
					      "given_name"};

	for (size_t i = 0; i < sizeof(claimed) / sizeof(claimed[0]); i++) {
		const json_t *name = json_object_get(claims, claimed[i]);

		if (json_is_string(name) && json_string_length(name) > 0)
			return mem_strdup(json_string_value(name));
	}
	return NULL;
}

static int check_claims(cjose_jws_t *jws, const struct id_token_rules *rules,
			struct oidc_identity *out, const char **why)
{
	uint8_t *text;
	size_t len;

	if (!cjose_jws_get_plaintext(jws, &text, &len, NULL)) {
		*why = "it is empty";
		return -EACCES;
	}
	json_t *claims = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);

	*why = json_is_object(claims) ? judge(claims, rules) : "it holds no JSON object";
	if (*why == NULL) {
		*out = (struct oidc_identity){
			.subject = mem_strdup(json_string_value(json_object_get(claims, "sub"))),
			.name = oidc_find_name(claims),
		};
	}
	json_decref(claims);
	return *why == NULL ? 0 : -EACCES;
}

int id_token_check(struct span token, const char *jwks, const struct id_token_rules *rules,
		   struct oidc_identity *out, const char **why)
{
	cjose_jws_t *jws =
		token.len <= MAX_TOKEN ? cjose_jws_import(token.p, token.len, NULL) : NULL;
	int err;

	if (jws == NULL) {
		*why = "it is not signed JSON";
		return -EACCES;
	}
	err = check_signature(jws, jwks, why);
	if (err == 0)
		err = check_claims(jws, rules, out, why);
	cjose_jws_release(jws);
	return err;
}
