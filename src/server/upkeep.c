/*
 * What the store does by itself: expiring messages, seeing off who deleted their account.
 *
 * A step is an op among those of everybody else, so each is small; while there is more to do a few
 * are asked for four times a second, else one every half minute to see whether there is.
 */
#include "server/server_internal.h"

#define TICK_MS 250
#define IDLE_TICKS 120
#define STEPS 32

static void on_tick(uv_timer_t *timer)
{
	struct server *s = timer->data;
	bool is_busy = store_has_upkeep(s->store);

	if (!is_busy && ++s->upkeep.n_idle < IDLE_TICKS)
		return;
	s->upkeep.n_idle = 0;
	for (int i = 0; i < (is_busy ? STEPS : 1); i++) {
		struct store_op *op = store_op_new(STORE_UPKEEP, (struct store_origin){0});

		if (!store_submit(s->store, op))
			store_op_free(op);
	}
	store_wake(s->store);
}

void upkeep_start(struct server *s)
{
	s->upkeep.n_idle = IDLE_TICKS; /* the first look is at once */
	s->upkeep.timer.data = s;
	uv_timer_init(&s->loop, &s->upkeep.timer);
	uv_timer_start(&s->upkeep.timer, on_tick, 0, TICK_MS);
}

void upkeep_stop(struct server *s)
{
	if (s->upkeep.timer.data != NULL)
		uv_close((uv_handle_t *)&s->upkeep.timer, NULL);
	s->upkeep.timer.data = NULL;
}
