#include "hubbub/mail.h"

#include "auth/curl.h"
#include "hubbub/mem.h"
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#define TIMEOUT_S 30
#define MAX_ADDRESS 254 /* RFC 5321, 4.5.3.1.3, less its brackets */

struct mailer {
	char *url, *from, *user, *password;
	bool is_near; /* on this machine, where nobody listens in */
};

struct upload {
	struct span rest;
	const atomic_bool *stopping;
};

struct mailer *mailer_new(const char *url, const char *from, const char *user, const char *password)
{
	struct mailer *m = mem_zalloc(sizeof(*m));

	m->url = mem_strdup(url);
	m->from = mem_strdup(from);
	m->user = mem_strdup(user);
	m->password = mem_strdup(password);
	m->is_near = strncmp(url, "smtp://127.0.0.1", 16) == 0 ||
		     strncmp(url, "smtp://localhost", 16) == 0 ||
		     strncmp(url, "smtp://[::1]", 12) == 0;
	return m;
}

void mailer_free(struct mailer *m)
{
	if (m == NULL)
		return;
	sodium_memzero(m->password, strlen(m->password));
	free(m->password);
	free(m->user);
	free(m->from);
	free(m->url);
	free(m);
}

bool mail_is_address(struct span s)
{
	size_t at = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '@' && at != 0)
			return false;
		if (c == '@')
			at = i;
		else if (!isalnum(c) && strchr(".!#$%&'*+-/=?^_`{|}~", c) == NULL)
			return false;
	}
	return s.len <= MAX_ADDRESS && at > 0 && at + 1 < s.len;
}

static void append_head(struct buf *b, const struct mailer *m, const char *to, const char *subject)
{
	unsigned char raw[16];
	char id[33], date[64];
	time_t now = time(NULL);
	struct tm tm;
	const char *domain = strrchr(m->from, '@');

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2hex(id, sizeof(id), raw, sizeof(raw));
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
	buf_printf(b, "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n", date, m->from, to,
		   subject);
	buf_printf(b, "Message-ID: <%s%s>\r\n", id, domain != NULL ? domain : "@localhost");
	buf_append_str(b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
			  "Content-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n"
			  "\r\n");
}

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct upload *up = ctx;
	size_t len = size * n < up->rest.len ? size * n : up->rest.len;

	memcpy(out, up->rest.p, len);
	up->rest.p += len;
	up->rest.len -= len;
	return len;
}

static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		       curl_off_t up)
{
	const struct upload *u = ctx;

	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	return u->stopping != NULL && atomic_load(u->stopping);
}

static CURLcode perform(CURL *curl, const struct mailer *m, struct curl_slist *to,
			struct upload *up)
{
	curl_api.easy_setopt(curl, CURLOPT_URL, m->url);
	curl_api.easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_api.easy_setopt(curl, CURLOPT_USE_SSL,
			     (long)(m->is_near ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	curl_api.easy_setopt(curl, CURLOPT_MAIL_FROM, m->from);
	curl_api.easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	if (m->user[0] != '\0') {
		curl_api.easy_setopt(curl, CURLOPT_USERNAME, m->user);
		curl_api.easy_setopt(curl, CURLOPT_PASSWORD, m->password);
	}
	curl_api.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_api.easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_api.easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_api.easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_api.easy_setopt(curl, CURLOPT_READDATA, up);
	curl_api.easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_api.easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_api.easy_setopt(curl, CURLOPT_XFERINFODATA, up);
	return curl_api.easy_perform(curl);
}

int mail_send(const struct mailer *m, const char *to, const char *subject, const char *text,
	      const atomic_bool *stopping, struct buf *why)
{
	char reason[CURL_ERROR_SIZE] = "";
	struct buf mail = {0};
	CURL *curl = curl_api.easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;

	append_head(&mail, m, to, subject);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			buf_append_char(&mail, '\r');
		buf_append_char(&mail, *p);
	}
	struct upload up = {.rest = buf_span(&mail), .stopping = stopping};
	struct curl_slist *list = curl_api.slist_append(NULL, to);

	if (curl != NULL && list != NULL) {
		curl_api.easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
		code = perform(curl, m, list, &up);
	}
	curl_api.easy_cleanup(curl);
	curl_api.slist_free_all(list);
	sodium_memzero(mail.p, mail.len);
	buf_deinit(&mail);
	if (code == CURLE_OK)
		return 0;
	buf_append_str(why, reason[0] != '\0' ? reason : curl_api.easy_strerror(code));
	return -EIO;
}
