/*
 * The provider: what it says of itself, and what is asked of it.
 *
 * What discovery and the key set said is kept for an hour.  A token whose key is not among the kept
 * ones has them asked for again, but not more often than the minute, so that nobody can have the
 * provider asked as often as they like.
 */
#include "hubbub/oidc.h"

#include "hubbub/clock.h"
#include "hubbub/fetch.h"
#include "hubbub/mem.h"
#include "hubbub/mutex.h"
#include <assert.h>
#include <errno.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>

#define KEEP_MS (60 * 60 * 1000)
#define KEYS_AGAIN_MS (60 * 1000)
#define WELL_KNOWN "/.well-known/openid-configuration"
#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct oidc {
	char *issuer, *client_id, *secret;
	bool allows_http;
	unsigned char key[crypto_secretbox_KEYBYTES];
	struct mutex lock;
	/* Guarded by lock: */
	char *authorize_url, *token_url, *keys_url, *user_url, *keys; /* NULL: not known */
	bool takes_basic;
	uint64_t found_ms, keys_ms, again_ms; /* on the monotonic clock; 0: never */
};

struct oidc *oidc_new(const char *issuer, const char *client_id, const char *secret)
{
	struct oidc *o = mem_zalloc(sizeof(*o));

	o->issuer = mem_strdup(issuer);
	o->client_id = mem_strdup(client_id);
	o->secret = mem_strdup(secret != NULL ? secret : "");
	o->allows_http = strncmp(issuer, "http://", 7) == 0;
	crypto_secretbox_keygen(o->key);
	mutex_init(&o->lock);
	return o;
}

static void forget(struct oidc *o) NO_THREAD_SAFETY_ANALYSIS
{
	free(o->authorize_url);
	free(o->token_url);
	free(o->keys_url);
	free(o->user_url);
	free(o->keys);
	o->authorize_url = o->token_url = o->keys_url = o->user_url = o->keys = NULL;
}

void oidc_free(struct oidc *o)
{
	if (o == NULL)
		return;
	forget(o);
	mutex_deinit(&o->lock);
	sodium_memzero(o->secret, strlen(o->secret));
	sodium_memzero(o->key, sizeof(o->key));
	free(o->secret);
	free(o->client_id);
	free(o->issuer);
	free(o);
}

const char *oidc_issuer(const struct oidc *o)
{
	return o->issuer;
}

static void make_random(char text[OIDC_RANDOM_SIZE])
{
	unsigned char raw[32];

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(text, OIDC_RANDOM_SIZE, raw, sizeof(raw), BASE64URL);
}

void oidc_begin(struct oidc_flow *flow)
{
	*flow = (struct oidc_flow){.expires = clock_wall_ms() + OIDC_FLOW_MS};
	make_random(flow->state);
	make_random(flow->nonce);
	make_random(flow->verifier);
}

struct sealed {
	unsigned char nonce[crypto_secretbox_NONCEBYTES];
	unsigned char box[crypto_secretbox_MACBYTES + sizeof(struct oidc_flow)];
};
static_assert(sodium_base64_ENCODED_LEN(sizeof(struct sealed), BASE64URL) <= OIDC_FLOW_SIZE,
	      "a sealed flow");

void oidc_seal(const struct oidc *o, const struct oidc_flow *flow, char text[OIDC_FLOW_SIZE])
{
	struct sealed s;

	randombytes_buf(s.nonce, sizeof(s.nonce));
	crypto_secretbox_easy(s.box, (const unsigned char *)flow, sizeof(*flow), s.nonce, o->key);
	sodium_bin2base64(text, OIDC_FLOW_SIZE, (const unsigned char *)&s, sizeof(s), BASE64URL);
}

bool oidc_unseal(const struct oidc *o, struct span text, struct oidc_flow *flow)
{
	struct sealed s;
	size_t len;

	return text.p != NULL &&
	       sodium_base642bin((unsigned char *)&s, sizeof(s), text.p, text.len, NULL, &len, NULL,
				 BASE64URL) == 0 &&
	       len == sizeof(s) &&
	       crypto_secretbox_open_easy((unsigned char *)flow, s.box, sizeof(s.box), s.nonce,
					  o->key) == 0 &&
	       flow->expires > clock_wall_ms();
}

/* The JSON at @url; NULL with the reason in @why. */
static json_t *ask(const struct oidc *o, struct fetch *f, const char *what, struct buf *why)
{
	char reason[FETCH_WHY_SIZE];
	json_t *json = NULL;

	f->allows_http = o->allows_http;
	if (fetch_run(f, reason) != 0) {
		buf_printf(why, "%s: %s", what, reason);
	} else if (f->status != 200) {
		buf_printf(why, "%s: the answer's status is %ld: %.*s", what, f->status,
			   (int)(f->answer.len < 200 ? f->answer.len : 200), f->answer.p);
	} else {
		json = json_loadb(f->answer.p, f->answer.len, 0, NULL);
		if (!json_is_object(json)) {
			buf_printf(why, "%s: the answer is no JSON object", what);
			json_decref(json);
			json = NULL;
		}
	}
	buf_deinit(&f->answer);
	return json;
}

static char *take_url(const struct oidc *o, const json_t *json, const char *name)
{
	const char *url = json_string_value(json_object_get(json, name));
	bool is_safe = url != NULL && (strncmp(url, "https://", 8) == 0 ||
				       (o->allows_http && strncmp(url, "http://", 7) == 0));

	return is_safe ? mem_strdup(url) : NULL;
}

/* Unless it says which it takes, it takes Basic (OpenID Connect Discovery 1.0, 3). */
static bool has_basic(const json_t *json)
{
	const json_t *methods = json_object_get(json, "token_endpoint_auth_methods_supported");
	const json_t *method;
	bool has = methods == NULL;
	size_t i;

	json_array_foreach(methods, i, method)
	{
		const char *name = json_string_value(method);

		has |= name != NULL && strcmp(name, "client_secret_basic") == 0;
	}
	return has;
}

static int discover(struct oidc *o, const atomic_bool *stopping, struct buf *why)
{
	struct buf url = {0};
	size_t len = strlen(o->issuer);

	/* OpenID Connect Discovery 1.0, 4: a slash at its end goes. */
	buf_append(&url, o->issuer, len - (o->issuer[len - 1] == '/'));
	buf_append(&url, WELL_KNOWN, sizeof(WELL_KNOWN));
	struct fetch f = {.url = url.p, .stopping = stopping};
	json_t *json = ask(o, &f, url.p, why);

	if (json == NULL) {
		buf_deinit(&url);
		return -EIO;
	}
	const char *issuer = json_string_value(json_object_get(json, "issuer"));
	char *authorize_url = take_url(o, json, "authorization_endpoint");
	char *token_url = take_url(o, json, "token_endpoint");
	char *keys_url = take_url(o, json, "jwks_uri");
	bool is_good = issuer != NULL && strcmp(issuer, o->issuer) == 0 && authorize_url != NULL &&
		       token_url != NULL && keys_url != NULL;

	mutex_lock(&o->lock);
	if (is_good) {
		forget(o);
		o->authorize_url = authorize_url;
		o->token_url = token_url;
		o->keys_url = keys_url;
		o->user_url = take_url(o, json, "userinfo_endpoint");
		o->takes_basic = has_basic(json);
		o->found_ms = clock_mono_ms();
	}
	mutex_unlock(&o->lock);
	if (!is_good) {
		buf_printf(why, "%s: %s", url.p,
			   issuer == NULL || strcmp(issuer, o->issuer) != 0
				   ? "the issuer that it names is another"
				   : "its endpoints are missing, or not https");
		free(authorize_url);
		free(token_url);
		free(keys_url);
	}
	json_decref(json);
	buf_deinit(&url);
	return is_good ? 0 : -EIO;
}

/* See to it that the provider's endpoints are known. */
static int need_endpoints(struct oidc *o, const atomic_bool *stopping, struct buf *why)
{
	mutex_lock(&o->lock);
	bool is_known = o->token_url != NULL && clock_mono_ms() - o->found_ms < KEEP_MS;
	mutex_unlock(&o->lock);

	return is_known ? 0 : discover(o, stopping, why);
}

int oidc_append_url(struct oidc *o, const struct oidc_flow *flow, const char *redirect_uri,
		    const atomic_bool *stopping, struct buf *url, struct buf *why)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char challenge[OIDC_RANDOM_SIZE];
	int err = need_endpoints(o, stopping, why);

	if (err != 0)
		return err;
	SHA256((const unsigned char *)flow->verifier, strlen(flow->verifier), hash);
	sodium_bin2base64(challenge, sizeof(challenge), hash, sizeof(hash), BASE64URL);
	mutex_lock(&o->lock);
	buf_append_str(url, o->authorize_url);
	mutex_unlock(&o->lock);
	buf_append_char(url, memchr(url->p, '?', url->len) != NULL ? '&' : '?');
	buf_append_str(url, "response_type=code&scope=openid%20profile&client_id=");
	fetch_append_escaped(url, span_of(o->client_id));
	buf_append_str(url, "&redirect_uri=");
	fetch_append_escaped(url, span_of(redirect_uri));
	buf_printf(url, "&state=%s&nonce=%s&code_challenge=%s&code_challenge_method=S256",
		   flow->state, flow->nonce, challenge);
	return 0;
}

/* The keys as kept, or asked for anew where @anew and that was not done just now.  The caller's;
 * NULL with the reason in @why. */
static char *get_keys(struct oidc *o, bool anew, const atomic_bool *stopping, struct buf *why)
{
	uint64_t now = clock_mono_ms();

	mutex_lock(&o->lock);
	bool is_good =
		o->keys != NULL && (anew ? o->again_ms != 0 && now - o->again_ms < KEYS_AGAIN_MS
					 : now - o->keys_ms < KEEP_MS);

	if (anew && !is_good)
		o->again_ms = now;
	char *keys = is_good ? mem_strdup(o->keys) : NULL;
	char *url = mem_strdup(o->keys_url != NULL ? o->keys_url : "");
	mutex_unlock(&o->lock);
	if (keys == NULL) {
		struct fetch f = {.url = url, .stopping = stopping};
		json_t *json = ask(o, &f, url, why);

		keys = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
		json_decref(json);
		mutex_lock(&o->lock);
		if (keys != NULL) {
			free(o->keys);
			o->keys = mem_strdup(keys);
			o->keys_ms = now;
		}
		mutex_unlock(&o->lock);
	}
	free(url);
	return keys;
}

static int check_token(struct oidc *o, const struct oidc_flow *flow, struct span token,
		       const atomic_bool *stopping, struct oidc_identity *out, struct buf *why)
{
	const struct id_token_rules rules = {
		.issuer = o->issuer,
		.client_id = o->client_id,
		.nonce = flow->nonce,
		.now_s = clock_wall_ms() / 1000,
	};
	int err = -ENOKEY;

	for (int i = 0; i < 2 && err == -ENOKEY; i++) {
		const char *reason = NULL;
		char *keys = get_keys(o, i > 0, stopping, why);

		if (keys == NULL)
			return -EIO;
		err = id_token_check(token, keys, &rules, out, &reason);
		free(keys);
		why->len = 0;
		if (err != 0)
			buf_printf(why, "the ID token is not believed: %s", reason);
	}
	return err == -ENOKEY ? -EACCES : err;
}

/* The body of the request for a token (RFC 6749, 4.1.3; RFC 7636, 4.5). */
static void append_form(const struct oidc *o, struct buf *form, const struct oidc_flow *flow,
			const char *code, const char *redirect_uri, bool with_secret)
{
	buf_append_str(form, "grant_type=authorization_code&code=");
	fetch_append_escaped(form, span_of(code));
	buf_append_str(form, "&redirect_uri=");
	fetch_append_escaped(form, span_of(redirect_uri));
	buf_printf(form, "&code_verifier=%s&client_id=", flow->verifier);
	fetch_append_escaped(form, span_of(o->client_id));
	if (with_secret) {
		buf_append_str(form, "&client_secret=");
		fetch_append_escaped(form, span_of(o->secret));
	}
	buf_append_char(form, '\0');
}

/* A provider may say the name elsewhere than in the token (OpenID Connect Core, 5.4).  Whoever has
 * none is let in all the same. */
static void ask_for_name(struct oidc *o, const json_t *answer, const atomic_bool *stopping,
			 struct oidc_identity *id)
{
	const char *bearer = json_string_value(json_object_get(answer, "access_token"));
	struct buf why = {0};

	mutex_lock(&o->lock);
	char *url = o->user_url != NULL ? mem_strdup(o->user_url) : NULL;
	mutex_unlock(&o->lock);
	if (url != NULL && bearer != NULL && id->name == NULL) {
		struct fetch f = {.url = url, .bearer = bearer, .stopping = stopping};
		json_t *claims = ask(o, &f, url, &why);
		const char *sub = json_string_value(json_object_get(claims, "sub"));

		if (sub != NULL && strcmp(sub, id->subject) == 0)
			id->name = oidc_find_name(claims);
		json_decref(claims);
	}
	buf_deinit(&why);
	free(url);
}

int oidc_redeem(struct oidc *o, const struct oidc_flow *flow, const char *code,
		const char *redirect_uri, const atomic_bool *stopping, struct oidc_identity *out,
		struct buf *why)
{
	struct buf form = {0}, user = {0}, secret = {0};
	int err = need_endpoints(o, stopping, why);

	if (err != 0)
		return err;
	mutex_lock(&o->lock);
	char *url = mem_strdup(o->token_url);
	bool is_basic = o->takes_basic && o->secret[0] != '\0';
	mutex_unlock(&o->lock);
	append_form(o, &form, flow, code, redirect_uri, !is_basic && o->secret[0] != '\0');
	/* RFC 6749, 2.3.1: both encoded as in a form first. */
	fetch_append_escaped(&user, span_of(o->client_id));
	buf_append_char(&user, '\0');
	fetch_append_escaped(&secret, span_of(o->secret));
	buf_append_char(&secret, '\0');
	struct fetch f = {.url = url,
			  .form = form.p,
			  .user = is_basic ? user.p : NULL,
			  .secret = secret.p,
			  .stopping = stopping};
	json_t *json = ask(o, &f, url, why);
	const json_t *token = json_object_get(json, "id_token");

	if (json == NULL)
		err = f.status >= 400 && f.status < 500 ? -EACCES : -EIO;
	else if (!json_is_string(token)) {
		buf_printf(why, "%s: there is no ID token in the answer", url);
		err = -EACCES;
	} else {
		err = check_token(o, flow,
				  (struct span){.p = json_string_value(token),
						.len = json_string_length(token)},
				  stopping, out, why);
		if (err == 0)
			ask_for_name(o, json, stopping, out);
	}
	json_decref(json);
	sodium_memzero(form.p, form.len);
	sodium_memzero(secret.p, secret.len);
	buf_deinit(&form);
	buf_deinit(&user);
	buf_deinit(&secret);
	free(url);
	return err;
}

void oidc_identity_deinit(struct oidc_identity *id)
{
	free(id->subject);
	free(id->name);
}
