/*
 * The room registry with two workers whose inboxes are drained by hand.
 */
#include "hubbub/mem.h"
#include "hubbub/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define N_WORKERS 2

struct seen {
	unsigned worker;
	char text[256]; /* "reply", or the news' payload */
	uint64_t seq;
};

static struct seen seen[1024];
static unsigned n_seen;

static void on_news(struct worker *w, const struct room_news *news)
{
	for (unsigned i = 0; i < frame_n_messages(news->frame); i++) {
		struct span p = frame_payload(news->frame, i);
		struct seen *s = &seen[n_seen++];
		size_t len = p.len < sizeof(s->text) - 1 ? p.len : sizeof(s->text) - 1;

		s->worker = w->index;
		s->seq = news->seq != 0 ? news->seq + i : 0;
		memcpy(s->text, p.p, len);
		s->text[len] = '\0';
	}
}

static const struct room_hooks hooks = {.on_news = on_news};

static void deliver_op(struct inbox_msg *msg, struct worker *w)
{
	struct seen *s = &seen[n_seen++];

	s->worker = w->index;
	s->seq = 0;
	strcpy(s->text, "reply");
	store_op_free((struct store_op *)msg);
}

static struct span last_text(const struct room_view *v)
{
	const struct room_event *e = &v->tail[v->n_tail - 1];

	return frame_payload(e->frame, e->i);
}

static const void *find(struct span in, const char *what)
{
	return memmem(in.p, in.len, what, strlen(what));
}

struct fixture {
	uv_loop_t loop;
	struct worker workers[N_WORKERS];
	struct room_registry *rg;
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	n_seen = 0;
	uv_loop_init(&f->loop);
	for (unsigned i = 0; i < N_WORKERS; i++) {
		f->workers[i].index = i;
		if (inbox_init(&f->workers[i].inbox, &f->loop, &f->workers[i]) != 0)
			return -1;
	}
	f->rg = room_registry_new(f->workers, N_WORKERS, &hooks);
	*state = f;
	return 0;
}

static void drain(struct fixture *f)
{
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	drain(f);
	room_registry_free(f->rg);
	for (unsigned i = 0; i < N_WORKERS; i++)
		uv_close((uv_handle_t *)&f->workers[i].inbox.wakeup, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	uv_loop_close(&f->loop);
	free(f);
	return 0;
}

static struct store_op *new_op(enum store_op_kind kind, unsigned worker)
{
	struct store_op *op =
		store_op_new(kind, (struct store_origin){.worker = worker, .conn = 1});

	op->msg.deliver = deliver_op;
	return op;
}

static struct store_op *join_op(int64_t id, const char *name, uint64_t head)
{
	struct store_op *op = new_op(STORE_JOIN, 0);

	op->room.id = id;
	op->room_id = id;
	snprintf(op->room.rid, sizeof(op->room.rid), "rid%d", (int)id);
	op->room.name = mem_strdup(name);
	op->room.title = mem_strdup(name);
	op->room.topic = mem_strdup("");
	op->room.head = head;
	op->room.first = 1;
	return op;
}

static struct store_op *message_op(int64_t room, uint64_t seq)
{
	struct store_op *op = new_op(STORE_WRITE, 0);

	op->room_id = room;
	op->seq = seq;
	op->event = (struct event){
		.kind = EVENT_MESSAGE,
		.room = SPAN("general"),
		.seq = seq,
		.ts = 1,
		.from_id = 4,
		.from_name = SPAN("Ada"),
		.text = SPAN("hi"),
	};
	return op;
}

static void load_room(struct fixture *f, int64_t id, const char *name, uint64_t head)
{
	room_registry_publish(f->rg, join_op(id, name, head));
	drain(f);
	n_seen = 0;
}

static void enter(struct fixture *f, int64_t room, unsigned worker, int64_t user)
{
	struct room_view v;
	char name[32];

	snprintf(name, sizeof(name), "user%d", (int)user);
	assert_true(room_registry_view(f->rg, room, worker, user, span_of(name), true, &v));
	room_view_deinit(&v);
}

static void a_room_is_found_by_name_and_rid_once_it_was_published(void **state)
{
	struct fixture *f = *state;
	struct span none = {0};

	assert_int_equal(room_registry_find(f->rg, SPAN("general"), none), 0);
	load_room(f, 7, "general", 0);
	assert_int_equal(room_registry_find(f->rg, SPAN("general"), none), 7);
	assert_int_equal(room_registry_find(f->rg, none, SPAN("rid7")), 7);
	assert_int_equal(room_registry_find(f->rg, SPAN("genera"), none), 0);
}

static void an_event_reaches_the_workers_with_members_only(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 1, 4);
	room_registry_publish(f->rg, message_op(7, 1));
	drain(f);
	assert_int_equal(n_seen, 2);
	assert_string_equal(seen[0].text, "reply"); /* to worker 0, which has no member */
	assert_int_equal(seen[1].worker, 1);
	assert_int_equal(seen[1].seq, 1);
	room_registry_leave(f->rg, 7, 1, 4);
}

static void all_replies_of_a_batch_come_before_its_events(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	struct store_op *first = message_op(7, 1);

	first->next = message_op(7, 2);
	room_registry_publish(f->rg, first);
	drain(f);
	assert_int_equal(n_seen, 4);
	assert_string_equal(seen[0].text, "reply");
	assert_string_equal(seen[1].text, "reply");
	assert_int_equal(seen[2].seq, 1);
	assert_int_equal(seen[3].seq, 2);
	room_registry_leave(f->rg, 7, 0, 4);
}

static void a_view_has_the_head_and_the_events_up_to_it(void **state)
{
	struct fixture *f = *state;
	struct room_view v;

	load_room(f, 7, "general", 40);
	enter(f, 7, 0, 4);
	room_registry_publish(f->rg, message_op(7, 41));
	room_registry_publish(f->rg, message_op(7, 42));
	assert_true(room_registry_view(f->rg, 7, 0, 4, SPAN("user4"), false, &v));
	assert_int_equal(v.head, 42);
	assert_int_equal(v.n_tail, 2);
	assert_int_equal(v.online, 1);
	assert_int_equal(v.n_members, 1);
	assert_non_null(find(frame_payload(v.tail[1].frame, v.tail[1].i), "\"seq\":42"));
	room_view_deinit(&v);
	room_registry_leave(f->rg, 7, 0, 4);
}

static void the_tail_is_bounded_and_ends_at_the_head(void **state)
{
	struct fixture *f = *state;
	struct room_view v;

	load_room(f, 7, "general", 0);
	enter(f, 7, 1, 4);
	for (uint64_t seq = 1; seq <= 400; seq++)
		room_registry_publish(f->rg, message_op(7, seq));
	assert_true(room_registry_view(f->rg, 7, 1, 4, SPAN("user4"), false, &v));
	assert_in_range(v.n_tail, 100, 256);
	assert_non_null(find(last_text(&v), "\"seq\":400"));
	room_view_deinit(&v);
	room_registry_leave(f->rg, 7, 1, 4);
	n_seen = 0;
	drain(f);
}

static void a_deletion_leaves_no_encoded_copy_of_older_events(void **state)
{
	struct fixture *f = *state;
	struct room_view v;
	struct store_op *op = message_op(7, 2);

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	room_registry_publish(f->rg, message_op(7, 1));
	op->event.kind = EVENT_DELETE;
	op->event.target = 1;
	op->event.text = (struct span){0};
	op->drops_tail = true;
	room_registry_publish(f->rg, op);
	assert_true(room_registry_view(f->rg, 7, 0, 4, SPAN("user4"), false, &v));
	assert_int_equal(v.n_tail, 1);
	assert_int_equal(v.head, 2);
	room_view_deinit(&v);
	room_registry_leave(f->rg, 7, 0, 4);
}

static void a_user_who_comes_and_goes_within_a_second_is_told_as_gone(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	room_registry_flush_presence(f->rg, 5000);
	drain(f);
	assert_int_equal(n_seen, 1);
	assert_non_null(strstr(seen[0].text, "\"join\":[{\"id\":\"u4\",\"name\":\"user4\"}]"));
	n_seen = 0;
	enter(f, 7, 1, 5);
	room_registry_leave(f->rg, 7, 1, 5);
	room_registry_flush_presence(f->rg, 9000);
	drain(f);
	/* A join's reply may have shown user 5 to somebody. */
	assert_int_equal(n_seen, 1);
	assert_non_null(strstr(seen[0].text, "\"leave\":[{\"id\":\"u5\",\"name\":\"user5\"}]"));
	assert_null(strstr(seen[0].text, "\"join\":[{"));
	room_registry_leave(f->rg, 7, 0, 4);
}

static void presence_is_told_at_most_once_a_second_and_names_who_left(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	enter(f, 7, 0, 5);
	room_registry_flush_presence(f->rg, 5000);
	drain(f);
	n_seen = 0;
	room_registry_leave(f->rg, 7, 0, 5);
	room_registry_flush_presence(f->rg, 5900);
	drain(f);
	assert_int_equal(n_seen, 0);
	room_registry_flush_presence(f->rg, 6000);
	drain(f);
	assert_int_equal(n_seen, 1);
	assert_non_null(strstr(seen[0].text, "\"leave\":[{\"id\":\"u5\",\"name\":\"user5\"}]"));
	assert_non_null(strstr(seen[0].text, "\"online\":1"));
	room_registry_leave(f->rg, 7, 0, 4);
}

static void a_crowd_is_told_as_a_number_only(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	for (int64_t user = 1; user <= 60; user++)
		enter(f, 7, 0, user);
	room_registry_flush_presence(f->rg, 5000);
	drain(f);
	assert_int_equal(n_seen, 1);
	assert_null(strstr(seen[0].text, "\"join\""));
	assert_non_null(strstr(seen[0].text, "\"online\":60"));
	for (int64_t user = 1; user <= 60; user++)
		room_registry_leave(f->rg, 7, 0, user);
}

static void two_connections_of_one_user_count_once(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	enter(f, 7, 1, 4);
	assert_int_equal(room_registry_online(f->rg, 7), 1);
	room_registry_leave(f->rg, 7, 0, 4);
	assert_int_equal(room_registry_online(f->rg, 7), 1);
	room_registry_leave(f->rg, 7, 1, 4);
	assert_int_equal(room_registry_online(f->rg, 7), 0);
}

static void empty_rooms_are_forgotten_in_the_end_but_not_one_with_members(void **state)
{
	struct fixture *f = *state;
	struct room_stats stats;

	load_room(f, 1, "kept", 0);
	enter(f, 1, 0, 4);
	for (int64_t id = 2; id < 2000; id++) {
		char name[32];

		snprintf(name, sizeof(name), "room%d", (int)id);
		load_room(f, id, name, 0);
	}
	room_registry_get_stats(f->rg, &stats);
	assert_in_range(stats.loaded, 1000, 1100);
	assert_int_equal(stats.joined, 1);
	assert_int_equal(room_registry_find(f->rg, SPAN("kept"), (struct span){0}), 1);
	assert_int_equal(room_registry_find(f->rg, SPAN("room2"), (struct span){0}), 0);
	room_registry_leave(f->rg, 1, 0, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_room_is_found_by_name_and_rid_once_it_was_published),
		TEST(an_event_reaches_the_workers_with_members_only),
		TEST(all_replies_of_a_batch_come_before_its_events),
		TEST(a_view_has_the_head_and_the_events_up_to_it),
		TEST(the_tail_is_bounded_and_ends_at_the_head),
		TEST(a_deletion_leaves_no_encoded_copy_of_older_events),
		TEST(a_user_who_comes_and_goes_within_a_second_is_told_as_gone),
		TEST(presence_is_told_at_most_once_a_second_and_names_who_left),
		TEST(a_crowd_is_told_as_a_number_only),
		TEST(two_connections_of_one_user_count_once),
		TEST(empty_rooms_are_forgotten_in_the_end_but_not_one_with_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
