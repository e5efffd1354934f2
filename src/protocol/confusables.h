#pragma once
/* Private to protocol/: characters that look like others (UTS #39, 4), generated at build time. */
#include <stdint.h>

struct confusable {
	uint32_t from;
	uint16_t at; /* in confusables_text: what it looks like, UTF-8 */
	uint8_t len;
};
extern const struct confusable confusables[]; /* by rising from */
extern const unsigned n_confusables;
extern const unsigned char confusables_text[];
