#pragma once
/* Private to store/. */
#include <stdint.h>

/** A session ends so long after its last use, and so long after its beginning. */
#define SESSION_IDLE_MS (INT64_C(30) * 24 * 60 * 60 * 1000)
#define SESSION_MAX_MS (INT64_C(180) * 24 * 60 * 60 * 1000)
