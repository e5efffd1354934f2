/* Guests, rooms that one belongs to, and what is unread there. */
#include "fixture.h"
#include <sqlite3.h>

static struct store_read *read_people(struct fixture *fx, enum store_read_kind kind, int64_t user,
				      const char *token)
{
	struct store_read *r = store_read_new(kind, (struct store_origin){.conn = 1});
	char json[200];

	r->user = user;
	if (token != NULL) {
		snprintf(json, sizeof(json), "\"op\":\"hello\",\"token\":\"%s\"", token);
		r->req = request_of(json);
	}
	return read_for(fx, r);
}

static struct store_op *hello(struct fixture *fx, const char *name, const char *token)
{
	char json[300];

	if (token != NULL)
		snprintf(json, sizeof(json), "\"op\":\"hello\",\"name\":\"%s\",\"token\":\"%s\"",
			 name, token);
	else
		snprintf(json, sizeof(json), "\"op\":\"hello\",\"name\":\"%s\"", name);
	return ask(fx, STORE_HELLO, 0, 0, json);
}

static void a_token_is_the_same_guest_again(void **state)
{
	struct fixture *fx = *state;
	struct store_op *op = hello(fx, "Ada", NULL);

	assert_int_equal(op->err, PROTO_OK);
	assert_string_equal(op->name, "Ada");
	assert_int_equal(strlen(op->token), 43);
	assert_false(op->renamed);
	fixture_reopen(fx);
	struct store_read *r = read_people(fx, STORE_READ_HELLO, 0, op->token);
	assert_int_equal(r->err, PROTO_OK);
	assert_int_equal(r->user, op->user);
	assert_string_equal(r->name, "Ada");
	assert_false(r->stale);
	store_read_free(r);
	op->token[5] ^= 1;
	r = read_people(fx, STORE_READ_HELLO, 0, op->token);
	assert_int_equal(r->err, PROTO_E_UNAUTHORIZED);
	store_read_free(r);
	store_op_free(op);
}

static void a_name_is_one_guests_and_a_rename_frees_it(void **state)
{
	struct fixture *fx = *state;
	struct store_op *ada = hello(fx, "Ada", NULL);
	struct store_op *op = hello(fx, "aDA", NULL);

	assert_int_equal(op->err, PROTO_E_NAME_TAKEN);
	assert_null(op->token);
	store_op_free(op);

	op = hello(fx, "ADA", ada->token); /* one's own name, spelt otherwise */
	assert_int_equal(op->err, PROTO_OK);
	assert_true(op->renamed);
	assert_int_equal(op->user, ada->user);
	assert_string_equal(op->name, "ADA");
	store_op_free(op);
	op = hello(fx, "ADA", ada->token);
	assert_false(op->renamed);
	store_op_free(op);

	op = hello(fx, "Eve", "wrong");
	assert_int_equal(op->err, PROTO_E_UNAUTHORIZED);
	store_op_free(op);
	int64_t bob = make_user(fx, "Bob");
	op = hello(fx, "Bob", ada->token);
	assert_int_equal(op->err, PROTO_E_NAME_TAKEN);
	store_op_free(op);
	op = hello(fx, "Lovelace", ada->token);
	assert_int_equal(op->err, PROTO_OK);
	store_op_free(op);
	int64_t second = make_user(fx, "ada");
	assert_true(second != ada->user && second != bob);

	/* The log names authors as of the reading. */
	int64_t room = join(fx, ada->user, "r");
	send_text(fx, ada->user, room, "k", "hi");
	op = hello(fx, "Byron", ada->token);
	store_op_free(op);
	struct store_read *r = read_log(fx, bob, room, HISTORY_NEWEST, 0, 1, false);
	assert_non_null(strstr(r->events.p, "\"Byron\""));
	store_read_free(r);
	op = ask(fx, STORE_WRITE, ada->user, room,
		 "\"op\":\"send\",\"room\":\"r\",\"key\":\"k2\",\"text\":\"x\"");
	assert_true(span_equal(op->event.from_name, SPAN("Byron")));
	store_op_free(op);
	store_op_free(ada);
}

/* As time passes for everybody in the database. */
static void let_days_pass(struct fixture *fx, int days)
{
	sqlite3 *h;
	char sql[128];

	snprintf(sql, sizeof(sql), "%s/hubbub.db", fx->dir);
	assert_int_equal(sqlite3_open(sql, &h), SQLITE_OK);
	sqlite3_busy_timeout(h, 5000);
	snprintf(sql, sizeof(sql), "UPDATE users SET last_seen = last_seen - %d * 86400000", days);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
}

static void a_name_is_kept_for_thirty_days(void **state)
{
	struct fixture *fx = *state;
	struct store_op *ada = hello(fx, "Ada", NULL);

	let_days_pass(fx, 29);
	struct store_op *op = hello(fx, "Ada", NULL);
	assert_int_equal(op->err, PROTO_E_NAME_TAKEN);
	store_op_free(op);
	struct store_read *r = read_people(fx, STORE_READ_HELLO, 0, ada->token);
	assert_true(r->stale);
	store_read_free(r);
	store_op_free(ask(fx, STORE_TOUCH, ada->user, 0, NULL));
	r = read_people(fx, STORE_READ_HELLO, 0, ada->token);
	assert_false(r->stale);
	store_read_free(r);

	let_days_pass(fx, 29);
	op = hello(fx, "Ada", NULL);
	assert_int_equal(op->err, PROTO_E_NAME_TAKEN);
	store_op_free(op);
	let_days_pass(fx, 2);
	op = hello(fx, "Ada", NULL);
	assert_int_equal(op->err, PROTO_OK);
	assert_true(op->user != ada->user);
	store_op_free(op);
	/* Who lost the name is still known by the token. */
	r = read_people(fx, STORE_READ_HELLO, 0, ada->token);
	assert_int_equal(r->user, ada->user);
	store_read_free(r);
	store_op_free(ada);
}

static void a_room_is_found_by_name_and_by_rid(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), bob = make_user(fx, "Bob");
	char json[100];
	struct store_op *made =
		ask(fx, STORE_JOIN, ada, 0, "\"op\":\"join\",\"room\":\"Caf\\u00c9\"");

	assert_int_equal(made->err, PROTO_OK);
	assert_string_equal(made->room.name, "caf\xc3\xa9");
	assert_string_equal(made->room.title, "Caf\xc3\x89");
	assert_string_equal(made->room.topic, "");
	assert_int_equal(strlen(made->room.rid), 16);
	assert_int_equal(made->room.head, 0);
	assert_int_equal(made->room.first, 1);
	snprintf(json, sizeof(json), "\"op\":\"join\",\"room\":\"~%s\"", made->room.rid);
	struct store_op *op = ask(fx, STORE_JOIN, bob, 0, json);
	assert_int_equal(op->err, PROTO_OK);
	assert_int_equal(op->room.id, made->room.id);
	assert_string_equal(op->room.title, "Caf\xc3\x89");
	store_op_free(op);
	op = ask(fx, STORE_JOIN, bob, 0, "\"op\":\"join\",\"room\":\"~nosuchroom\"");
	assert_int_equal(op->err, PROTO_E_NOT_FOUND);
	store_op_free(op);
	store_op_free(made);
}

static void a_room_without_a_name_goes_by_its_rid(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	sqlite3 *h;
	char path[128], label[20];

	fixture_close(fx);
	snprintf(path, sizeof(path), "%s/hubbub.db", fx->dir);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "UPDATE rooms SET name = NULL", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(h);
	fixture_open(fx);
	struct store_read *r = read_people(fx, STORE_READ_BELONG, ada, NULL);
	assert_int_equal(r->n_belong, 1);
	assert_null(r->belong[0].name);
	snprintf(label, sizeof(label), "~%s", r->belong[0].rid);
	store_read_free(r);
	struct store_op *op = ask(fx, STORE_WRITE, ada, room,
				  "\"op\":\"send\",\"room\":\"r\",\"key\":\"k\",\"text\":\"x\"");
	assert_true(span_equal(op->event.room, span_of(label)));
	store_op_free(op);
	r = read_log(fx, ada, room, HISTORY_NEWEST, 0, 1, true);
	assert_non_null(strstr(r->events.p, label));
	store_read_free(r);
}

static void who_forgets_a_room_no_longer_belongs(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");

	join(fx, ada, "s");
	store_op_free(ask(fx, STORE_FORGET, ada, room, NULL));
	struct store_read *r = read_people(fx, STORE_READ_BELONG, ada, NULL);
	assert_int_equal(r->n_belong, 1);
	assert_string_equal(r->belong[0].name, "s");
	store_read_free(r);
}

/* What hello would say of the one room that @user belongs to. */
static struct store_belong belong(struct fixture *fx, int64_t user)
{
	struct store_read *r = read_people(fx, STORE_READ_BELONG, user, NULL);

	assert_int_equal(r->n_belong, 1);
	struct store_belong b = r->belong[0];
	b.name = NULL;
	store_read_free(r);
	return b;
}

static void unread_counts_the_messages_of_others_above_the_marker(void **state)
{
	struct fixture *fx = *state;
	enum {
		N_USERS = 3,
		N = 60
	};
	int64_t users[N_USERS], room = 0;
	int64_t from[N + 1] = {0}; /* of messages, by seq */
	char text[100];

	for (int u = 0; u < N_USERS; u++) {
		snprintf(text, sizeof(text), "user%d", u);
		users[u] = make_user(fx, text);
		room = join(fx, users[u], "r");
	}
	unsigned random = 5;
	for (unsigned s = 1; s <= N; s++) {
		random = random * 1664525u + 1013904223u;
		unsigned pick = random >> 16;
		int64_t user = users[pick % N_USERS];

		if (s > 1 && pick % 4 == 0) {
			snprintf(text, sizeof(text),
				 "\"op\":\"react\",\"room\":\"r\",\"key\":\"%u\",\"target\":1,"
				 "\"emoji\":\"x\",\"on\":true",
				 s);
			write_json(fx, user, room, text, NULL);
		} else {
			snprintf(text, sizeof(text), "%u", s);
			from[s] = user;
			assert_int_equal(send_text(fx, user, room, text, "t"), s);
		}
	}
	for (unsigned mark = 0; mark <= N + 3; mark++) {
		int64_t user = users[mark % N_USERS];
		uint64_t read = mark < N ? mark : N, unread = 0;

		snprintf(text, sizeof(text), "\"op\":\"read\",\"room\":\"r\",\"seq\":%u", mark);
		struct store_op *op = ask(fx, STORE_MARK, user, room, text);
		assert_int_equal(op->err, PROTO_OK);
		assert_int_equal(op->seq, read);
		store_op_free(op);
		for (unsigned s = mark + 1; s <= N; s++)
			unread += from[s] != 0 && from[s] != user;
		struct store_belong b = belong(fx, user);
		assert_int_equal(b.read, read);
		assert_int_equal(b.head, N);
		assert_int_equal(b.unread, unread);
	}
	/* The marker moves back as well, and tombstones count. */
	store_op_free(
		ask(fx, STORE_MARK, users[0], room, "\"op\":\"read\",\"room\":\"r\",\"seq\":0"));
	uint64_t before = belong(fx, users[0]).unread;
	unsigned victim = 1;
	while (from[victim] == 0 || from[victim] == users[0])
		victim++;
	snprintf(text, sizeof(text), "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d\",\"target\":%u",
		 victim);
	write_json(fx, from[victim], room, text, NULL);
	assert_int_equal(belong(fx, users[0]).unread, before);
	/* Leaving for good and coming back counts one's own messages as one's own still. */
	store_op_free(ask(fx, STORE_FORGET, users[0], room, NULL));
	join(fx, users[0], "r");
	assert_int_equal(belong(fx, users[0]).unread, before);
}

static void mentions_count_above_the_marker_until_deleted(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), bob = make_user(fx, "Bob"), room = join(fx, ada, "r");
	char json[200];

	join(fx, bob, "r");
	for (int i = 1; i <= 3; i++) {
		snprintf(json, sizeof(json),
			 "\"op\":\"send\",\"room\":\"r\",\"key\":\"%d\",\"text\":\"x\","
			 "\"mentions\":[\"u%lld\",\"u%lld\",\"u999\"]",
			 i, (long long)ada, (long long)bob);
		assert_int_equal(write_json(fx, ada, room, json, NULL), i);
	}
	assert_int_equal(belong(fx, bob).mentions, 3);
	assert_int_equal(belong(fx, ada).mentions, 0);
	struct store_read *r = read_log(fx, bob, room, HISTORY_NEWEST, 0, 1, false);
	assert_non_null(strstr(r->events.p, "\"u999\""));
	store_read_free(r);
	store_op_free(ask(fx, STORE_MARK, bob, room, "\"op\":\"read\",\"room\":\"r\",\"seq\":1"));
	assert_int_equal(belong(fx, bob).mentions, 2);
	write_json(fx, ada, room, "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d\",\"target\":3",
		   NULL);
	assert_int_equal(belong(fx, bob).mentions, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_token_is_the_same_guest_again),
		CASE(a_name_is_one_guests_and_a_rename_frees_it),
		CASE(a_name_is_kept_for_thirty_days),
		CASE(a_room_is_found_by_name_and_by_rid),
		CASE(a_room_without_a_name_goes_by_its_rid),
		CASE(who_forgets_a_room_no_longer_belongs),
		CASE(unread_counts_the_messages_of_others_above_the_marker),
		CASE(mentions_count_above_the_marker_until_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
