#pragma once
/* Layer: http. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One encoding of an embedded file; data is NULL where that encoding is not there. */
struct asset_body {
	const uint8_t *data;
	size_t len;
};

/** One file of the web client, embedded in the binary by the build. */
struct asset {
	const char *path; /* "/assets/index-1a2b.js", "/index.html" */
	const char *type; /* Content-Type */
	const char *etag; /* quoted, strong, made from the content */
	bool immutable;   /* the name holds a hash: it may be cached for ever */
	struct asset_body identity, gzip, brotli;
};

extern const struct asset assets[];
extern const size_t n_assets;
