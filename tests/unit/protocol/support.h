#pragma once
/* What the tests of protocol/ share.  cmocka wants these headers before its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/config.h"
#include "hubbub/request.h"
#include <stdlib.h>
#include <string.h>

static const struct config test_config = {.open = true, .max_text = 8000, .max_frame = 65536};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fail with both strings in sight. */
#define assert_span(value, literal)                                                              \
	do {                                                                                     \
		struct span got_ = (value);                                                      \
		struct span want_ = SPAN(literal);                                               \
		if (got_.p == NULL || !span_equal(got_, want_))                                  \
			fail_msg("got %.*s, want %.*s", (int)got_.len,                           \
				 got_.p != NULL ? got_.p : "(absent)", (int)want_.len, want_.p); \
	} while (0)
