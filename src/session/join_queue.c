/*
 * Joins in a storm, a few in each turn of the loop.
 *
 * A join is dear: the room's members are listed and its newest events copied into the reply.  When
 * thousands come at once, what running rooms say must not wait until all are done, at this worker
 * or at the store.  So a turn takes up so many, and the others wait in the order in which they
 * came.  Of each only the connection's id is kept: who has gone meanwhile is passed over.
 */
#include "session/conn.h"

#include "hubbub/mem.h"
#include <stdlib.h>

/** Joins that are taken up between two writings of output: about a millisecond. */
#define JOINS_PER_TURN 64
/** And while more sockets are ready than one turn takes: some of them may be of running rooms. */
#define JOINS_PER_CROWDED_TURN 8

static void push(struct join_queue *q, uint64_t conn)
{
	if (q->n == q->cap) {
		uint32_t cap = q->cap == 0 ? 64 : q->cap * 2;
		uint64_t *conns = mem_alloc(cap * sizeof(conns[0]));

		for (uint32_t i = 0; i < q->n; i++)
			conns[i] = q->conns[(q->first + i) % q->cap];
		free(q->conns);
		q->conns = conns;
		q->cap = cap;
		q->first = 0;
	}
	q->conns[(q->first + q->n++) % q->cap] = conn;
}

static uint64_t pop(struct join_queue *q)
{
	uint64_t conn = q->conns[q->first];

	q->first = (q->first + 1) % q->cap;
	q->n--;
	return conn;
}

bool hub_may_join(struct hub *hub, struct conn *c)
{
	struct join_queue *q = &hub->joins;

	if (q->n_left > 0) {
		q->n_left--;
		return true;
	}
	if (!c->waits_to_join)
		push(q, c->id);
	c->waits_to_join = true;
	return false;
}

bool hub_run_joins(struct hub *hub)
{
	struct join_queue *q = &hub->joins;

	q->n_left = hub->worker->is_crowded ? JOINS_PER_CROWDED_TURN : JOINS_PER_TURN;
	while (q->n > 0 && q->n_left > 0) {
		struct conn *c = hub_find_conn(hub, pop(q));

		if (c == NULL)
			continue;
		c->waits_to_join = false;
		conn_pump(c);
	}
	if (q->n > 0)
		return false;
	hub_forget_joins(hub);
	return true;
}

void hub_forget_joins(struct hub *hub)
{
	free(hub->joins.conns);
	hub->joins = (struct join_queue){.n_left = hub->joins.n_left};
}
