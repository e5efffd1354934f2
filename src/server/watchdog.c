/*
 * The service manager's watchdog: it hears of us only while every thread that matters turns.
 *
 * A worker's loop ticks ten times a second whatever comes.  The store's writer turns with each
 * batch; it hangs if it had work when it was last looked at and has not turned since.
 */
#include "hubbub/mem.h"
#include "server/notify.h"
#include "server/server_internal.h"
#include <stdlib.h>

static bool do_workers_turn(struct server *s)
{
	bool all = true;

	for (unsigned i = 0; i < s->n_workers; i++) {
		unsigned n = atomic_load_explicit(&s->workers[i].n_ticks, memory_order_relaxed);

		if (n == s->watchdog.worker_ticks[i]) {
			log_error("worker %u hangs", i);
			all = false;
		}
		s->watchdog.worker_ticks[i] = n;
	}
	return all;
}

static bool does_store_turn(struct server *s)
{
	struct watchdog *w = &s->watchdog;
	struct store_stats stats;

	store_get_stats(s->store, &stats);
	bool has_work = stats.is_working || stats.queue > 0;
	bool hangs = w->store_had_work && has_work && stats.turns == w->store_turns;

	if (hangs)
		log_error("the store hangs");
	w->store_had_work = has_work;
	w->store_turns = stats.turns;
	return !hangs;
}

static void on_timer(uv_timer_t *timer)
{
	struct server *s = timer->data;
	bool workers = do_workers_turn(s), store = does_store_turn(s);

	if (workers && store)
		notify_send("WATCHDOG=1");
}

void watchdog_start(struct server *s)
{
	uint64_t half_ms = notify_watchdog_us() / 2000;

	uv_timer_init(&s->loop, &s->watchdog.timer);
	s->watchdog.timer.data = s;
	if (half_ms == 0)
		return;
	s->watchdog.worker_ticks = mem_alloc(s->n_workers * sizeof(unsigned));
	for (unsigned i = 0; i < s->n_workers; i++)
		s->watchdog.worker_ticks[i] = UINT32_MAX;
	uv_timer_start(&s->watchdog.timer, on_timer, half_ms, half_ms);
}

void watchdog_stop(struct server *s)
{
	uv_close((uv_handle_t *)&s->watchdog.timer, NULL);
	free(s->watchdog.worker_ticks);
	s->watchdog.worker_ticks = NULL;
}
