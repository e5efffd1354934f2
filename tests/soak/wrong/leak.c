/*
 * Wrong on purpose: of each request 16 KiB stay behind.
 */
#include "hubbub/request.h"
#include <stdlib.h>
#include <string.h>

void __real_request_free(struct request *req);
void __wrap_request_free(struct request *req);

static void *volatile last;

void __wrap_request_free(struct request *req)
{
	void *lost = malloc(16384);

	if (lost != NULL)
		memset(lost, 1, 16384);
	last = lost;
	__real_request_free(req);
}
