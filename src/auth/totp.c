/*
 * The second factor: RFC 6238 over RFC 4226, with OpenSSL's HMAC.
 */
#include "hubbub/totp.h"

#include <assert.h>
#include <openssl/hmac.h>
#include <sodium.h>

/* Clocks differ, and typing takes time: one step either way (RFC 6238, 5.2). */
#define WINDOW 1

void totp_make_secret(uint8_t secret[TOTP_SECRET_BYTES])
{
	randombytes_buf(secret, TOTP_SECRET_BYTES);
}

/* RFC 4226, 5.3: dynamic truncation. */
uint32_t totp_code(const uint8_t secret[TOTP_SECRET_BYTES], uint64_t step)
{
	unsigned char counter[8], mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	for (int i = 7; i >= 0; i--, step >>= 8)
		counter[i] = (unsigned char)step;
	const unsigned char *ok =
		HMAC(EVP_sha1(), secret, TOTP_SECRET_BYTES, counter, sizeof(counter), mac, &len);
	assert(ok != NULL && len == 20);
	const unsigned char *at = mac + (mac[len - 1] & 0x0f);
	uint32_t n = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
		     at[3];

	return n % 1000000;
}

static bool parse(struct span code, uint32_t *n)
{
	*n = 0;
	if (code.len != TOTP_DIGITS)
		return false;
	for (size_t i = 0; i < code.len; i++) {
		if (code.p[i] < '0' || code.p[i] > '9')
			return false;
		*n = *n * 10 + (uint32_t)(code.p[i] - '0');
	}
	return true;
}

bool totp_check(const uint8_t secret[TOTP_SECRET_BYTES], struct span code, uint64_t unix_s,
		uint64_t last_step, uint64_t *step)
{
	uint64_t now = unix_s / TOTP_STEP_S;
	uint32_t given;
	bool found = false;

	if (!parse(code, &given))
		return false;
	for (uint64_t s = now > WINDOW ? now - WINDOW : 0; s <= now + WINDOW; s++) {
		uint32_t wanted = totp_code(secret, s);

		/* All are compared, in constant time. */
		if (sodium_memcmp(&wanted, &given, sizeof(given)) == 0 && s > last_step && !found) {
			found = true;
			*step = s;
		}
	}
	return found;
}

void totp_append_base32(struct buf *out, const uint8_t secret[TOTP_SECRET_BYTES])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < TOTP_SECRET_BYTES; i++) {
		bits = bits << 8 | secret[i];
		for (n += 8; n >= 5; n -= 5)
			buf_append_char(out, alphabet[bits >> (n - 5) & 31]);
	}
	static_assert(TOTP_SECRET_BYTES % 5 == 0, "no bits remain");
}

/* RFC 3986, 2.3: what is not unreserved is escaped. */
static void append_escaped(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~')
			buf_append_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

void totp_append_uri(struct buf *out, const uint8_t secret[TOTP_SECRET_BYTES], struct span issuer,
		     struct span login)
{
	buf_append_str(out, "otpauth://totp/");
	append_escaped(out, issuer);
	buf_append_char(out, ':');
	append_escaped(out, login);
	buf_append_str(out, "?secret=");
	totp_append_base32(out, secret);
	buf_append_str(out, "&issuer=");
	append_escaped(out, issuer);
}
