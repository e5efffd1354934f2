/*
 * The keys under which measured messages are sent.  bench-load sends them to Hubbub and
 * bench-sqlite stores them: how keys lie in their index decides what storing a message costs.
 */
#ifndef BENCH_SEND_KEY_H
#define BENCH_SEND_KEY_H

/** The run's id in eight hex digits, the number of the author, and the author's own counter. */
#define SEND_KEY_FORMAT "%s-%u-%u"

/** The longest with its NUL. */
#define SEND_KEY_SIZE 32

#endif
