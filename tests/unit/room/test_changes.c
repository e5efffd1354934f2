/* What events say of a room itself: its names, and who belongs to it. */
#include "fixture.h"

static struct store_op *change_op(int64_t room, uint64_t seq, enum event_kind kind)
{
	struct store_op *op = message_op(room, seq);

	op->event.kind = kind;
	op->event.text = (struct span){0};
	return op;
}

static struct store_op *member_op(int64_t room, uint64_t seq, int64_t user, enum member_act act)
{
	struct store_op *op = change_op(room, seq, EVENT_MEMBER);

	op->event.about_id = user;
	op->event.about_name = SPAN("Bob");
	op->event.act = act;
	if (act == MEMBER_ADD) {
		buf_append_str(&op->entry, "{\"room\":\"general\"");
		op->added[op->n_added++] = user;
	}
	return op;
}

static void publish(struct fixture *f, struct store_op *first, struct store_op *second)
{
	n_seen = 0;
	first->next = second;
	room_registry_publish(f->rg, first);
	drain(f);
}

static bool may_enter(struct fixture *f, int64_t room, int64_t user)
{
	struct room_visit visit = {.room = room, .user = user, .name = SPAN("Bob")};
	struct room_view v;
	bool may = room_registry_view(f->rg, &visit, &v);

	if (may)
		room_view_deinit(&v);
	return may;
}

/* How many of the messages that @worker has seen hold @what; *@at is the first. */
static unsigned count(unsigned worker, const char *what, unsigned *at)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_seen; i++) {
		if (seen[i].worker != worker || strstr(seen[i].text, what) == NULL)
			continue;
		if (n++ == 0)
			*at = i;
	}
	return n;
}

static void a_removal_is_told_before_what_its_batch_brought(void **state)
{
	struct fixture *f = *state;
	unsigned told = 0, event = 0;

	load_room(f, 7, "general", 0);
	enter(f, 7, 1, 5);
	publish(f, member_op(7, 1, 5, MEMBER_REMOVE), message_op(7, 2));
	assert_int_equal(count(1, "\"removed\"", &told), 1);
	assert_int_equal(count(1, "\"message\"", &event), 1);
	assert_true(told < event);
	assert_int_equal(count(0, "\"removed\"", &told), 1); /* on every worker */
	leave(f, 7, 1, 5);
}

static void who_was_removed_is_shown_nothing_until_they_are_let_in_again(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	assert_true(may_enter(f, 7, 5));
	publish(f, member_op(7, 1, 5, MEMBER_REMOVE), NULL);
	assert_false(may_enter(f, 7, 5));
	assert_true(may_enter(f, 7, 4));
	publish(f, member_op(7, 2, 5, MEMBER_ADD), NULL);
	assert_true(may_enter(f, 7, 5));
	publish(f, member_op(7, 3, 5, MEMBER_LEAVE), NULL);
	assert_false(may_enter(f, 7, 5));
	struct store_op *join = join_op(7, "general", 3);
	join->user = 5;
	publish(f, join, NULL);
	assert_true(may_enter(f, 7, 5));
}

static void of_what_a_batch_undoes_nobody_is_told(void **state)
{
	struct fixture *f = *state;
	struct store_op *join = join_op(7, "general", 5);
	unsigned at;

	load_room(f, 7, "general", 0);
	publish(f, member_op(7, 1, 5, MEMBER_REMOVE), member_op(7, 2, 5, MEMBER_ADD));
	assert_int_equal(count(1, "\"removed\"", &at), 0);
	assert_int_equal(count(1, "\"added\"", &at), 1);
	assert_true(may_enter(f, 7, 5));
	publish(f, member_op(7, 3, 5, MEMBER_ADD), member_op(7, 4, 5, MEMBER_REMOVE));
	assert_int_equal(count(1, "\"removed\"", &at), 1);
	assert_int_equal(count(1, "\"added\"", &at), 0);
	assert_false(may_enter(f, 7, 5));
	join->user = 5;
	publish(f, member_op(7, 5, 5, MEMBER_REMOVE), join);
	assert_int_equal(count(1, "\"removed\"", &at), 0);
	/* Of others', and of other rooms, it says nothing. */
	publish(f, member_op(7, 6, 5, MEMBER_REMOVE), member_op(7, 7, 6, MEMBER_ADD));
	assert_int_equal(count(1, "\"removed\"", &at), 1);
}

static void a_renamed_room_is_found_and_shown_by_its_new_name(void **state)
{
	struct fixture *f = *state;
	struct room_visit visit = {.room = 7, .user = 4, .name = SPAN("Ada"), .newest = 10};
	struct store_op *op = change_op(7, 2, EVENT_RENAME), *topic = change_op(7, 3, EVENT_TOPIC);
	struct room_view v;

	load_room(f, 7, "general", 0);
	enter(f, 7, 1, 4);
	publish(f, message_op(7, 1), NULL);
	op->event.room = SPAN("lobby");
	op->event.text = SPAN("general");
	op->event.title = SPAN("Lobby");
	op->drops_tail = true;
	topic->event.room = SPAN("lobby");
	topic->event.text = SPAN("All things");
	publish(f, op, topic);
	assert_int_equal(room_registry_find(f->rg, SPAN("lobby"), (struct span){0}), 7);
	assert_int_equal(room_registry_find(f->rg, SPAN("general"), (struct span){0}), 0);
	assert_true(room_registry_view(f->rg, &visit, &v));
	assert_string_equal(v.name, "lobby");
	assert_string_equal(v.title, "Lobby");
	assert_string_equal(v.topic, "All things");
	assert_int_equal(v.n_tail, 2); /* no event under the old name */
	assert_false(v.is_archived);
	room_view_deinit(&v);
	op = change_op(7, 4, EVENT_ARCHIVE);
	op->event.on = true;
	publish(f, op, NULL);
	assert_true(room_registry_view(f->rg, &visit, &v));
	assert_true(v.is_archived);
	room_view_deinit(&v);
	leave(f, 7, 1, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_removal_is_told_before_what_its_batch_brought,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_was_removed_is_shown_nothing_until_they_are_let_in_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(of_what_a_batch_undoes_nobody_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_renamed_room_is_found_and_shown_by_its_new_name,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
