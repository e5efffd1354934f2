#include "flow.h"

#include "base.h"
#include "kind.h"
#include "payload.h"

#include <stdlib.h>

#define PATIENCE_NS (10 * NS_PER_S)
#define DRAIN_NS (5 * NS_PER_S)
#define OPEN_RING 1024 /* messages of one publisher in an open loop that may wait for replies */

/*
 * Publishers stand evenly among the members of their room: a server that writes to the members in
 * their order would otherwise have all of them answered before the others.
 */
static uint32_t step_between(const struct flow *f)
{
	return f->members / f->publishers;
}

static struct conn *publisher_conn(const struct flow *f, uint32_t pub)
{
	uint32_t room = pub / f->publishers;

	return &f->swarm->conns[room * f->members + pub % f->publishers * step_between(f)];
}

/** The number of the publisher that @c is, or -1. */
static int64_t publisher_of(const struct flow *f, const struct conn *c)
{
	uint32_t place = c->index - c->room * f->members;

	uint32_t which = place / step_between(f);

	return place % step_between(f) == 0 && which < f->publishers && c->room < f->n_rooms
		       ? (int64_t)c->room * f->publishers + which
		       : -1;
}

static void put_next(struct flow *f, struct conn *c, uint32_t pub, uint64_t intended)
{
	kind_put_message(c, pub, ++c->seq, intended);
	f->n_sent++;
	if (f->sent_at != NULL)
		f->sent_at[(size_t)c->index * f->ring + c->seq % f->ring] = intended;
}

/** What is not the next in its turn. */
static void count_fault(struct flow *f, uint32_t *last, uint32_t seq)
{
	if (seq > *last) {
		f->lost += seq - *last - 1;
		*last = seq;
	} else if (seq == *last) {
		f->repeated++;
	} else {
		f->reordered++;
	}
}

void flow_on_message(struct conn *c, const uint8_t *payload)
{
	struct flow *f = c->swarm->owner;
	uint32_t pub = payload_pub(payload);
	uint32_t seq = payload_seq(payload);
	uint64_t t = payload_time(payload);
	uint32_t place = pub - c->room * f->publishers;

	if (place >= f->publishers) {
		f->alien++;
		return;
	}
	uint32_t *last = &f->last[(size_t)c->index * f->publishers + place];

	f->n_delivered++;
	if (seq == *last + 1)
		*last = seq;
	else
		count_fault(f, last, seq);
	if (t >= f->window_from && t < f->window_to)
		hist_add(&f->latency, c->swarm->now - t);
	if (!f->by_reply && publisher_of(f, c) == (int64_t)pub)
		c->n_own++;
}

void flow_on_reply(struct conn *c, const char *text, size_t len)
{
	struct flow *f = c->swarm->owner;

	(void)len; /* {"re":<id>,... was seen */
	uint32_t seq = (uint32_t)strtoul(text + 6, NULL, 10) - KIND_JOIN_ID;
	uint64_t t = f->sent_at[(size_t)c->index * f->ring + seq % f->ring];

	f->n_acked++;
	if (t >= f->window_from && t < f->window_to)
		hist_add(&f->ack_latency, c->swarm->now - t);
	if (f->by_reply)
		c->n_own++;
}

static void on_read_end(struct conn *c)
{
	struct flow *f = c->swarm->owner;

	if (c->n_own == 0)
		return;
	if (f->is_running && f->in_flight > 0) {
		int64_t pub = publisher_of(f, c);
		uint64_t now = now_ns();

		for (; c->n_own > 0; c->n_own--)
			put_next(f, c, (uint32_t)pub, now);
		conn_flush(c);
	}
	c->n_own = 0;
}

void flow_init(struct flow *f, struct swarm *sw, const struct opts *o)
{
	*f = (struct flow){
		.swarm = sw,
		.members = o->members,
		.publishers = o->publishers,
		.n_rooms = o->rooms,
		.in_flight = o->in_flight,
		.interval_ns = o->rate > 0 ? (double)NS_PER_S / o->rate : 0,
		.latency_rooms = UINT32_MAX,
		.window_from = UINT64_MAX,
		.window_to = UINT64_MAX,
	};
	f->last = xcalloc((size_t)o->rooms * o->members * o->publishers, sizeof(*f->last));
	sw->owner = f;
	sw->on_message = flow_on_message;
	sw->on_read_end = on_read_end;
}

void flow_deinit(struct flow *f)
{
	free(f->last);
	free(f->sent_at);
}

void flow_watch_replies(struct flow *f, bool by_reply)
{
	f->by_reply = by_reply;
	f->ring = f->in_flight > 0 ? f->in_flight : OPEN_RING;
	f->sent_at = xcalloc((size_t)f->n_rooms * f->members * f->ring, sizeof(*f->sent_at));
	f->swarm->on_reply = flow_on_reply;
}

void flow_start(struct flow *f)
{
	f->is_running = true;
	f->started_at = now_ns();
	f->n_scheduled = 0;
	if (f->in_flight == 0)
		return;
	for (uint32_t pub = 0; pub < f->n_rooms * f->publishers; pub++) {
		struct conn *c = publisher_conn(f, pub);

		for (uint32_t i = 0; i < f->in_flight; i++)
			put_next(f, c, pub, now_ns());
		conn_flush(c);
	}
}

uint64_t flow_send_due(struct flow *f)
{
	if (f->in_flight > 0 || !f->is_running)
		return NS_PER_S;
	for (;;) {
		uint64_t now = now_ns();
		uint64_t intended =
			f->started_at + (uint64_t)((double)f->n_scheduled * f->interval_ns);

		if (intended > now)
			return intended - now;
		uint32_t pub = (uint32_t)(f->n_scheduled++ % (f->n_rooms * f->publishers));
		struct conn *c = publisher_conn(f, pub);

		if (intended >= f->window_from && intended < f->window_to)
			hist_add(&f->send_late, now - intended);
		put_next(f, c, pub, intended);
		conn_flush(c);
	}
}

void flow_run_for(struct flow *f, uint64_t ns)
{
	uint64_t end = now_ns() + ns;
	uint64_t moved_at = now_ns();
	uint64_t n_last = f->n_delivered;

	for (uint64_t now = now_ns(); now < end; now = now_ns()) {
		uint64_t wait = flow_send_due(f);

		swarm_poll(f->swarm, wait < end - now ? wait : end - now);
		if (f->n_delivered != n_last || f->in_flight == 0) {
			n_last = f->n_delivered;
			moved_at = now;
		} else if (now - moved_at > PATIENCE_NS) {
			fail("nothing is delivered any more, after %llu messages",
			     (unsigned long long)f->n_delivered);
		}
	}
}

void flow_stop(struct flow *f)
{
	uint64_t moved_at = now_ns();
	uint64_t n_last = f->n_delivered;

	f->is_running = false;
	while (f->n_delivered < f->n_sent * f->members && now_ns() - moved_at < DRAIN_NS) {
		swarm_poll(f->swarm, NS_PER_S / 10);
		if (f->n_delivered != n_last) {
			n_last = f->n_delivered;
			moved_at = now_ns();
		}
	}
	/* One that comes twice comes soon. */
	swarm_run_for(f->swarm, NS_PER_S / 20);
	for (uint32_t i = 0; i < f->n_rooms * f->members; i++) {
		for (uint32_t place = 0; place < f->publishers; place++) {
			uint32_t pub = i / f->members * f->publishers + place;

			f->lost += publisher_conn(f, pub)->seq -
				   f->last[(size_t)i * f->publishers + place];
		}
	}
}

bool flow_is_clean(const struct flow *f)
{
	return f->lost == 0 && f->repeated == 0 && f->reordered == 0 && f->alien == 0;
}

json_t *flow_checks_json(const struct flow *f)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:b}", "lost", (json_int_t)f->lost, "repeated",
			 (json_int_t)f->repeated, "reordered", (json_int_t)f->reordered, "alien",
			 (json_int_t)f->alien, "ok", flow_is_clean(f));
}
