/* Reads: every way of paging, plain and folded, against a model that knows the whole log. */
#include "fixture.h"
#include "hubbub/buf.h"

enum {
	N_USERS = 3,
	MAX_EVENTS = 200
};

/* One event as the model knows it. */
struct known {
	enum event_kind kind;
	int64_t from;
	uint64_t target;
	char text[16];
	char emoji[16];
	bool on;
	int64_t ts;
};

struct model {
	int64_t users[N_USERS];
	int64_t room;
	struct known log[MAX_EVENTS + 1]; /* by seq */
	uint64_t head;
	unsigned random;
};

static unsigned next_random(struct model *m, unsigned below)
{
	m->random = m->random * 1664525u + 1013904223u;
	return (m->random >> 8) % below;
}

static bool is_deleted(const struct model *m, uint64_t seq)
{
	for (uint64_t s = seq + 1; s <= m->head; s++) {
		if (m->log[s].kind == EVENT_DELETE && m->log[s].target == seq)
			return true;
	}
	return false;
}

/* Append one event at random to the store and to the model. */
static void grow(struct fixture *fx, struct model *m)
{
	struct known e = {.kind = EVENT_MESSAGE, .from = m->users[next_random(m, N_USERS)]};
	unsigned what = next_random(m, 10);
	char json[200];
	int n;

	if (m->head > 3 && what >= 5) {
		uint64_t target = 1 + next_random(m, (unsigned)m->head);

		if (m->log[target].kind != EVENT_MESSAGE || is_deleted(m, target))
			what = 0;
		e.target = what >= 5 ? target : 0;
	} else {
		what = 0;
	}
	if (what == 5 || what == 6) {
		e.kind = EVENT_EDIT;
		e.from = m->log[e.target].from;
	} else if (what == 7) {
		e.kind = EVENT_DELETE;
		e.from = m->log[e.target].from;
	} else if (what >= 8) {
		e.kind = EVENT_REACT;
		e.on = next_random(m, 3) != 0;
		snprintf(e.emoji, sizeof(e.emoji), "e%u", next_random(m, 3));
	}
	snprintf(e.text, sizeof(e.text), "t%llu", (unsigned long long)m->head + 1);
	static const char *const ops[] = {"", "send", "edit", "delete", "react"};
	n = snprintf(json, sizeof(json), "\"op\":\"%s\",\"room\":\"r\",\"key\":\"%s\"", ops[e.kind],
		     e.text);
	if (e.target != 0)
		n += snprintf(json + n, sizeof(json) - (size_t)n, ",\"target\":%llu",
			      (unsigned long long)e.target);
	if (e.kind == EVENT_REACT)
		snprintf(json + n, sizeof(json) - (size_t)n, ",\"emoji\":\"%s\",\"on\":%s", e.emoji,
			 e.on ? "true" : "false");
	else if (e.kind != EVENT_DELETE)
		snprintf(json + n, sizeof(json) - (size_t)n, ",\"text\":\"%s\"", e.text);
	struct store_op *op = ask(fx, STORE_WRITE, e.from, m->room, json);
	assert_int_equal(op->err, PROTO_OK);
	assert_int_equal(op->seq, ++m->head);
	e.ts = op->ts;
	m->log[m->head] = e;
	store_op_free(op);
}

static bool has_reaction(const struct model *m, uint64_t seq, const char *emoji, int64_t user,
			 uint64_t upto)
{
	bool on = false;

	for (uint64_t s = seq + 1; s <= upto; s++) {
		const struct known *e = &m->log[s];

		if (e->kind == EVENT_REACT && e->target == seq && e->from == user &&
		    strcmp(e->emoji, emoji) == 0)
			on = e->on;
	}
	return on;
}

static uint64_t count_reactions(const struct model *m, uint64_t seq, const char *emoji,
				uint64_t upto)
{
	uint64_t n = 0;

	for (int u = 0; u < N_USERS; u++)
		n += has_reaction(m, seq, emoji, m->users[u], upto);
	return n;
}

static void expect_event(const struct model *m, uint64_t seq, int64_t reader, bool fold,
			 uint64_t upto, struct buf *out)
{
	const struct known *k = &m->log[seq];
	char name[32];
	struct event_reaction reactions[3];
	char emoji[3][16];
	struct event e = {
		.kind = k->kind,
		.room = SPAN("r"),
		.seq = seq,
		.ts = k->ts,
		.from_id = k->from,
		.target = k->target,
		.folded = fold,
		.reactions = reactions,
	};

	snprintf(name, sizeof(name), "user%lld", (long long)k->from);
	e.from_name = span_of(name);
	bool gone = is_deleted(m, k->kind == EVENT_EDIT ? k->target : seq);
	if ((k->kind == EVENT_MESSAGE || k->kind == EVENT_EDIT) && !gone)
		e.text = span_of(k->text);
	e.deleted = k->kind == EVENT_MESSAGE && gone;
	if (k->kind == EVENT_REACT) {
		e.emoji = span_of(k->emoji);
		e.on = k->on;
		e.count = count_reactions(m, k->target, k->emoji, seq);
	}
	for (uint64_t s = seq + 1; fold && !gone && s <= upto; s++) {
		if (m->log[s].kind == EVENT_EDIT && m->log[s].target == seq) {
			e.text = span_of(m->log[s].text);
			e.edited_ts = m->log[s].ts;
		}
	}
	for (int i = 0; fold && !gone && i < 3; i++) {
		snprintf(emoji[e.n_reactions], sizeof(emoji[0]), "e%d", i);
		struct event_reaction re = {.emoji = span_of(emoji[e.n_reactions])};

		re.count = count_reactions(m, seq, re.emoji.p, upto);
		re.me = has_reaction(m, seq, re.emoji.p, reader, upto);
		if (re.count != 0)
			reactions[e.n_reactions++] = re;
	}
	event_encode(out, &e);
}

/* The order of a message's kinds of reactions is the store's: compare them sorted by emoji. */
static void sort_reactions(char *json)
{
	static const char open[] = "\"reactions\":[";

	for (char *at = json; (at = strstr(at, open)) != NULL;) {
		char *item[3];
		size_t len[3];
		int n = 0;
		char copy[200];
		size_t used = 0;

		at += strlen(open);
		char *p = at;
		while (*p == '{') {
			item[n] = p;
			len[n] = (size_t)(strchr(p, '}') + 1 - p);
			p += len[n++];
			if (*p == ',')
				p++;
		}
		for (char c = '0'; c <= '2'; c++) {
			for (int i = 0; i < n; i++) {
				if (item[i][strlen("{\"emoji\":\"e")] != c)
					continue;
				if (used != 0)
					copy[used++] = ',';
				memcpy(copy + used, item[i], len[i]);
				used += len[i];
			}
		}
		memcpy(at, copy, used);
	}
}

static void check_page(struct fixture *fx, struct model *m, enum history_from from, uint64_t bound,
		       unsigned limit, bool fold, uint64_t upto)
{
	uint64_t head = upto != 0 && upto < m->head ? upto : m->head;
	uint64_t list[MAX_EVENTS + 1], low = 0, high = 0, n = 0;
	struct buf expected = {0};
	struct store_read *r = store_read_new(STORE_READ_EVENTS, (struct store_origin){.conn = 1});

	for (uint64_t s = 1; s <= head; s++) {
		if (!fold || m->log[s].kind == EVENT_MESSAGE)
			list[n++] = s;
	}
	/* [low, high) of list */
	uint64_t below = 0, upto_bound = 0;
	while (below < n && list[below] < bound)
		below++;
	while (upto_bound < n && list[upto_bound] <= bound)
		upto_bound++;
	switch (from) {
	case HISTORY_NEWEST:
		high = n;
		low = n > limit ? n - limit : 0;
		break;
	case HISTORY_BEFORE:
		high = below;
		low = high > limit ? high - limit : 0;
		break;
	case HISTORY_AFTER:
		low = upto_bound;
		high = low + limit < n ? low + limit : n;
		break;
	case HISTORY_AROUND:
		low = below > limit / 2 ? below - limit / 2 : 0;
		high = below + (limit - limit / 2);
		if (high > n)
			high = n;
		break;
	}
	bool more_low = low > 0 && from != HISTORY_AFTER;
	bool more_high = high < n && (from == HISTORY_AFTER || from == HISTORY_AROUND);

	r->user = m->users[1];
	r->room_id = m->room;
	r->from = from;
	r->bound = bound;
	r->limit = limit;
	r->fold = fold;
	r->upto = upto;
	read_for(fx, r);
	for (uint64_t i = low; i < high; i++) {
		if (i != low)
			buf_append_char(&expected, ',');
		expect_event(m, list[i], r->user, fold, head, &expected);
	}
	buf_append_char(&expected, '\0');
	buf_append_char(&r->events, '\0');
	sort_reactions(r->events.p);
	assert_string_equal(r->events.p, expected.p);
	assert_int_equal(r->n_events, high - low);
	assert_int_equal(r->first_seq, high > low ? list[low] : 0);
	assert_int_equal(r->last_seq, high > low ? list[high - 1] : 0);
	assert_int_equal(r->head, head);
	assert_int_equal(r->first, 1);
	assert_int_equal(r->more, more_low || more_high);
	buf_deinit(&expected);
	store_read_free(r);
}

static void check_all_pages(struct fixture *fx, struct model *m)
{
	static const unsigned limits[] = {1, 2, 3, 7, 200};
	static const enum history_from froms[] = {HISTORY_BEFORE, HISTORY_AFTER, HISTORY_AROUND};
	const uint64_t uptos[] = {0, m->head / 2, m->head, m->head + 5};

	for (size_t l = 0; l < 5; l++) {
		for (size_t u = 0; u < 4; u++) {
			for (int fold = 0; fold < 2; fold++) {
				check_page(fx, m, HISTORY_NEWEST, 0, limits[l], fold, uptos[u]);
				for (size_t f = 0; f < 3; f++) {
					for (uint64_t b = 0; b <= m->head + 2; b++)
						check_page(fx, m, froms[f], b, limits[l], fold,
							   uptos[u]);
				}
			}
		}
	}
}

static void every_page_is_what_a_model_of_the_log_says(void **state)
{
	struct fixture *fx = *state;
	struct model *m = mem_zalloc(sizeof(*m));

	m->random = 7;
	for (int u = 0; u < N_USERS; u++) {
		char name[32];

		snprintf(name, sizeof(name), "user%d", u + 1);
		m->users[u] = make_user(fx, name);
		assert_int_equal(m->users[u], u + 1);
	}
	m->room = join(fx, m->users[0], "r");
	check_all_pages(fx, m);
	while (m->head < 40) {
		grow(fx, m);
		if (m->head <= 4)
			check_all_pages(fx, m);
	}
	check_all_pages(fx, m);
	free(m);
}

static unsigned count_objects(const struct store_read *r)
{
	unsigned n = 0;

	for (size_t i = 0; i + 5 < r->events.len; i++)
		n += memcmp(r->events.p + i, "{\"ev\"", 5) == 0;
	return n;
}

static void a_page_stops_at_its_bytes_near_the_anchor(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	char *text = mem_alloc(8000);
	char key[16];

	/* As \u0007 each of them takes six bytes: 48 KB an event, so five fit. */
	memset(text, 7, 7999);
	text[7999] = '\0';
	for (int i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(send_text(fx, ada, room, key, text), i + 1);
	}
	static const struct {
		enum history_from from;
		uint64_t bound, first, last;
	} pages[] = {
		{HISTORY_NEWEST, 0, 16, 20}, {HISTORY_BEFORE, 10, 5, 9},
		{HISTORY_AFTER, 10, 11, 15}, {HISTORY_AFTER, 0, 1, 5},
		{HISTORY_AROUND, 10, 8, 12}, {HISTORY_AROUND, 1, 1, 5},
	};
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		for (int fold = 0; fold < 2; fold++) {
			struct store_read *r =
				read_log(fx, ada, room, pages[i].from, pages[i].bound, 200, fold);

			assert_int_equal(r->first_seq, pages[i].first);
			assert_int_equal(r->last_seq, pages[i].last);
			assert_int_equal(r->n_events, 5);
			assert_int_equal(count_objects(r), 5);
			assert_true(r->more);
			assert_in_range(r->events.len, 1, STORE_MAX_EVENTS_BYTES);
			store_read_free(r);
		}
	}
	free(text);
}

static void an_unknown_room_is_not_found(void **state)
{
	struct store_read *r = read_log(*state, 1, 99, HISTORY_NEWEST, 0, 10, false);

	assert_int_equal(r->err, PROTO_E_NOT_FOUND);
	store_read_free(r);
}

static void rooms_are_found_by_a_part_of_their_name(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada");
	static const char *const names[] = {"general", "Gen-Two", "other", "50.percent"};

	for (size_t i = 0; i < 4; i++)
		join(fx, ada, names[i]);
	static const struct {
		const char *json;
		size_t n;
		const char *first;
	} queries[] = {
		{"\"op\":\"rooms\"", 4, "50.percent"},
		{"\"op\":\"rooms\",\"limit\":1", 1, "50.percent"},
		{"\"op\":\"rooms\",\"query\":\"GEN\"", 2, "gen-two"},
		{"\"op\":\"rooms\",\"query\":\"%\"", 0, NULL},
		{"\"op\":\"rooms\",\"query\":\"her\"", 1, "other"},
	};
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct store_read *r =
			store_read_new(STORE_READ_ROOMS, (struct store_origin){.conn = 1});

		r->req = request_of(queries[i].json);
		read_for(fx, r);
		assert_int_equal(r->n_rooms, queries[i].n);
		if (queries[i].n != 0)
			assert_string_equal(r->rooms[0].name, queries[i].first);
		if (i == 2)
			assert_string_equal(r->rooms[0].title, "Gen-Two");
		store_read_free(r);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_page_is_what_a_model_of_the_log_says),
		CASE(a_page_stops_at_its_bytes_near_the_anchor),
		CASE(an_unknown_room_is_not_found),
		CASE(rooms_are_found_by_a_part_of_their_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
