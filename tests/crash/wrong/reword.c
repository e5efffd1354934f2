/*
 * Other SQL than the store meant.
 */
#include "reword.h"
#include "hubbub/mem.h"
#include <assert.h>
#include <string.h>

char *reword(const char *sql, const char *from, const char *to)
{
	char *out = mem_strdup(sql);
	char *at = strstr(out, from);

	assert(strlen(from) == strlen(to));
	if (at != NULL)
		memcpy(at, to, strlen(to));
	return out;
}
