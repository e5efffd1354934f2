#pragma once
/* Layer: base. */
#include <stdbool.h>
#include <stddef.h>

/** Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, <=
 * U+10FFFF). */
bool utf8_is_valid(const void *bytes, size_t len);

/**
 * Bytes of the whole sequences that well-formed @bytes begin with, up to the first that is none or
 * is cut short.  *@may_go_on: what is behind them is nothing, or the beginning of a well-formed
 * sequence, so that more bytes can make all of it well-formed.
 */
size_t utf8_whole_len(const void *bytes, size_t len, bool *may_go_on);

/** Bytes of the well-formed sequence that @bytes begins with, 1 to 4; 0 if it begins with none. */
size_t utf8_sequence_len(const void *bytes, size_t len);
