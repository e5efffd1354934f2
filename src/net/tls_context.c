/*
 * A certificate, its key, and what is agreed to in a handshake.
 *
 * Versions, ciphers and groups are those of Mozilla's "intermediate" list: all of them keep what
 * was said secret also when the key is stolen later.  Each file is read once and then parsed from
 * memory, so that one that is replaced meanwhile is never seen half.
 */
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "net/tls.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILE (1024 * 1024)

static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
			      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
			      "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char suites[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256:P-384";

struct tls_context *tls_context_ref(struct tls_context *c)
{
	if (c != NULL)
		SSL_CTX_up_ref((SSL_CTX *)c);
	return c;
}

void tls_context_unref(struct tls_context *c)
{
	SSL_CTX_free((SSL_CTX *)c);
}

static int refuse(struct buf *why, const char *what, const char *path, const char *reason)
{
	buf_printf(why, "%s %s %s", what, path, reason);
	ERR_clear_error();
	return -EINVAL;
}

/* What OpenSSL says is wrong, behind @reason. */
static int refuse_by_openssl(struct buf *why, const char *what, const char *path,
			     const char *reason)
{
	const char *said = ERR_reason_error_string(ERR_peek_last_error());

	refuse(why, what, path, reason);
	if (said != NULL)
		buf_printf(why, " (%s)", said);
	return -EINVAL;
}

/* The file as a BIO in memory; NULL with the reason in @why. */
static BIO *read_file(const char *what, const char *path, struct buf *why)
{
	FILE *file = fopen(path, "re");
	BIO *text = BIO_new(BIO_s_secmem());
	char bytes[4096];
	size_t n, total = 0;
	int err = file == NULL ? errno : 0;

	while (err == 0 && total <= MAX_FILE && (n = fread(bytes, 1, sizeof(bytes), file)) > 0) {
		BIO_write(text, bytes, (int)n);
		total += n;
	}
	OPENSSL_cleanse(bytes, sizeof(bytes)); /* it may have been the key */
	if (err == 0 && ferror(file))
		err = errno;
	if (file != NULL)
		fclose(file);
	if (err == 0 && total <= MAX_FILE)
		return text;
	buf_printf(why, "%s %s cannot be read: %s", what, path,
		   err != 0 ? strerror(err) : "it is too large");
	BIO_free_all(text);
	return NULL;
}

static void say_date(const char *path, const char *what, const ASN1_TIME *when)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	ASN1_TIME_print(text, when);
	len = BIO_get_mem_data(text, &bytes);
	log_warn("the certificate %s %s %.*s: browsers will refuse it", path, what, (int)len,
		 bytes);
	BIO_free(text);
}

static void warn_of_dates(X509 *cert, const char *path)
{
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
		say_date(path, "expired on", X509_get0_notAfter(cert));
	if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
		say_date(path, "is not valid before", X509_get0_notBefore(cert));
}

static int use_certificates(SSL_CTX *ctx, BIO *text, const char *path, struct buf *why)
{
	X509 *cert = PEM_read_bio_X509_AUX(text, NULL, NULL, NULL);
	int err = 0;

	if (cert == NULL)
		return refuse(why, "the certificate", path,
			      "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
	if (SSL_CTX_use_certificate(ctx, cert) != 1)
		err = refuse_by_openssl(why, "the certificate", path, "cannot be used");
	else
		warn_of_dates(cert, path);
	X509_free(cert);
	while (err == 0 && (cert = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(ctx, cert) == 1)
			continue;
		X509_free(cert);
		err = refuse_by_openssl(why, "the certificate", path,
					"has one behind the first that cannot be used");
	}
	/* The end of the file is an error like any other, told by this reason. */
	if (err == 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		err = refuse_by_openssl(why, "the certificate", path,
					"is damaged behind the first certificate");
	ERR_clear_error();
	return err;
}

/* OpenSSL's own would ask at the terminal. */
static int no_passphrase(char *buf, int size, int is_writing, void *was_asked)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	*(bool *)was_asked = true;
	return -1;
}

static int use_key(SSL_CTX *ctx, BIO *text, const char *path, const char *cert_path,
		   struct buf *why)
{
	bool was_asked = false;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, no_passphrase, &was_asked);
	int err = 0;

	if (key == NULL && was_asked)
		return refuse(why, "the key", path,
			      "has a passphrase, which a server cannot ask for: store it without "
			      "(openssl pkey)");
	if (key == NULL)
		return refuse(why, "the key", path,
			      "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
	if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1) {
		buf_printf(why, "the key %s does not belong to the certificate %s", path,
			   cert_path);
		err = -EINVAL;
	} else if (SSL_CTX_use_PrivateKey(ctx, key) != 1) {
		err = refuse_by_openssl(why, "the key", path, "cannot be used");
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}

/* Who knows only other protocols is told so in the handshake (RFC 7301, 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *offered, unsigned n_offered, void *ctx)
{
	static const unsigned char own[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, out_len, own, sizeof(own) - 1, offered, n_offered) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* False where this OpenSSL does not know what is asked for. */
static bool set_rules(SSL_CTX *ctx)
{
	static const unsigned char id[] = "hubbub";

	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* Thousands of connections are idle, and need no buffers then. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	/* Sessions are resumed by tickets, which the client keeps. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1 &&
	       SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, ciphers) == 1 &&
	       SSL_CTX_set_ciphersuites(ctx, suites) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, groups) == 1;
}

static int load(SSL_CTX *ctx, const char *cert_path, const char *key_path, struct buf *why)
{
	BIO *cert = read_file("the certificate", cert_path, why);
	BIO *key = cert != NULL ? read_file("the key", key_path, why) : NULL;
	int err = -EINVAL;

	if (key != NULL)
		err = use_certificates(ctx, cert, cert_path, why);
	if (err == 0)
		err = use_key(ctx, key, key_path, cert_path, why);
	BIO_free_all(cert);
	BIO_free_all(key);
	return err;
}

int tls_context_load(struct tls_context **out, const char *cert_path, const char *key_path,
		     struct buf *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	ERR_clear_error();
	if (ctx == NULL || !set_rules(ctx)) {
		SSL_CTX_free(ctx);
		refuse_by_openssl(why, "TLS", "1.2 and 1.3", "cannot be set up with this OpenSSL");
		return -EINVAL;
	}
	if (load(ctx, cert_path, key_path, why) != 0) {
		SSL_CTX_free(ctx);
		return -EINVAL;
	}
	*out = (struct tls_context *)ctx;
	return 0;
}
