/* What is read of a log, judged by the contract's words rather than by how the store finds it. */
#include "fuzz.h"
#include "history_model.h"
#include "hubbub/mem.h"

/* One side of the page: which events there are, nearest to where one pages from first. */
struct side {
	const struct event **events;
	size_t n;
	size_t limit;
	size_t taken;
};

/* The page that is judged. */
struct page {
	const struct model_room *room;
	const struct store_read *r;
	uint64_t head;
	struct event_reaction *reactions;
	size_t cap;
};

static const struct event *newest_edit(const struct page *p, uint64_t target)
{
	for (size_t i = p->head; i > 0; i--) {
		const struct event *e = &p->room->events[i - 1].e;

		if (e->kind == EVENT_EDIT && e->target == target)
			return e;
	}
	return NULL;
}

static struct event_reaction *find_reaction(struct page *p, unsigned *n, struct span emoji)
{
	for (unsigned i = 0; i < *n; i++) {
		if (span_equal(p->reactions[i].emoji, emoji))
			return &p->reactions[i];
	}
	if (*n == p->cap) {
		p->cap = p->cap != 0 ? 2 * p->cap : 16;
		p->reactions = mem_realloc(p->reactions, p->cap * sizeof(*p->reactions));
	}
	p->reactions[*n] = (struct event_reaction){.emoji = emoji};
	return &p->reactions[(*n)++];
}

/* Behind all others. */
static void move_last(struct page *p, unsigned n, struct event_reaction *re)
{
	struct event_reaction moved = *re;
	size_t at = (size_t)(re - p->reactions);

	memmove(re, re + 1, (n - at - 1) * sizeof(*re));
	p->reactions[n - 1] = moved;
}

/*
 * In the order in which they came, where one that went and comes again is new; in a fold below the
 * head in the order in which they first came.
 */
static void fold_reactions_of(struct page *p, struct event *out)
{
	unsigned n = 0, kept = 0;

	for (size_t i = 0; i < p->head; i++) {
		const struct event *e = &p->room->events[i].e;

		if (e->kind != EVENT_REACT || e->target != out->seq)
			continue;
		struct event_reaction *re = find_reaction(p, &n, e->emoji);
		bool is_new = re->count == 0 && e->count != 0;

		re->count = e->count;
		if (e->from_id == p->r->user)
			re->me = e->on;
		if (is_new && p->head == p->room->n)
			move_last(p, n, re);
	}
	for (unsigned i = 0; i < n; i++) {
		if (p->reactions[i].count != 0)
			p->reactions[kept++] = p->reactions[i];
	}
	out->reactions = p->reactions;
	out->n_reactions = kept;
}

static void encode(struct page *p, const struct event *e, struct buf *out)
{
	struct event shown = *e;

	if (p->r->fold) {
		const struct event *edit = newest_edit(p, e->seq);

		shown.folded = true;
		if (!e->deleted && edit != NULL) {
			shown.text = edit->text;
			shown.edited_ts = edit->ts;
		}
		if (!e->deleted)
			fold_reactions_of(p, &shown);
	}
	event_encode(out, &shown);
}

/* All events from @lo to @hi, downwards or upwards. */
static struct side side_of(const struct page *p, uint64_t lo, uint64_t hi, bool down, size_t limit)
{
	struct side s = {.limit = limit};

	s.events = mem_alloc((p->room->n + 1) * sizeof(struct event *));
	for (uint64_t i = 0; i < p->head; i++) {
		uint64_t seq = down ? p->head - i : i + 1;
		const struct event *e = &p->room->events[seq - 1].e;

		if (seq >= lo && seq <= hi && (!p->r->fold || e->kind == EVENT_MESSAGE))
			s.events[s.n++] = e;
	}
	return s;
}

static void count_taken(struct side *s, const struct store_read *r)
{
	while (r->n_events != 0 && s->taken < s->n && s->events[s->taken]->seq >= r->first_seq &&
	       s->events[s->taken]->seq <= r->last_seq)
		s->taken++;
	MUST(s->taken <= s->limit);
}

/* A side that ends before its limit and before the log does, ends because the next is too long. */
static void check_end(struct page *p, const struct side *s)
{
	struct buf next = {0};

	if (s->taken == s->n || s->taken == s->limit)
		return;
	MUST(p->r->n_events != 0);
	encode(p, s->events[s->taken], &next);
	MUST(p->r->events.len + 1 + next.len > STORE_MAX_EVENTS_BYTES);
	buf_deinit(&next);
}

static void check_bytes(struct page *p, const struct side *down, const struct side *up)
{
	struct buf all = {0};

	for (size_t i = down->taken; i > 0; i--) {
		encode(p, down->events[i - 1], &all);
		if (i > 1 || up->taken > 0)
			buf_append_char(&all, ',');
	}
	for (size_t i = 0; i < up->taken; i++) {
		encode(p, up->events[i], &all);
		if (i + 1 < up->taken)
			buf_append_char(&all, ',');
	}
	MUST(span_equal(buf_span(&all), buf_span(&p->r->events)));
	buf_deinit(&all);
}

void model_check_page(const struct model *m, int room, const struct store_read *r)
{
	struct page p = {.room = &m->rooms[room], .r = r};
	struct side down, up;
	uint64_t below = r->bound != 0 ? r->bound - 1 : 0;

	p.head = r->upto != 0 && r->upto < p.room->n ? r->upto : p.room->n;
	MUST(r->err == PROTO_OK && r->head == p.head && r->first == 1);
	switch (r->from) {
	case HISTORY_NEWEST:
		down = side_of(&p, 1, p.head, true, r->limit);
		up = side_of(&p, 1, 0, false, 0);
		break;
	case HISTORY_BEFORE:
		down = side_of(&p, 1, below, true, r->limit);
		up = side_of(&p, 1, 0, false, 0);
		break;
	case HISTORY_AFTER:
		down = side_of(&p, 1, 0, true, 0);
		up = side_of(&p, r->bound + 1, p.head, false, r->limit);
		break;
	default:
		down = side_of(&p, 1, below, true, r->limit / 2);
		up = side_of(&p, r->bound, p.head, false, r->limit - r->limit / 2);
		break;
	}
	count_taken(&down, r);
	count_taken(&up, r);
	MUST(down.taken + up.taken == r->n_events);
	MUST(r->n_events <= 1 || r->events.len <= STORE_MAX_EVENTS_BYTES);
	MUST(r->more == (down.taken < down.n || up.taken < up.n));
	if (r->n_events == 0)
		MUST(r->first_seq == 0 && r->last_seq == 0);
	check_end(&p, &down);
	check_end(&p, &up);
	check_bytes(&p, &down, &up);
	free(down.events);
	free(up.events);
	free(p.reactions);
}

static bool mentions(const struct event *e, int64_t user)
{
	for (unsigned i = 0; i < e->n_mentions; i++) {
		if (e->mentions[i] == user)
			return e->from_id != user;
	}
	return false;
}

void model_check_belong(const struct model *m, const struct store_read *r)
{
	MUST(r->err == PROTO_OK && r->n_belong == MODEL_N_ROOMS);
	for (size_t i = 0; i < r->n_belong; i++) {
		const struct store_belong *b = &r->belong[i];
		int at = model_find_room(m, span_of(b->name));
		uint64_t n_unread = 0, n_mentions = 0;

		MUST(at >= 0);
		const struct model_room *room = &m->rooms[at];
		MUST(b->head == room->n && b->read == room->read[r->user - 1]);
		for (uint64_t seq = b->read + 1; seq <= room->n; seq++) {
			const struct event *e = &room->events[seq - 1].e;

			if (e->kind != EVENT_MESSAGE)
				continue;
			n_unread += e->from_id != r->user;
			n_mentions += mentions(e, r->user);
		}
		MUST(b->unread == n_unread && b->mentions == n_mentions);
	}
}
