/* A commit that nobody could be sure of: what was stored all the same is told when it is found. */
#include "fixture.h"
#include "store/store_internal.h"

/*
 * As if the commit of the last @n events had failed although it reached the disk: the writer has
 * not told of them and has to look.
 */
static void doubt_last_events(struct fixture *fx, int64_t n_events, int64_t n_users)
{
	mutex_lock(&fx->st->lock);
	fx->st->writer.last_event -= n_events;
	fx->st->writer.last_user -= n_users;
	fx->st->writer.broken = true;
	mutex_unlock(&fx->st->lock);
}

static void events_of_a_doubtful_commit_are_told_when_found(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	enum proto_error err;

	for (unsigned i = 0; i < 3; i++)
		send_text(fx, ada, room, (const char *[]){"a", "b", "c"}[i], "hi");
	write_json(fx, ada, room,
		   "\"op\":\"send\",\"room\":\"r\",\"key\":\"m\",\"text\":\"x\\u0000y\","
		   "\"mentions\":[\"u1\",\"u7\"],\"thread\":1",
		   NULL);
	write_json(fx, ada, room, "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d\",\"target\":2",
		   NULL);
	fx->last_seq_published = 3;
	doubt_last_events(fx, 2, 0);
	assert_int_equal(send_text(fx, ada, room, "n", "next"), 6);

	struct store_op *found = fx->found;
	assert_non_null(found);
	assert_int_equal(found->origin.conn, 0);
	assert_int_equal(found->room_id, room);
	assert_int_equal(found->seq, 4);
	assert_int_equal(found->event.kind, EVENT_MESSAGE);
	assert_true(span_equal(found->event.text, SPAN("x\0y")));
	assert_true(span_equal(found->event.room, SPAN("r")));
	assert_true(span_equal(found->event.from_name, SPAN("Ada")));
	assert_int_equal(found->event.thread, 1);
	assert_int_equal(found->event.n_mentions, 2);
	assert_int_equal(found->event.mentions[1], 7);
	assert_false(found->drops_tail);
	found = found->next;
	assert_non_null(found);
	assert_int_equal(found->event.kind, EVENT_DELETE);
	assert_int_equal(found->event.target, 2);
	assert_true(found->drops_tail);
	assert_null(found->next);
	assert_false(fx->out_of_order);
	/* Who tries again gets the first reply. */
	struct store_op *op = ask(fx, STORE_WRITE, ada, room,
				  "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d\",\"target\":2");
	assert_true(op->dup);
	assert_int_equal(op->seq, 5);
	store_op_free(op);
	write_json(fx, ada, room, "\"op\":\"delete\",\"room\":\"r\",\"key\":\"e\",\"target\":2",
		   &err);
	assert_int_equal(err, PROTO_E_NOT_FOUND);
}

static void changes_of_a_room_are_told_whole_when_found(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), bob = make_user(fx, "Bob");
	struct store_op *op = ask(fx, STORE_CREATE, ada, 0,
				  "\"op\":\"create\",\"name\":\"Lobby\","
				  "\"kind\":\"public\",\"key\":\"c\"");
	int64_t room = op->room_id;

	assert_int_equal(op->err, PROTO_OK);
	store_op_free(op);
	join(fx, bob, "lobby");
	write_json(fx, ada, room,
		   "\"op\":\"rename\",\"room\":\"lobby\",\"name\":\"Hall\",\"key\":\"r\"", NULL);
	write_json(fx, ada, room,
		   "\"op\":\"remove\",\"room\":\"lobby\",\"user\":\"u2\",\"key\":\"x\"", NULL);
	fx->last_seq_published = 1;
	doubt_last_events(fx, 2, 0);
	store_op_free(ask(fx, STORE_WRITE, ada, room,
			  "\"op\":\"topic\",\"room\":\"hall\",\"topic\":\"t\",\"key\":\"t\""));

	struct store_op *found = fx->found;
	assert_non_null(found);
	assert_int_equal(found->event.kind, EVENT_RENAME);
	assert_true(span_equal(found->event.room, SPAN("hall")));
	assert_true(span_equal(found->event.text, SPAN("Lobby")));
	assert_true(span_equal(found->event.title, SPAN("Hall")));
	assert_true(found->drops_tail);
	found = found->next;
	assert_non_null(found);
	assert_int_equal(found->event.kind, EVENT_MEMBER);
	assert_int_equal(found->event.act, MEMBER_REMOVE);
	assert_int_equal(found->event.about_id, bob);
	assert_true(span_equal(found->event.about_name, SPAN("Bob")));
	assert_null(found->next);
}

static void a_guest_that_was_never_told_its_token_frees_the_name(void **state)
{
	struct fixture *fx = *state;

	make_user(fx, "Ada");
	int64_t ghost = make_user(fx, "Bob");
	doubt_last_events(fx, 0, 1);
	int64_t bob = make_user(fx, "Bob");
	assert_true(bob > ghost); /* ids are never used twice */
	struct store_op *op = ask(fx, STORE_HELLO, 0, 0, "\"op\":\"hello\",\"name\":\"Ada\"");
	assert_int_equal(op->err, PROTO_E_NAME_TAKEN);
	store_op_free(op);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_of_a_doubtful_commit_are_told_when_found,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(changes_of_a_room_are_told_whole_when_found,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_guest_that_was_never_told_its_token_frees_the_name, fixture_setup,
			fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
