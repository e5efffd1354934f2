#pragma once
/* Layer: base. */
#include <stdbool.h>
#include <stddef.h>

/** Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, <=
 * U+10FFFF). */
bool utf8_is_valid(const void *bytes, size_t len);
