/*
 * Random names and tokens, and the two hashes that the database keeps.
 */
#include "store/secret.h"
#include <assert.h>
#include <sodium.h>

static_assert(SECRET_CONTENT_HASH_BYTES >= crypto_generichash_BYTES_MIN, "BLAKE2b's range");
static_assert(SECRET_TOKEN_SIZE ==
		      sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
	      "the token's text");

void secret_make_rid(char rid[STORE_RID_SIZE])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < STORE_RID_SIZE - 1; i++)
		rid[i] = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
	rid[STORE_RID_SIZE - 1] = '\0';
}

void secret_make_token(char token[SECRET_TOKEN_SIZE])
{
	unsigned char raw[32];

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(token, SECRET_TOKEN_SIZE, raw, sizeof(raw),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(raw, sizeof(raw));
}

void secret_hash_token(unsigned char out[SECRET_TOKEN_HASH_BYTES],
		       const unsigned char key[SECRET_KEY_BYTES], struct span token)
{
	crypto_generichash(out, SECRET_TOKEN_HASH_BYTES, (const unsigned char *)token.p, token.len,
			   key, SECRET_KEY_BYTES);
}

static void add_number(crypto_generichash_state *h, uint64_t n)
{
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(n >> (8 * i));
	crypto_generichash_update(h, bytes, sizeof(bytes));
}

/* With its length before it: no two contents yield the same stream. */
static void add_span(crypto_generichash_state *h, struct span s)
{
	add_number(h, s.len);
	if (s.len != 0)
		crypto_generichash_update(h, (const unsigned char *)s.p, s.len);
}

/* The stream is stored, as its hash: the names of the ops, not their numbers in this build. */
static struct span name_of(enum op op)
{
	static const struct span names[N_WS_OPS] = {
		[OP_SEND] = SPAN("send"),     [OP_EDIT] = SPAN("edit"),
		[OP_DELETE] = SPAN("delete"), [OP_REACT] = SPAN("react"),
		[OP_CREATE] = SPAN("create"), [OP_INVITE] = SPAN("invite"),
		[OP_REMOVE] = SPAN("remove"), [OP_ROLE] = SPAN("role"),
		[OP_MUTE] = SPAN("mute"),     [OP_TOPIC] = SPAN("topic"),
		[OP_RENAME] = SPAN("rename"), [OP_ARCHIVE] = SPAN("archive"),
		[OP_KEEP] = SPAN("keep"),
	};

	assert(op_is_write(op));
	return names[op];
}

/* What only they have, so that the others' hashes stay what they were. */
static void add_change(crypto_generichash_state *h, const struct request *req)
{
	add_span(h, req->topic);
	add_number(h, req->kind);
	add_number(h, req->room_role);
	add_number(h, req->for_ms);
}

void secret_hash_content(unsigned char out[SECRET_CONTENT_HASH_BYTES],
			 const unsigned char key[SECRET_KEY_BYTES], const struct request *req,
			 struct span rid)
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, key, SECRET_KEY_BYTES, SECRET_CONTENT_HASH_BYTES);
	add_span(&h, name_of(req->op));
	add_span(&h, rid);
	add_number(&h, req->target);
	add_span(&h, req->text);
	add_number(&h, req->thread);
	add_number(&h, req->quote);
	add_number(&h, 0); /* files: none */
	add_span(&h, req->emoji);
	add_number(&h, req->on);
	add_number(&h, req->n_mentions);
	for (unsigned i = 0; i < req->n_mentions; i++)
		add_number(&h, (uint64_t)req->mentions[i]);
	if (req->op == OP_CREATE || op_is_change(req->op))
		add_change(&h, req);
	crypto_generichash_final(&h, out, SECRET_CONTENT_HASH_BYTES);
	sodium_memzero(&h, sizeof(h));
}
