#include "resume_log.h"

#include "base.h"
#include "kind.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 200
#define N_FORGOTTEN 5 /* events */

/** What follows the first @name from @text on, before @end; NULL if it is not there. */
static const char *after(const char *text, const char *end, const char *name)
{
	const char *p = memmem(text, (size_t)(end - text), name, strlen(name));

	return p != NULL ? p + strlen(name) : NULL;
}

static uint64_t number_after(const char *text, const char *end, const char *name)
{
	const char *p = after(text, end, name);

	if (p == NULL)
		fail("no %s in %.*s", name, (int)(end - text), text);
	return strtoull(p, NULL, 10);
}

static void take_event(struct resume_log *l, const struct conn *c, uint64_t seq)
{
	uint64_t *cursor = &l->cursors[c->index];

	if (seq <= *cursor) {
		l->repeated++;
		return;
	}
	l->lost += seq - *cursor - 1;
	*cursor = seq;
}

static void on_event(struct conn *c, const char *text, size_t len)
{
	take_event(c->swarm->owner, c, number_after(text, text + len, "\"seq\":"));
}

/** Take the events of a reply to join or history; texts hold no quotes, so a scan finds them. */
static void take_events(struct resume_log *l, struct conn *c, const char *text, const char *end)
{
	const char *p = after(text, end, "\"events\":[");

	if (p == NULL)
		fail("no events in %.*s", (int)(end - text), text);
	while ((p = after(p, end, "\"seq\":")) != NULL) {
		take_event(l, c, strtoull(p, NULL, 10));
		l->n_resumed++;
	}
}

/** The reply brought the log up to @head, or there is more to ask for. */
static void go_on(struct resume_log *l, struct conn *c, uint64_t head)
{
	if (l->cursors[c->index] >= head) {
		l->n_whole++;
		return;
	}
	l->n_partial++;
	conn_put_textf(c,
		       "{\"id\":\"page\",\"op\":\"history\",\"room\":\"room%u\",\"after\":%llu,"
		       "\"limit\":%d}",
		       c->room, (unsigned long long)l->cursors[c->index], PAGE);
	conn_flush(c);
}

static void on_joined(struct conn *c, const char *text, size_t len)
{
	struct resume_log *l = c->swarm->owner;
	const char *end = text + len;
	uint64_t head = number_after(text, end, "\"head\":");

	if (!l->is_return) {
		const char *epoch = after(text, end, "\"epoch\":\"");
		const char *quote =
			epoch != NULL ? memchr(epoch, '"', (size_t)(end - epoch)) : NULL;

		if (quote == NULL || quote - epoch >= (ptrdiff_t)sizeof(l->epoch))
			fail("no epoch in %.*s", (int)len, text);
		memcpy(l->epoch, epoch, (size_t)(quote - epoch));
		l->cursors[c->index] = head;
		return;
	}
	if (after(text, end, "\"state\":\"reset\"") != NULL)
		fail("a resume was answered with a reset: %.*s", (int)len, text);
	if (head < l->acked[c->room]) {
		l->acked_lost += l->acked[c->room] - head;
		l->acked[c->room] = head;
	}
	take_events(l, c, text, end);
	go_on(l, c, head);
}

static void on_reply(struct conn *c, const char *text, size_t len)
{
	struct resume_log *l = c->swarm->owner;
	const char *end = text + len;

	if (text[6] == '"') { /* {"re":"page" */
		take_events(l, c, text, end);
		go_on(l, c, number_after(text, end, "\"head\":"));
		return;
	}
	uint64_t seq = number_after(text, end, "\"seq\":");

	l->n_acks++;
	if (seq > l->acked[c->room])
		l->acked[c->room] = seq;
}

static void put_join(struct conn *c)
{
	const struct resume_log *l = c->swarm->owner;

	conn_put_textf(c,
		       "{\"id\":%d,\"op\":\"join\",\"room\":\"room%u\",\"since\":%llu,"
		       "\"epoch\":\"%s\",\"limit\":%d}",
		       KIND_JOIN_ID, c->room, (unsigned long long)l->cursors[c->index], l->epoch,
		       PAGE);
}

void resume_log_init(struct resume_log *l, struct swarm *sw, uint32_t n_rooms)
{
	*l = (struct resume_log){.swarm = sw};
	l->cursors = xcalloc(sw->n_conns, sizeof(*l->cursors));
	l->acked = xcalloc(n_rooms, sizeof(*l->acked));
	sw->on_event = on_event;
	sw->on_joined = on_joined;
	sw->on_reply = on_reply;
}

void resume_log_deinit(struct resume_log *l)
{
	free(l->cursors);
	free(l->acked);
}

void resume_log_begin_return(struct resume_log *l)
{
	l->is_return = true;
	l->swarm->put_join = put_join;
	for (uint32_t i = 0; i < l->swarm->n_conns; i++)
		l->cursors[i] -= l->cursors[i] < N_FORGOTTEN ? l->cursors[i] : N_FORGOTTEN;
}

bool resume_log_is_level(const struct resume_log *l, uint32_t n_rooms)
{
	uint32_t per_room = l->swarm->n_conns / n_rooms;

	for (uint32_t i = 0; i < l->swarm->n_conns; i++) {
		if (l->cursors[i] < l->acked[i / per_room] ||
		    l->cursors[i] != l->cursors[i / per_room * per_room])
			return false;
	}
	return true;
}

json_t *resume_log_json(const struct resume_log *l)
{
	bool ok = l->lost == 0 && l->repeated == 0 && l->acked_lost == 0;

	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:b}", "events_resumed", (json_int_t)l->n_resumed,
			 "pages", (json_int_t)l->n_partial, "lost", (json_int_t)l->lost, "repeated",
			 (json_int_t)l->repeated, "acknowledged_but_lost",
			 (json_int_t)l->acked_lost, "ok", ok);
}
