#pragma once
/*
 * Private to auth/: libcurl, loaded where it is wanted.  It brings thirty libraries and six
 * megabytes with it, which a server that asks no other need not carry.
 */
#include <curl/curl.h>

/** Its functions, by their names without curl_. */
struct curl_api {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *curl);
	CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
	void (*easy_cleanup)(CURL *curl);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
};
/** As fetch_init() has loaded it. */
extern struct curl_api curl_api;
