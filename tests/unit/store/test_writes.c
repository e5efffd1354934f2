/* Writes: keys, targets, counts and order. */
#include "fixture.h"

static void a_key_sent_again_gets_the_first_reply(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	const char *json = "\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"hi\"";
	struct store_op *first = ask(fx, STORE_WRITE, ada, room, json);

	assert_int_equal(first->err, PROTO_OK);
	assert_false(first->dup);
	assert_int_equal(first->seq, 1);
	assert_int_equal(first->event.kind, EVENT_MESSAGE);
	assert_true(span_equal(first->event.text, SPAN("hi")));
	assert_true(span_equal(first->event.room, SPAN("r")));
	assert_true(span_equal(first->event.from_name, SPAN("Ada")));
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			fixture_reopen(fx);
		struct store_op *again = ask(fx, STORE_WRITE, ada, room, json);

		assert_int_equal(again->err, PROTO_OK);
		assert_true(again->dup);
		assert_int_equal(again->seq, first->seq);
		assert_int_equal(again->ts, first->ts);
		assert_int_equal(again->event.kind, 0);
		store_op_free(again);
	}
	store_op_free(first);
	assert_int_equal(send_text(fx, ada, room, "k2", "next"), 2);
}

static void a_key_sent_many_times_at_once_is_one_event(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	struct store_op *ops[300];
	unsigned n_new = 0;

	for (size_t i = 0; i < 300; i++)
		ops[i] = submit(fx, STORE_WRITE, ada, room,
				"\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"hi\"");
	for (size_t i = 0; i < 300; i++) {
		await(fx, ops[i]);
		assert_int_equal(ops[i]->err, PROTO_OK);
		assert_int_equal(ops[i]->seq, 1);
		n_new += !ops[i]->dup;
		store_op_free(ops[i]);
	}
	assert_int_equal(n_new, 1);
}

static void a_key_with_other_content_conflicts(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), bob = make_user(fx, "Bob");
	int64_t room = join(fx, ada, "r"), other = join(fx, ada, "other");
	static const char *const contents[] = {
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"ho\"",
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"hi\",\"thread\":1",
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"hi\",\"quote\":1",
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"hi\",\"mentions\":["
		"\"u1\"]",
		"\"op\":\"edit\",\"room\":\"r\",\"key\":\"k\",\"text\":\"hi\",\"target\":1",
		"\"op\":\"delete\",\"room\":\"r\",\"key\":\"k\",\"target\":1",
		("\"op\":\"react\",\"room\":\"r\",\"key\":\"k\",\"target\":1,\"emoji\":\"x\","
		 "\"on\":true"),
	};
	enum proto_error err;

	send_text(fx, ada, room, "k", "hi");
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		write_json(fx, ada, room, contents[i], &err);
		assert_int_equal(err, PROTO_E_KEY_CONFLICT);
	}
	write_json(fx, ada, other, "\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"hi\"",
		   &err);
	assert_int_equal(err, PROTO_E_KEY_CONFLICT);
	/* Keys are unique per user. */
	assert_int_equal(send_text(fx, bob, room, "k", "hi"), 2);
}

static void a_refused_write_does_not_use_up_its_key(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	const char *edit =
		"\"op\":\"edit\",\"room\":\"r\",\"key\":\"k\",\"text\":\"x\",\"target\":1";
	enum proto_error err;

	write_json(fx, ada, room, edit, &err);
	assert_int_equal(err, PROTO_E_NOT_FOUND);
	assert_int_equal(send_text(fx, ada, room, "m", "hi"), 1);
	assert_int_equal(write_json(fx, ada, room, edit, NULL), 2);
}

static void only_its_author_edits_and_deletes_a_message(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), bob = make_user(fx, "Bob"), room = join(fx, ada, "r");
	enum proto_error err;

	send_text(fx, ada, room, "m", "hi");
	write_json(fx, bob, room,
		   "\"op\":\"edit\",\"room\":\"r\",\"key\":\"e\",\"text\":\"x\",\"target\":1",
		   &err);
	assert_int_equal(err, PROTO_E_FORBIDDEN);
	write_json(fx, bob, room, "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d\",\"target\":1",
		   &err);
	assert_int_equal(err, PROTO_E_FORBIDDEN);
	write_json(fx, ada, room, "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d\",\"target\":1",
		   NULL);
	/* Deleted: nothing can be done to it any more, by anyone. */
	static const char *const ops[] = {
		"\"op\":\"delete\",\"room\":\"r\",\"key\":\"1\",\"target\":1",
		"\"op\":\"edit\",\"room\":\"r\",\"key\":\"2\",\"text\":\"x\",\"target\":1",
		("\"op\":\"react\",\"room\":\"r\",\"key\":\"3\",\"target\":1,\"emoji\":\"x\","
		 "\"on\":true"),
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"4\",\"text\":\"x\",\"thread\":1",
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"5\",\"text\":\"x\",\"quote\":1",
		/* 2 is the deletion: no message */
		"\"op\":\"edit\",\"room\":\"r\",\"key\":\"6\",\"text\":\"x\",\"target\":2",
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"7\",\"text\":\"x\",\"quote\":99",
	};
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		write_json(fx, ada, room, ops[i], &err);
		assert_int_equal(err, PROTO_E_NOT_FOUND);
	}
	/* A deleted message's key is still known. */
	struct store_op *dup = ask(fx, STORE_WRITE, ada, room,
				   "\"op\":\"send\",\"room\":\"r\",\"key\":\"m\",\"text\":\"hi\"");
	assert_true(dup->dup);
	assert_int_equal(dup->seq, 1);
	store_op_free(dup);
}

static void a_retry_is_known_though_what_it_quotes_was_deleted_since(void **state)
{
	static const char quoting[] =
		"\"op\":\"send\",\"room\":\"r\",\"key\":\"q\",\"text\":\"so\",\"quote\":1";
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");

	send_text(fx, ada, room, "m", "hi");
	assert_int_equal(write_json(fx, ada, room, quoting, NULL), 2);
	write_json(fx, ada, room, "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d\",\"target\":1",
		   NULL);
	struct store_op *dup = ask(fx, STORE_WRITE, ada, room, quoting);
	assert_true(dup->dup);
	assert_int_equal(dup->seq, 2);
	store_op_free(dup);
}

static uint64_t react(struct fixture *fx, int64_t user, int64_t room, const char *key,
		      const char *emoji, bool on)
{
	char json[200];

	snprintf(json, sizeof(json),
		 "\"op\":\"react\",\"room\":\"r\",\"key\":\"%s\",\"target\":1,\"emoji\":\"%s\","
		 "\"on\":%s",
		 key, emoji, on ? "true" : "false");
	struct store_op *op = ask(fx, STORE_WRITE, user, room, json);
	assert_int_equal(op->err, PROTO_OK);
	assert_int_equal(op->event.kind, EVENT_REACT);
	assert_int_equal(op->event.on, on);
	uint64_t count = op->event.count;
	store_op_free(op);
	return count;
}

static void a_reaction_counts_users_not_events(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), bob = make_user(fx, "Bob"), room = join(fx, ada, "r");

	send_text(fx, ada, room, "m", "hi");
	assert_int_equal(react(fx, ada, room, "1", "x", true), 1);
	assert_int_equal(react(fx, ada, room, "2", "x", true), 1);
	assert_int_equal(react(fx, bob, room, "3", "x", true), 2);
	assert_int_equal(react(fx, bob, room, "4", "y", false), 0);
	assert_int_equal(react(fx, ada, room, "5", "x", false), 1);
	assert_int_equal(react(fx, ada, room, "6", "x", false), 1);
	assert_int_equal(react(fx, bob, room, "7", "x", false), 0);
	/* Each was appended, also those that changed nothing. */
	assert_int_equal(send_text(fx, ada, room, "m2", "hi"), 9);
}

static void a_message_bounds_its_kinds_of_reactions(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	char key[16];
	enum proto_error err;

	send_text(fx, ada, room, "m", "hi");
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(react(fx, ada, room, key, key, true), 1);
	}
	write_json(fx, ada, room,
		   "\"op\":\"react\",\"room\":\"r\",\"key\":\"z\",\"target\":1,\"emoji\":\"z\","
		   "\"on\":true",
		   &err);
	assert_int_equal(err, PROTO_E_TOO_LARGE);
	assert_int_equal(react(fx, ada, room, "a", "k0", false), 0);
	assert_int_equal(react(fx, ada, room, "b", "z", true), 1);
}

static void what_is_queued_is_published_in_order_without_a_hole(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	enum {
		N = 3000
	};
	struct store_op **ops = mem_alloc(N * sizeof(*ops));
	char json[100];

	for (unsigned i = 0; i < N; i++) {
		snprintf(json, sizeof(json),
			 "\"op\":\"send\",\"room\":\"r\",\"key\":\"k%u\",\"text\":\"t\"", i);
		ops[i] = submit(fx, STORE_WRITE, ada, room, json);
	}
	for (unsigned i = 0; i < N; i++) {
		await(fx, ops[i]);
		assert_int_equal(ops[i]->err, PROTO_OK);
		assert_int_equal(ops[i]->seq, i + 1);
		store_op_free(ops[i]);
	}
	free(ops);
	assert_false(fx->out_of_order);
	struct store_stats stats;
	store_get_stats(fx->st, &stats);
	assert_int_equal(stats.ops, N + 2);
	assert_int_equal(stats.queue, 0);
	assert_in_range(stats.commits, 1, N);
}

static void a_join_between_writes_sees_those_before_it(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	struct store_op *ops[3];

	fx->closed_gate = true; /* so that they share a batch */
	ops[0] = submit(fx, STORE_WRITE, ada, room,
			"\"op\":\"send\",\"room\":\"r\",\"key\":\"a\",\"text\":\"1\"");
	ops[1] = submit(fx, STORE_JOIN, ada, 0, "\"op\":\"join\",\"room\":\"r\"");
	ops[2] = submit(fx, STORE_WRITE, ada, room,
			"\"op\":\"send\",\"room\":\"r\",\"key\":\"b\",\"text\":\"2\"");
	mutex_lock(&fx->lock);
	fx->closed_gate = false;
	mutex_unlock(&fx->lock);
	for (int i = 0; i < 3; i++)
		await(fx, ops[i]);
	assert_int_equal(ops[1]->room.head, 1);
	assert_int_equal(ops[2]->seq, 2);
	for (int i = 0; i < 3; i++)
		store_op_free(ops[i]);
}

static void texts_keep_every_byte(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");

	write_json(fx, ada, room,
		   "\"op\":\"send\",\"room\":\"r\",\"key\":\"\\u0000a\",\"text\":\"x\\u0000y\"",
		   NULL);
	write_json(fx, ada, room,
		   "\"op\":\"send\",\"room\":\"r\",\"key\":\"\\u0000b\",\"text\":\"\\u0000\"",
		   NULL);
	struct store_read *r = read_log(fx, ada, room, HISTORY_NEWEST, 0, 10, false);
	assert_int_equal(r->n_events, 2);
	assert_non_null(strstr(r->events.p, "\"x\\u0000y\""));
	assert_non_null(strstr(r->events.p, "\"\\u0000\""));
	store_read_free(r);
}

static void a_full_queue_takes_no_more(void **state)
{
	struct fixture *fx = *state;
	struct store_options opts = fixture_options(fx);
	struct store_op *ops[3];

	opts.max_queue = 3;
	assert_int_equal(store_open(&fx->st, &opts), 0);
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	fx->closed_gate = true;
	for (int i = 0; i < 3; i++)
		ops[i] = submit(fx, STORE_MARK, ada, room,
				"\"op\":\"read\",\"room\":\"r\",\"seq\":0");
	struct store_op *extra = store_op_new(STORE_TOUCH, (struct store_origin){0});
	assert_false(store_submit(fx->st, extra));
	store_op_free(extra);
	mutex_lock(&fx->lock);
	fx->closed_gate = false;
	mutex_unlock(&fx->lock);
	for (int i = 0; i < 3; i++)
		store_op_free(await(fx, ops[i]));
}

static void a_stop_commits_what_was_taken(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	struct store_op *ops[50];
	char json[100];

	fx->closed_gate = true; /* a stop does not wait for receivers */
	for (int i = 0; i < 50; i++) {
		snprintf(json, sizeof(json),
			 "\"op\":\"send\",\"room\":\"r\",\"key\":\"k%d\",\"text\":\"t\"", i);
		ops[i] = submit(fx, STORE_WRITE, ada, room, json);
	}
	store_stop(fx->st);
	for (int i = 0; i < 50; i++) {
		await(fx, ops[i]);
		assert_int_equal(ops[i]->seq, i + 1);
		store_op_free(ops[i]);
	}
	struct store_op *late = store_op_new(STORE_TOUCH, (struct store_origin){0});
	assert_false(store_submit(fx->st, late));
	store_op_free(late);
	struct store_read *read = store_read_new(STORE_READ_ROOMS, (struct store_origin){0});
	assert_false(store_submit_read(fx->st, read));
	store_read_free(read);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_key_sent_again_gets_the_first_reply),
		CASE(a_key_sent_many_times_at_once_is_one_event),
		CASE(a_key_with_other_content_conflicts),
		CASE(a_refused_write_does_not_use_up_its_key),
		CASE(only_its_author_edits_and_deletes_a_message),
		CASE(a_retry_is_known_though_what_it_quotes_was_deleted_since),
		CASE(a_reaction_counts_users_not_events),
		CASE(a_message_bounds_its_kinds_of_reactions),
		CASE(what_is_queued_is_published_in_order_without_a_hole),
		CASE(a_join_between_writes_sees_those_before_it),
		CASE(texts_keep_every_byte),
		CASE(a_stop_commits_what_was_taken),
		cmocka_unit_test_setup_teardown(a_full_queue_takes_no_more, fixture_setup_closed,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
