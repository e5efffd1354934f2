/* The room registry: rooms, heads, tails, and who is posted to. */
#include "fixture.h"

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
	leave(f, 7, 1, 4);
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
	leave(f, 7, 0, 4);
}

static void a_view_has_the_head_and_the_events_up_to_it(void **state)
{
	struct fixture *f = *state;
	struct room_view v;

	load_room(f, 7, "general", 40);
	enter(f, 7, 0, 4);
	room_registry_publish(f->rg, message_op(7, 41));
	room_registry_publish(f->rg, message_op(7, 42));
	assert_true(room_registry_view(f->rg, &(struct room_visit){.room = 7, .user = 4}, &v));
	assert_int_equal(v.head, 42);
	assert_int_equal(v.n_tail, 2);
	assert_int_equal(v.online, 1);
	assert_int_equal(v.n_members, 1);
	assert_non_null(find(frame_payload(v.tail[1].frame, v.tail[1].i), "\"seq\":42"));
	room_view_deinit(&v);
	leave(f, 7, 0, 4);
}

static void the_tail_is_bounded_and_ends_at_the_head(void **state)
{
	struct fixture *f = *state;
	struct room_view v;

	load_room(f, 7, "general", 0);
	enter(f, 7, 1, 4);
	for (uint64_t seq = 1; seq <= 400; seq++)
		room_registry_publish(f->rg, message_op(7, seq));
	assert_true(room_registry_view(f->rg, &(struct room_visit){.room = 7, .user = 4}, &v));
	assert_in_range(v.n_tail, 100, 256);
	assert_non_null(find(last_text(&v), "\"seq\":400"));
	room_view_deinit(&v);
	leave(f, 7, 1, 4);
	n_seen = 0;
	drain(f);
}

static void a_view_has_as_much_of_the_tail_as_is_wanted(void **state)
{
	static const struct {
		uint64_t since;
		unsigned newest, n;
	} rows[] = {
		{.since = 0, .newest = 0, .n = 10},
		{.since = 7, .newest = 0, .n = 3},
		{.since = 7, .newest = 5, .n = 5},
		{.since = 10, .newest = 0, .n = 0},
		{.since = 4, .newest = 2, .n = 6},
		{.since = UINT64_MAX, .newest = 50, .n = 10},
		{.since = UINT64_MAX, .newest = 1, .n = 1},
	};
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	for (uint64_t seq = 1; seq <= 10; seq++)
		room_registry_publish(f->rg, message_op(7, seq));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct room_visit visit = {
			.room = 7, .user = 4, .since = rows[i].since, .newest = rows[i].newest};
		struct room_view v;

		assert_true(room_registry_view(f->rg, &visit, &v));
		assert_int_equal(v.n_tail, rows[i].n);
		if (v.n_tail > 0)
			assert_non_null(find(last_text(&v), "\"seq\":10,"));
		room_view_deinit(&v);
	}
	leave(f, 7, 0, 4);
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
	assert_true(room_registry_view(f->rg, &(struct room_visit){.room = 7, .user = 4}, &v));
	assert_int_equal(v.n_tail, 1);
	assert_int_equal(v.head, 2);
	room_view_deinit(&v);
	leave(f, 7, 0, 4);
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
	leave(f, 1, 0, 4);
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
		TEST(a_view_has_as_much_of_the_tail_as_is_wanted),
		TEST(a_deletion_leaves_no_encoded_copy_of_older_events),
		TEST(empty_rooms_are_forgotten_in_the_end_but_not_one_with_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
