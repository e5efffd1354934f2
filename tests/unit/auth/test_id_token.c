/* What an ID token must say to be believed: OpenID Connect Core, 3.1.3.7, claim by claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/oidc.h"
#include <cjose/cjose.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1700000000

static const struct id_token_rules rules = {
	.issuer = "https://id.example.org", .client_id = "hubbub", .nonce = "n-1", .now_s = NOW};

/* A key pair, and the set with its public half under the id "k1". */
struct keys {
	cjose_jwk_t *pair;
	char *set;
};

static int make_keys(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));
	cjose_err err;

	k->pair = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err);
	cjose_jwk_set_kid(k->pair, "k1", 2, &err);
	char *key = cjose_jwk_to_json(k->pair, false, &err);
	if (asprintf(&k->set, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"other\"},%s]}", key) < 0)
		return -1;
	cjose_get_dealloc()(key);
	*state = k;
	return 0;
}

static int free_keys(void **state)
{
	struct keys *k = *state;

	cjose_jwk_release(k->pair);
	free(k->set);
	free(k);
	return 0;
}

static char *make_token(const struct keys *k, const char *kid, const char *claims)
{
	cjose_err err;
	cjose_header_t *header = cjose_header_new(&err);
	const char *text;

	cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &err);
	if (kid != NULL)
		cjose_header_set(header, CJOSE_HDR_KID, kid, &err);
	cjose_jws_t *jws =
		cjose_jws_sign(k->pair, header, (const uint8_t *)claims, strlen(claims), &err);
	assert_non_null(jws);
	assert_true(cjose_jws_export(jws, &text, &err));
	char *copy = strdup(text);
	cjose_jws_release(jws);
	cjose_header_release(header);
	return copy;
}

/* The claims of a good token, each of which @claim may replace (by name) or, without value, take
 * away. */
static void write_claims(char *out, size_t size, const char *name, const char *value)
{
	static const char *const good[][2] = {
		{"iss", "\"https://id.example.org\""},
		{"aud", "\"hubbub\""},
		{"sub", "\"s-1\""},
		{"nonce", "\"n-1\""},
		{"exp", "1700000060"},
		{"iat", "1699999990"},
	};
	size_t n = (size_t)snprintf(out, size, "{\"name\":\"Ada\"");
	bool is_said = false;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		bool is_it = name != NULL && strcmp(good[i][0], name) == 0;

		is_said |= is_it;
		if (!is_it || value != NULL)
			n += (size_t)snprintf(out + n, size - n, ",\"%s\":%s", good[i][0],
					      is_it ? value : good[i][1]);
	}
	if (name != NULL && !is_said)
		n += (size_t)snprintf(out + n, size - n, ",\"%s\":%s", name, value);
	snprintf(out + n, size - n, "}");
}

static int check(const struct keys *k, const char *kid, const char *claims, const char **why)
{
	struct oidc_identity id = {0};
	char *token = make_token(k, kid, claims);
	int err;

	*why = NULL;
	err = id_token_check(span_of(token), k->set, &rules, &id, why);
	if (err == 0) {
		assert_string_equal(id.subject, "s-1");
		assert_string_equal(id.name, "Ada");
	}
	oidc_identity_deinit(&id);
	free(token);
	return err;
}

static void each_claim_counts(void **state)
{
	static const struct {
		const char *name, *value, *why; /* why NULL: it is believed */
	} rows[] = {
		{NULL, NULL, NULL},
		{"iss", "\"https://id.example.org/\"", "it is of another issuer"},
		{"iss", NULL, "it is of another issuer"},
		{"iss", "7", "it is of another issuer"},
		{"aud", "\"hubbub2\"", "it is for another client"},
		{"aud", NULL, "it is for another client"},
		{"aud", "[]", "it is for another client"},
		{"aud", "[\"hubbub\"]", NULL},
		{"aud", "[\"hubbub\",\"other\"]", "it is for another client"},
		{"aud", "{\"hubbub\":1}", "it is for another client"},
		{"nonce", "\"n-2\"", "it was made for another sign-in"},
		{"nonce", NULL, "it was made for another sign-in"},
		{"exp", "1699999800", "it has expired; are both clocks right?"},
		{"exp", "1699999900", NULL}, /* clocks may differ by two minutes */
		{"exp", "\"1700000060\"", "it has expired; are both clocks right?"},
		{"exp", NULL, "it has expired; are both clocks right?"},
		{"iat", "1700000130", "it is from the future; are both clocks right?"},
		{"iat", "1700000100", NULL},
		{"iat", NULL, "it is from the future; are both clocks right?"},
		{"sub", "\"\"", "it does not say who"},
		{"sub", "12", "it does not say who"},
		{"sub", NULL, "it does not say who"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char claims[1024];
		const char *why;

		write_claims(claims, sizeof(claims), rows[i].name, rows[i].value);
		int err = check(*state, "k1", claims, &why);
		assert_int_equal(err, rows[i].why != NULL ? -EACCES : 0);
		if (rows[i].why != NULL)
			assert_string_equal(why, rows[i].why);
	}
}

static void for_more_than_one_it_must_say_for_which(void **state)
{
	static const struct {
		const char *azp;
		int err;
	} rows[] = {{"hubbub", 0}, {"other", -EACCES}};

	for (size_t i = 0; i < 2; i++) {
		char aud[128], claims[1024];
		const char *why;

		snprintf(aud, sizeof(aud), "[\"hubbub\",\"other\"],\"azp\":\"%s\"", rows[i].azp);
		write_claims(claims, sizeof(claims), "aud", aud);
		assert_int_equal(check(*state, "k1", claims, &why), rows[i].err);
	}
}

static void the_key_is_found_by_its_name_or_tried(void **state)
{
	char claims[1024];
	const char *why;

	write_claims(claims, sizeof(claims), NULL, NULL);
	assert_int_equal(check(*state, "k1", claims, &why), 0);
	assert_int_equal(check(*state, NULL, claims, &why), 0);
	assert_int_equal(check(*state, "k2", claims, &why), -ENOKEY);
	assert_int_equal(check(*state, "other", claims, &why), -EACCES);
	assert_int_equal(check(*state, "k1", "[]", &why), -EACCES);
	assert_int_equal(check(*state, "k1", "{", &why), -EACCES);
}

static void what_is_no_token_is_refused(void **state)
{
	const struct keys *k = *state;
	static const char *const texts[] = {"", ".", "..", "a.b.c", "e30.e30.e30", "\xff"};
	const char *sets[] = {k->set, "", "{}", "{\"keys\":1}", "{\"keys\":[1,{}]}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
			struct oidc_identity id = {0};
			const char *why = NULL;

			assert_int_equal(
				id_token_check(span_of(texts[i]), sets[s], &rules, &id, &why),
				-EACCES);
			assert_non_null(why);
		}
	}
}

static void a_flow_is_its_makers_alone(void **state)
{
	(void)state;
	struct oidc *o = oidc_new("https://id.example.org", "hubbub", NULL);
	struct oidc *other = oidc_new("https://id.example.org", "hubbub", NULL);
	char text[OIDC_FLOW_SIZE];
	struct oidc_flow flow, got;

	oidc_begin(&flow);
	flow.user = 7;
	oidc_seal(o, &flow, text);
	assert_true(oidc_unseal(o, span_of(text), &got));
	assert_string_equal(got.state, flow.state);
	assert_int_equal(got.user, 7);
	assert_false(oidc_unseal(other, span_of(text), &got));
	assert_false(oidc_unseal(o, (struct span){.p = text, .len = strlen(text) - 1}, &got));
	text[60] ^= 1;
	assert_false(oidc_unseal(o, span_of(text), &got));
	assert_false(oidc_unseal(o, (struct span){0}, &got));
	flow.expires = 1;
	oidc_seal(o, &flow, text);
	assert_false(oidc_unseal(o, span_of(text), &got));
	oidc_free(o);
	oidc_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_claim_counts),
		cmocka_unit_test(for_more_than_one_it_must_say_for_which),
		cmocka_unit_test(the_key_is_found_by_its_name_or_tried),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(a_flow_is_its_makers_alone),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
