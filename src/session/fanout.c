/*
 * The worker's share of a broadcast: one walk over the room's members here.
 */
#include "session/conn.h"

#include "hubbub/mem.h"

static void hold(struct joined *j, struct frame *f)
{
	if (j->n_held == j->cap_held) {
		j->cap_held = j->cap_held == 0 ? 8 : j->cap_held * 2;
		j->held = mem_realloc(j->held, j->cap_held * sizeof(j->held[0]));
	}
	j->held[j->n_held++] = frame_ref(f);
	j->held_bytes += frame_payload(f).len;
}

static void tell_member(struct joined *j, const struct room_news *news)
{
	struct conn *c = j->conn;

	if (c->id == news->except_conn)
		return;
	if (news->seq != 0) {
		if (news->seq <= j->cursor)
			return;
		j->cursor = news->seq;
	}
	if (j->wait == NULL) {
		conn_send_event(c, news->frame);
	} else if (news->seq != 0) {
		hold(j, news->frame);
		if (j->held_bytes > c->hub->env->cfg->max_output)
			conn_close(c, WS_CLOSE_SLOW_READER, "too much to catch up with");
	}
}

static void tell_user(struct hub *hub, const struct room_news *news)
{
	struct local_user *u;

	HASH_FIND(hh, hub->users, &news->user, sizeof(news->user), u);
	for (struct conn *c = u != NULL ? u->conns : NULL, *next; c != NULL; c = next) {
		next = c->next_of_user;
		if (c->id != news->except_conn)
			conn_send_event(c, news->frame);
	}
}

void hub_on_news(struct worker *w, const struct room_news *news)
{
	struct hub *hub = hub_of(w);

	if (news->room == 0) {
		tell_user(hub, news);
		return;
	}
	struct local_room *lr = hub_find_room(hub, news->room);

	/* Backwards: a member that is closed on the way is replaced by one already told. */
	for (unsigned i = lr != NULL ? lr->n : 0; i-- > 0;) {
		bool last_one = lr->n == 1;

		tell_member(lr->members[i], news);
		if (last_one)
			return; /* the room's table may be gone with its last member */
	}
}
