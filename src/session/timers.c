/*
 * Deadlines without a timer per connection.
 *
 * A connection waits in at most one list; all in one list wait for the same time, so the list is a
 * FIFO and a tick looks at its head only.
 */
#include "session/conn.h"

#include <utlist.h>

#define PONG_MS 10000
#define ENDING_MS 5000
/* Nobody else waits for the server to come back because one does not answer. */
#define STOPPING_MS 1500
#define MIN_TAKEN 1024 /* bytes by which a slow peer shows that it reads, in any of these times */
#define TOUCH_S (24 * 60 * 60) /* a long visit is noted daily */

static uint64_t duration_ms(const struct hub *hub, enum conn_timer which)
{
	switch (which) {
	case TIMER_REQUEST:
		return hub->cfg->request_timeout_ms;
	case TIMER_IDLE:
		return hub->cfg->idle_timeout_ms;
	case TIMER_HELLO:
		return hub->cfg->hello_timeout_ms;
	case TIMER_BEAT:
		return hub->cfg->heartbeat_ms;
	case TIMER_PONG:
		return PONG_MS;
	default:
		return hub->stopping ? STOPPING_MS : ENDING_MS;
	}
}

/* No deadline is farther than half of what 32 bits of milliseconds count, so they may wrap. */
static bool is_over(uint32_t deadline_ms, uint64_t now_ms)
{
	return (int32_t)((uint32_t)now_ms - deadline_ms) >= 0;
}

void conn_set_timer(struct conn *c, enum conn_timer which)
{
	struct hub *hub = conn_hub(c);

	if (c->timer != TIMER_NONE)
		DL_DELETE2(hub->timers[c->timer], c, timer_prev, timer_next);
	c->timer = (int8_t)which;
	if (which == TIMER_NONE)
		return;
	c->deadline_ms = (uint32_t)(hub->worker->now_ms + duration_ms(hub, which));
	DL_APPEND2(hub->timers[which], c, timer_prev, timer_next);
}

/*
 * Whether the peer took something since this was last asked, with more still waiting for it.  What
 * waits shows that the socket was full: then bytes that go show that the other side reads.
 */
static bool is_reading(struct conn *c)
{
	uint32_t took = (uint32_t)c->stream.written - c->seen_written;

	c->seen_written = (uint32_t)c->stream.written;
	return took >= MIN_TAKEN && stream_unsent(&c->stream) > 0;
}

/* A message that drips in holds a reader, and every byte of it shows that the link lives. */
static bool is_stuck_in_message(const struct conn *c)
{
	uint64_t now_s = conn_hub(c)->worker->now_ms / 1000;

	return c->is_mid_message &&
	       (uint32_t)now_s - c->begun_s > conn_hub(c)->cfg->message_timeout_ms / 1000;
}

/* A peer that is not read from is heard by what reached its socket, or waits for us. */
static bool is_unread_but_there(const struct conn *c)
{
	return !c->stream.reading && (c->n_in_flight > 0 || stream_silent_ms(&c->stream) < PONG_MS);
}

static void expire(struct conn *c, enum conn_timer which)
{
	switch (which) {
	case TIMER_REQUEST:
		if (http_is_mid_request(c->http))
			http_timed_out(c->http);
		else
			conn_destroy(c);
		break;
	case TIMER_IDLE:
		/* What it is idle with may be the rest of a long answer. */
		if (is_reading(c))
			conn_set_timer(c, TIMER_IDLE);
		else
			conn_destroy(c);
		break;
	case TIMER_HELLO:
		if (c->hello_pending)
			conn_set_timer(c, TIMER_HELLO);
		else
			conn_close(c, WS_CLOSE_SIGNED_OUT, "no hello came");
		break;
	case TIMER_BEAT:
		if (is_stuck_in_message(c)) {
			conn_close(c, WS_CLOSE_SLOW_READER, "a message took too long");
			break;
		}
		conn_set_timer(c, TIMER_PONG);
		if (c->user != 0 && conn_hub(c)->worker->now_ms / 1000 - c->touched_s > TOUCH_S)
			conn_touch(c);
		c->seen_written = (uint32_t)c->stream.written;
		conn_send_event(c, conn_hub(c)->ping, 0);
		break;
	case TIMER_PONG:
		if (is_reading(c) || is_unread_but_there(c))
			conn_set_timer(c, TIMER_PONG);
		else
			conn_destroy(c);
		break;
	case TIMER_ENDING:
		/* A long answer over a slow link; a WebSocket's peer resumes instead. */
		if (c->ws == NULL && !conn_hub(c)->stopping && is_reading(c))
			conn_set_timer(c, TIMER_ENDING);
		else
			conn_destroy(c);
		break;
	default:
		conn_destroy(c);
		break;
	}
}

void hub_run_timers(struct hub *hub, uint64_t now_ms)
{
	for (int which = 0; which < N_CONN_TIMERS; which++) {
		struct conn *c;

		while ((c = hub->timers[which]) != NULL && is_over(c->deadline_ms, now_ms)) {
			conn_set_timer(c, TIMER_NONE);
			expire(c, (enum conn_timer)which);
		}
	}
}
