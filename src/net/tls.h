#pragma once
/* TLS between a stream and its socket; private to net/. */
#include "hubbub/stream.h"
#include "hubbub/tls.h"
#include <openssl/ssl.h>
#include <sys/uio.h>

/** One stream's TLS. */
struct tls;

/** What a worker needs to receive and send by TLS, once for all of its streams. */
struct tls_worker;

/** How far a handshake has got is the stream's owner's to bound; a turn takes so many steps. */
#define TLS_HANDSHAKES_PER_TURN 8

/** Speak TLS on @s by the context of its worker, which there must be.  0 or a negative errno. */
int tls_open(struct stream *s);
void tls_close(struct stream *s);
/**
 * Bytes came from the socket.  *@len bytes at *@text came out of them, which are there until the
 * next call on this worker.  0; TLS_E_ENDED: the peer will send no more; or a negative errno.
 */
int tls_receive(struct stream *s, const uint8_t *bytes, size_t n, uint8_t **text, size_t *len);
#define TLS_E_ENDED 1
/** Whether the handshake is done, so that the stream's output can go. */
bool tls_is_established(const struct stream *s);
/** Whether there is something to be written, were the socket to take it. */
bool tls_has_output(const struct stream *s);
/**
 * Point @iov at records for the socket, making them of what the stream has queued where none are
 * there; returns how many of @iov are used, 0: nothing is to be sent.
 */
unsigned tls_gather(struct stream *s, struct iovec *iov, size_t *total);
/**
 * The socket took @n bytes of those.  Returns how many bytes of the stream's output that were
 * counted as unsent count as sent now.
 */
size_t tls_took(struct stream *s, size_t n);
/** 0, or why nothing can be sent any more. */
int tls_error(const struct stream *s);
/** Say to the peer, as far as the socket takes it, why it will hear no more. */
void tls_say_last(struct stream *s);
/** Forget what was to be sent. */
void tls_drop_output(struct stream *s);
void tls_forget_worker(struct worker *w);
