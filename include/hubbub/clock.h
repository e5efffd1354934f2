#pragma once
/* Layer: base. */
#include <stdint.h>

int64_t clock_wall_ms(void);  /* Unix time in milliseconds; may jump */
uint64_t clock_mono_ms(void); /* milliseconds since some start; never goes back */
uint64_t clock_mono_ns(void);
