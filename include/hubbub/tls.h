#pragma once
/* Layer: net. */
#include "hubbub/buf.h"

/**
 * A certificate with its key, and how TLS is spoken with it (TLS 1.2 and 1.3, by OpenSSL).
 *
 * Counted, and immutable once loaded: any thread may use it while it holds a reference.  Every TLS
 * connection holds what it was opened with, so that another certificate is for the next ones.
 */
struct tls_context;

/**
 * Read @cert_path (PEM: the server's own certificate first, those that lead to its authority behind
 * it) and @key_path (PEM, without a passphrase).  The caller owns the one reference in *@out.
 *
 * 0; or -EINVAL, and @why ends in a sentence that names the file and what is wrong with it.  A
 * certificate that is not valid by date is used, and the log warns of it.
 */
int tls_context_load(struct tls_context **out, const char *cert_path, const char *key_path,
		     struct buf *why);
struct tls_context *tls_context_ref(struct tls_context *c); /* NULL is allowed */
void tls_context_unref(struct tls_context *c);              /* NULL is allowed */
