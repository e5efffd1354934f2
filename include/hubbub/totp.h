#pragma once
/* Layer: auth. */
#include "hubbub/buf.h"
#include "hubbub/span.h"
#include <stdbool.h>
#include <stdint.h>

/** Time-based one-time passwords (RFC 6238): six digits, 30 seconds, SHA-1, as all apps do. */

#define TOTP_SECRET_BYTES 20 /* RFC 4226, 4, R6 */
#define TOTP_DIGITS 6
#define TOTP_STEP_S 30

void totp_make_secret(uint8_t secret[TOTP_SECRET_BYTES]);
/** The code of time step @step. */
uint32_t totp_code(const uint8_t secret[TOTP_SECRET_BYTES], uint64_t step);
/**
 * Whether @code is that of @unix_s, or of the step before or after it, and of a later step than
 * @last_step, so that none is taken twice (RFC 6238, 5.2).  Then *@step is its step.
 */
bool totp_check(const uint8_t secret[TOTP_SECRET_BYTES], struct span code, uint64_t unix_s,
		uint64_t last_step, uint64_t *step);
/** Append the secret in base32 (RFC 4648, 6, without padding), for people to type. */
void totp_append_base32(struct buf *out, const uint8_t secret[TOTP_SECRET_BYTES]);
/** Append the otpauth: URI that apps read from a QR code. */
void totp_append_uri(struct buf *out, const uint8_t secret[TOTP_SECRET_BYTES], struct span issuer,
		     struct span login);
