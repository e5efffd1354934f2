#pragma once
/* Small readers of header values: ASCII, lists, tokens (RFC 9110, 5.6). */
#include "hubbub/span.h"
#include <stdbool.h>
#include <stddef.h>

bool text_is_token_char(unsigned char c);
bool text_is_token(struct span s);
/** Equal but for the case of ASCII letters. */
bool text_equal_nocase(struct span a, struct span b);
struct span text_trim(struct span s); /* of spaces and tabs */
/**
 * Take the next element of a list off *@rest, trimmed; @separator inside a quoted string does not
 * count.  Empty elements are given as such.  False when there is none left.
 */
bool text_next(struct span *rest, char separator, struct span *element);
/** Whether a comma-separated list holds @token, whatever its case. */
bool text_list_has(struct span list, struct span token);
