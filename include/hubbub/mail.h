#pragma once
/* Layer: auth. */
#include "hubbub/buf.h"
#include <stdatomic.h>

/** Mail by SMTP (RFC 5321), through libcurl, to the one server that is configured. */
struct mailer;

/** All are copied; @user and @password "" where none is wanted. */
struct mailer *mailer_new(const char *url, const char *from, const char *user,
			  const char *password);
void mailer_free(struct mailer *m); /* NULL is allowed */

/** Whether @s can be mailed to: one plain address (RFC 5321, 4.1.2), nothing quoted. */
bool mail_is_address(struct span s);
/**
 * Send a plain text, whose lines end in \n.  0, or -EIO with one line for the log in @why.  Blocks:
 * errand threads.
 */
int mail_send(const struct mailer *m, const char *to, const char *subject, const char *text,
	      const atomic_bool *stopping, struct buf *why);
