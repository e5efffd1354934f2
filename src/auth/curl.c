#include "auth/curl.h"

#include "hubbub/fetch.h"
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct curl_api curl_api;

static const char *const names[] = {
	"curl_global_init",   "curl_easy_init",    "curl_easy_setopt",
	"curl_easy_perform",  "curl_easy_getinfo", "curl_easy_cleanup",
	"curl_easy_strerror", "curl_slist_append", "curl_slist_free_all",
};

int fetch_init(char why[FETCH_WHY_SIZE])
{
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	static_assert(sizeof(curl_api) == sizeof(names), "a name for each function");
	if (lib == NULL) {
		snprintf(why, FETCH_WHY_SIZE, "libcurl (Debian's package libcurl4) is wanted: %s",
			 dlerror());
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *function = dlsym(lib, names[i]);

		/* POSIX has it that a function's address fits (dlsym). */
		memcpy((char *)&curl_api + i * sizeof(function), &function, sizeof(function));
		if (function == NULL) {
			snprintf(why, FETCH_WHY_SIZE, "libcurl has no %s", names[i]);
			return -ENOENT;
		}
	}
	if (curl_api.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		return 0;
	snprintf(why, FETCH_WHY_SIZE, "libcurl cannot be used");
	return -ENOMEM;
}
