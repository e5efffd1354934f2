/*
 * The opening handshake of a WebSocket (RFC 6455, 4.2), for a server that trusts its clients: it
 * looks for the target and the key and checks nothing else.
 */
#ifndef BENCH_FLOOR_HANDSHAKE_H
#define BENCH_FLOOR_HANDSHAKE_H

#include <stddef.h>

#define HANDSHAKE_TARGET_MAX 64
#define HANDSHAKE_ANSWER_MAX 256

/**
 * Read the request of @len bytes at @bytes.
 *
 * Returns the length of the request's head, with its target in @target and the answer's length in
 * *@answer_len; 0 if the head is not whole yet; -1 if it is no request that can be answered.
 */
int handshake_answer(const char *bytes, size_t len, char target[HANDSHAKE_TARGET_MAX],
		     char answer[HANDSHAKE_ANSWER_MAX], int *answer_len);

#endif
