#ifndef BENCH_LOAD_INBOUND_H
#define BENCH_LOAD_INBOUND_H

#include "conn.h"

/* One read, and the longest unfinished frame before it. */
#define INBOUND_BUF_SIZE (5 * 1024 * 1024)

/** Read once from @c, which has something to read, and handle what is whole. */
void inbound_read(struct conn *c);

#endif
