#pragma once
/* Layer: auth. */
#include "hubbub/buf.h"
#include <stdatomic.h>
#include <stdbool.h>

/** One HTTP request to another server, by libcurl.  It blocks: for errand threads. */
struct fetch {
	const char *url;
	bool allows_http;            /* else https alone */
	const char *form;            /* POST this form; NULL: GET */
	const char *user, *secret;   /* of HTTP Basic authentication; NULL: none */
	const char *bearer;          /* a token to show (RFC 6750); NULL: none */
	const atomic_bool *stopping; /* gives up soon after it is true; may be NULL */
	/* Results. */
	long status;
	struct buf answer; /* the caller's */
};

#define FETCH_MAX_BYTES (1024 * 1024)
#define FETCH_TIMEOUT_MS 10000
#define FETCH_WHY_SIZE 256

/** Load libcurl, which this and mail_send() need.  Before there are other threads.  0, or a
 * negative errno with the reason in @why. */
int fetch_init(char why[FETCH_WHY_SIZE]);

/**
 * Do it, following no redirect.  0 whatever the status is; or -EIO with the reason in @why: the
 * server could not be reached or trusted, took too long or said too much.
 */
int fetch_run(struct fetch *f, char why[FETCH_WHY_SIZE]);
/** Append @s as a form has it: percent-encoded. */
void fetch_append_escaped(struct buf *out, struct span s);
