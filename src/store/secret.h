#pragma once
/* Private to store/. */
#include "hubbub/request.h"
#include "hubbub/store.h"

#define SECRET_KEY_BYTES 32
#define SECRET_TOKEN_SIZE 44 /* 32 random bytes in base64url without padding, and a NUL */
#define SECRET_TOKEN_HASH_BYTES 32
/* 128 bits under a secret key: nobody can search for a collision without asking the server. */
#define SECRET_CONTENT_HASH_BYTES 16

/** Random names for rooms, [a-z0-9]. */
void secret_make_rid(char rid[STORE_RID_SIZE]);
/** A guest's secret. */
void secret_make_token(char token[SECRET_TOKEN_SIZE]);
/** What is stored of a token: BLAKE2b (RFC 7693) under the database's key. */
void secret_hash_token(unsigned char out[SECRET_TOKEN_HASH_BYTES],
		       const unsigned char key[SECRET_KEY_BYTES], struct span token);
/**
 * What is stored of a write's content beside its key: BLAKE2b, keyed, so that the hash of a
 * deleted text tells nothing to who has the file without the key.  @rid names the room.
 */
void secret_hash_content(unsigned char out[SECRET_CONTENT_HASH_BYTES],
			 const unsigned char key[SECRET_KEY_BYTES], const struct request *req,
			 struct span rid);
