#include "hubbub/fetch.h"

#include "auth/curl.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(FETCH_WHY_SIZE >= CURL_ERROR_SIZE, "libcurl's text");

static size_t on_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	if (f->answer.len + size * n > FETCH_MAX_BYTES)
		return 0; /* libcurl takes that for a failure */
	buf_append(&f->answer, bytes, size * n);
	return size * n;
}

static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		       curl_off_t up)
{
	const struct fetch *f = ctx;

	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	return f->stopping != NULL && atomic_load(f->stopping);
}

int fetch_run(struct fetch *f, char why[FETCH_WHY_SIZE])
{
	CURL *curl = curl_api.easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;

	why[0] = '\0';
	if (curl != NULL) {
		curl_api.easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
		curl_api.easy_setopt(curl, CURLOPT_URL, f->url);
		curl_api.easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
				     f->allows_http ? "http,https" : "https");
		curl_api.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		curl_api.easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)FETCH_TIMEOUT_MS);
		curl_api.easy_setopt(curl, CURLOPT_USERAGENT, "hubbub/" HUBBUB_VERSION);
		curl_api.easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
		curl_api.easy_setopt(curl, CURLOPT_WRITEDATA, f);
		curl_api.easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_api.easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_api.easy_setopt(curl, CURLOPT_XFERINFODATA, f);
		if (f->form != NULL)
			curl_api.easy_setopt(curl, CURLOPT_POSTFIELDS, f->form);
		if (f->bearer != NULL) {
			curl_api.easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
			curl_api.easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, f->bearer);
		}
		if (f->user != NULL) {
			curl_api.easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
			curl_api.easy_setopt(curl, CURLOPT_USERNAME, f->user);
			curl_api.easy_setopt(curl, CURLOPT_PASSWORD, f->secret);
		}
		code = curl_api.easy_perform(curl);
		curl_api.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &f->status);
		curl_api.easy_cleanup(curl);
	}
	if (code == CURLE_OK)
		return 0;
	if (why[0] == '\0')
		snprintf(why, FETCH_WHY_SIZE, "%s", curl_api.easy_strerror(code));
	return -EIO;
}

void fetch_append_escaped(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
				(c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
				c == '~';

		if (is_plain)
			buf_append_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}
