/*
 * TLS between a stream and its socket.
 *
 * OpenSSL sees no socket: what was received is handed to it, and the records that it makes are
 * gathered for the stream to send, so that turns, batches and backpressure are the same as without
 * it.  A stream's queue stays plain, shared with all members, until the socket is ready for it:
 * then up to MAX_SEALED bytes of it become records, as large as records may be.  Only when the
 * socket has taken those are the next made.  So a peer that does not read costs one such batch more
 * than without TLS, and an idle one has no buffers at all.
 *
 * Sealed bytes count as unsent until their record has gone.
 */
#include "net/tls.h"
#include "hubbub/buf.h"
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "net/internal.h"
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#define MAX_RECORD 16384 /* bytes of text in one record (RFC 8446, 5.1) */
#define MAX_SEALED (4 * MAX_RECORD)
/** What one recv() may bring, behind the beginning of a record that came before. */
#define MAX_TEXT (WORKER_RECV_SIZE + 2 * MAX_RECORD)
/** Each costs far more than its few bytes: who sends so many and nothing else is playing. */
#define MAX_KEY_UPDATES 32

struct tls {
	SSL *ssl;
	struct buf out; /* records, of which the socket has taken out_at bytes */
	size_t out_at;
	size_t sealed; /* bytes of the stream's output in them that count as unsent */
	int err;
	unsigned n_key_updates; /* since text came */
	bool said_end;          /* close_notify is among what was written */
};

struct tls_worker {
	const uint8_t *in; /* of the call under way */
	size_t n_in;
	uint8_t text[MAX_TEXT];
	uint8_t record[MAX_RECORD]; /* the text of one, gathered */
};

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static int bio_read(BIO *bio, char *to, int size)
{
	struct stream *s = BIO_get_data(bio);
	struct tls_worker *t = s->worker->tls_worker;
	size_t n = t->n_in < (size_t)size ? t->n_in : (size_t)size;

	BIO_clear_retry_flags(bio);
	if (n == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(to, t->in, n);
	t->in += n;
	t->n_in -= n;
	return (int)n;
}

static int bio_write(BIO *bio, const char *from, int n)
{
	struct stream *s = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	buf_append(&s->tls->out, from, (size_t)n);
	return n;
}

static long bio_ctrl(BIO *bio, int cmd, long n, void *p)
{
	(void)bio;
	(void)n;
	(void)p;
	return cmd == BIO_CTRL_FLUSH;
}

/* OpenSSL bounds warnings and empty records by itself, and not these (RFC 8446, 4.6.3). */
static void on_message(int by_us, int version, int type, const void *bytes, size_t len, SSL *ssl,
		       void *tls)
{
	(void)version;
	(void)ssl;
	if (!by_us && type == SSL3_RT_HANDSHAKE && len > 0 &&
	    *(const uint8_t *)bytes == SSL3_MT_KEY_UPDATE)
		((struct tls *)tls)->n_key_updates++;
}

static void make_bio_method(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
	if (bio_method == NULL)
		return;
	BIO_meth_set_read(bio_method, bio_read);
	BIO_meth_set_write(bio_method, bio_write);
	BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

int tls_open(struct stream *s)
{
	struct worker *w = s->worker;
	struct tls *tls = mem_zalloc(sizeof(*tls));
	BIO *bio = NULL;

	pthread_once(&bio_once, make_bio_method);
	if (w->tls_worker == NULL)
		w->tls_worker = mem_zalloc(sizeof(*w->tls_worker));
	if (bio_method != NULL)
		bio = BIO_new(bio_method);
	if (bio != NULL)
		tls->ssl = SSL_new((SSL_CTX *)w->tls_context);
	if (tls->ssl == NULL) {
		BIO_free(bio);
		free(tls);
		ERR_clear_error();
		return -ENOMEM;
	}
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_accept_state(tls->ssl);
	SSL_set_msg_callback(tls->ssl, on_message);
	SSL_set_msg_callback_arg(tls->ssl, tls);
	s->tls = tls;
	s->is_tls = true;
	return 0;
}

static void drop_records(struct tls *tls)
{
	buf_deinit(&tls->out);
	tls->out_at = tls->sealed = 0;
}

void tls_close(struct stream *s)
{
	drop_records(s->tls);
	SSL_free(s->tls->ssl);
	free(s->tls);
	s->tls = NULL;
	s->is_tls = false;
}

/* A peer that took this for a plain port is told so in its own words. */
static void answer_plain_http(struct tls *tls)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
				     "Content-Type: text/plain; charset=utf-8\r\n"
				     "Content-Length: 38\r\nConnection: close\r\n\r\n"
				     "This port speaks https only, not http\n";

	drop_records(tls);
	buf_append(&tls->out, answer, sizeof(answer) - 1);
}

/* OpenSSL has refused what came, or what it was to send. */
static int fail(struct stream *s, const char *doing)
{
	unsigned long code = ERR_peek_error();
	const char *reason = ERR_reason_error_string(code);

	log_debug("TLS failed %s: %s", doing, reason != NULL ? reason : "no reason is known");
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)
		answer_plain_http(s->tls);
	ERR_clear_error();
	s->tls->err = -EPROTO;
	return -EPROTO;
}

int tls_receive(struct stream *s, const uint8_t *bytes, size_t n, uint8_t **text, size_t *len)
{
	struct tls_worker *t = s->worker->tls_worker;
	struct tls *tls = s->tls;
	int got, err = 0;

	t->in = bytes;
	t->n_in = n;
	*text = t->text;
	*len = 0;
	ERR_clear_error(); /* what others left there would be taken for an error of this */
	do {
		assert(*len < MAX_TEXT); /* text is shorter than its records */
		got = SSL_read(tls->ssl, t->text + *len, (int)(MAX_TEXT - *len));
		if (got > 0)
			*len += (size_t)got;
	} while (got > 0);

	if (*len > 0)
		tls->n_key_updates = 0;
	switch (SSL_get_error(tls->ssl, got)) {
	case SSL_ERROR_WANT_READ:
		if (tls->n_key_updates > MAX_KEY_UPDATES)
			err = fail(s, "by a flood of key updates");
		break;
	case SSL_ERROR_ZERO_RETURN:
		err = TLS_E_ENDED;
		break;
	default:
		err = fail(s, tls_is_established(s) ? "while receiving" : "in a handshake");
		break;
	}
	t->n_in = 0; /* behind the peer's end or an error nothing counts */
	return err;
}

bool tls_is_established(const struct stream *s)
{
	return SSL_is_init_finished(s->tls->ssl);
}

/* Whether more records can be made of what is queued and of what is to be said last. */
static bool can_seal(const struct stream *s)
{
	if (s->tls->err != 0 || !tls_is_established(s))
		return false;
	return !stream_out_is_empty(s->out) || (s->shut_when_drained && !s->tls->said_end);
}

bool tls_has_output(const struct stream *s)
{
	return s->tls->out_at < s->tls->out.len || can_seal(s);
}

/* One record of what is queued; false when it cannot be made. */
static bool seal_record(struct stream *s)
{
	struct tls *tls = s->tls;
	const uint8_t *text;
	size_t n = stream_out_peek(s->out, s->worker->tls_worker->record, MAX_RECORD, &text);

	assert(n > 0);
	ERR_clear_error();
	if (SSL_write(tls->ssl, text, (int)n) != (int)n) {
		fail(s, "while sending");
		return false;
	}
	stream_out_consume(s->out, n);
	tls->sealed += n;
	return true;
}

/* The peer must be able to tell the end from a cut (RFC 8446, 6.1). */
static void seal_end(struct tls *tls)
{
	ERR_clear_error();
	(void)SSL_shutdown(tls->ssl);
	ERR_clear_error();
	tls->said_end = true;
}

static void seal(struct stream *s)
{
	bool works = can_seal(s);

	while (works && !stream_out_is_empty(s->out) && s->tls->sealed < MAX_SEALED)
		works = seal_record(s);
	if (!works || !stream_out_is_empty(s->out))
		return;
	stream_out_drop(s->worker, &s->out);
	if (s->shut_when_drained && !s->tls->said_end)
		seal_end(s->tls);
}

unsigned tls_gather(struct stream *s, struct iovec *iov, size_t *total)
{
	struct tls *tls = s->tls;

	if (tls->out_at == tls->out.len)
		seal(s);
	*total = tls->out.len - tls->out_at;
	if (*total == 0)
		return 0;
	*iov = (struct iovec){.iov_base = tls->out.p + tls->out_at, .iov_len = *total};
	return 1;
}

size_t tls_took(struct stream *s, size_t n)
{
	struct tls *tls = s->tls;
	size_t sent;

	tls->out_at += n;
	assert(tls->out_at <= tls->out.len);
	if (tls->out_at == tls->out.len) {
		sent = tls->sealed;
		drop_records(tls);
		return sent;
	}
	/* Something of it is unsent for as long as a byte of the records is. */
	if (tls->sealed == 0)
		return 0;
	sent = n < tls->sealed ? n : tls->sealed - 1;
	tls->sealed -= sent;
	return sent;
}

int tls_error(const struct stream *s)
{
	return s->tls->err;
}

void tls_say_last(struct stream *s)
{
	struct tls *tls = s->tls;

	if (tls->err == 0 && !tls->said_end && tls_is_established(s))
		seal_end(tls);
	/* It is a few bytes, and nobody waits for them. */
	if (tls->out_at < tls->out.len)
		(void)send(s->fd, tls->out.p + tls->out_at, tls->out.len - tls->out_at,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
	drop_records(tls);
}

void tls_drop_output(struct stream *s)
{
	drop_records(s->tls);
}

void tls_forget_worker(struct worker *w)
{
	tls_context_unref(w->tls_context);
	free(w->tls_worker);
	w->tls_context = NULL;
	w->tls_worker = NULL;
}
