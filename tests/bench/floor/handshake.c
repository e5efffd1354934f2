#include "handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LEN 24 /* 16 bytes in base64 */

static const char KEY_NAME[] = "\r\nsec-websocket-key:";

/** Find the key's field whatever the case of its name.  NULL if there is none. */
static const char *find_key(const char *head, const char *end)
{
	const size_t name_len = sizeof(KEY_NAME) - 1;

	for (const char *p = head; p + name_len + KEY_LEN < end; p++) {
		if (*p != '\r' || strncasecmp(p, KEY_NAME, name_len) != 0)
			continue;
		p += name_len;
		while (p < end && *p == ' ')
			p++;
		return p + KEY_LEN <= end ? p : NULL;
	}
	return NULL;
}

int handshake_answer(const char *bytes, size_t len, char target[HANDSHAKE_TARGET_MAX],
		     char answer[HANDSHAKE_ANSWER_MAX], int *answer_len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);

	if (end == NULL)
		return 0;
	if (len < 4 || memcmp(bytes, "GET ", 4) != 0)
		return -1;
	const char *from = bytes + 4;
	const char *to = memchr(from, ' ', (size_t)(end - from));
	const char *key = find_key(bytes, end + 2);

	if (to == NULL || to - from >= HANDSHAKE_TARGET_MAX || key == NULL)
		return -1;
	memcpy(target, from, (size_t)(to - from));
	target[to - from] = '\0';

	unsigned char joined[KEY_LEN + sizeof(GUID) - 1];
	unsigned char digest[SHA_DIGEST_LENGTH];
	unsigned char accept[32];

	memcpy(joined, key, KEY_LEN);
	memcpy(joined + KEY_LEN, GUID, sizeof(GUID) - 1);
	SHA1(joined, sizeof(joined), digest);
	EVP_EncodeBlock(accept, digest, sizeof(digest));
	*answer_len = snprintf(answer, HANDSHAKE_ANSWER_MAX,
			       "HTTP/1.1 101 Switching Protocols\r\n"
			       "Upgrade: websocket\r\n"
			       "Connection: Upgrade\r\n"
			       "Sec-WebSocket-Accept: %s\r\n\r\n",
			       (char *)accept);
	return (int)(end + 4 - bytes);
}
