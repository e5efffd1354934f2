/* Presence: who is online where, and what rooms are told of it. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* The members that a join would be shown, as one would see them in its reply. */
struct shown {
	char json[16384];
	unsigned n;
	uint64_t online;
};

static struct shown shown;

static void look(struct fixture *f, int64_t room, int64_t user)
{
	struct room_view v;
	struct buf b = {0};

	struct room_visit visit = {.room = room, .user = user};

	assert_true(room_registry_view(f->rg, &visit, &v));
	if (v.lack_self)
		buf_printf(&b, "{\"id\":\"u%d\",\"name\":\"self\"}%s", (int)user,
			   v.members_len > 0 ? "," : "");
	buf_append(&b, chunk_bytes(v.members), v.members_len);
	assert_in_range(b.len, 1, sizeof(shown.json) - 1);
	memcpy(shown.json, b.p, b.len);
	shown.json[b.len] = '\0';
	shown.n = 0;
	for (const char *p = shown.json; (p = strstr(p, "{\"id\":\"u")) != NULL; p++)
		shown.n++;
	assert_int_equal(shown.n, v.n_members);
	shown.online = v.online;
	buf_deinit(&b);
	room_view_deinit(&v);
}

static bool is_shown(int64_t user)
{
	char id[32];

	snprintf(id, sizeof(id), "\"id\":\"u%d\"", (int)user);
	return strstr(shown.json, id) != NULL;
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
	leave(f, 7, 1, 5);
	room_registry_flush_presence(f->rg, 9000);
	drain(f);
	/* A join's reply may have shown user 5 to somebody. */
	assert_int_equal(n_seen, 1);
	assert_non_null(strstr(seen[0].text, "\"leave\":[{\"id\":\"u5\",\"name\":\"user5\"}]"));
	assert_null(strstr(seen[0].text, "\"join\":[{"));
	leave(f, 7, 0, 4);
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
	leave(f, 7, 0, 5);
	room_registry_flush_presence(f->rg, 5900);
	drain(f);
	assert_int_equal(n_seen, 0);
	room_registry_flush_presence(f->rg, 6000);
	drain(f);
	assert_int_equal(n_seen, 1);
	assert_non_null(strstr(seen[0].text, "\"leave\":[{\"id\":\"u5\",\"name\":\"user5\"}]"));
	assert_non_null(strstr(seen[0].text, "\"online\":1"));
	leave(f, 7, 0, 4);
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
		leave(f, 7, 0, user);
}

static void two_connections_of_one_user_count_once(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	enter(f, 7, 1, 4);
	assert_int_equal(room_registry_online(f->rg, 7), 1);
	leave(f, 7, 0, 4);
	assert_int_equal(room_registry_online(f->rg, 7), 1);
	leave(f, 7, 1, 4);
	assert_int_equal(room_registry_online(f->rg, 7), 0);
}

static void a_crowd_is_named_no_more_whoever_goes_back_on_it(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	for (int64_t user = 1; user <= 51; user++)
		enter(f, 7, 0, user);
	for (int64_t user = 2; user <= 51; user++)
		leave(f, 7, 0, user);
	room_registry_flush_presence(f->rg, 5000);
	drain(f);
	assert_int_equal(n_seen, 1);
	assert_string_equal(seen[0].text,
			    "{\"ev\":\"presence\",\"room\":\"general\",\"online\":1}");
	n_seen = 0;
	enter(f, 7, 0, 5);
	room_registry_flush_presence(f->rg, 6000);
	drain(f);
	assert_non_null(strstr(seen[0].text, "\"join\":[{\"id\":\"u5\",\"name\":\"user5\"}]"));
	leave(f, 7, 0, 5);
	leave(f, 7, 0, 1);
}

static void fifty_who_came_and_fifty_who_went_are_all_named(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	load_room(f, 7, "general", 0);
	for (int64_t user = 1; user <= 50; user++)
		enter(f, 7, 0, user);
	room_registry_flush_presence(f->rg, 5000);
	for (int64_t user = 1; user <= 50; user++) {
		enter(f, 7, 0, 50 + user);
		leave(f, 7, 0, user);
	}
	n_seen = 0;
	room_registry_flush_presence(f->rg, 6000);
	drain(f);
	assert_int_equal(n_seen, 2);
	for (const char *p = seen[1].text; (p = strstr(p, "\"name\":\"user")) != NULL; p++)
		n++;
	assert_int_equal(n, 100);
	for (int64_t user = 51; user <= 100; user++)
		leave(f, 7, 0, user);
}

static void names_are_those_of_the_telling(void **state)
{
	struct fixture *f = *state;
	struct store_op *op = new_op(STORE_HELLO, 0);

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	enter(f, 7, 0, 5);
	look(f, 7, 4);
	leave(f, 7, 0, 5);
	for (int64_t user = 4; user <= 5; user++) {
		struct store_op *rename = user == 4 ? op : new_op(STORE_HELLO, 0);

		rename->renamed = true;
		rename->user = user;
		rename->name = mem_strdup(user == 4 ? "Ada" : "Bob");
		room_registry_publish(f->rg, rename);
	}
	look(f, 7, 4);
	assert_string_equal(shown.json, "{\"id\":\"u4\",\"name\":\"Ada\"}");
	drain(f);
	n_seen = 0;
	room_registry_flush_presence(f->rg, 5000);
	drain(f);
	assert_non_null(strstr(seen[0].text, "\"join\":[{\"id\":\"u4\",\"name\":\"Ada\"}]"));
	assert_non_null(strstr(seen[0].text, "\"leave\":[{\"id\":\"u5\",\"name\":\"Bob\"}]"));
	leave(f, 7, 0, 4);
}

static void a_room_without_members_is_told_nothing(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	enter(f, 7, 0, 4);
	leave(f, 7, 0, 4);
	room_registry_flush_presence(f->rg, 5000);
	enter(f, 7, 0, 5);
	room_registry_flush_presence(f->rg, 5100);
	drain(f);
	assert_int_equal(n_seen, 1);
	assert_null(strstr(seen[0].text, "user4"));
	leave(f, 7, 0, 5);
}

static void many_rooms_are_each_told_in_one_flush(void **state)
{
	struct fixture *f = *state;

	for (int64_t id = 1; id <= 200; id++) {
		char name[32];

		snprintf(name, sizeof(name), "room%d", (int)id);
		load_room(f, id, name, 0);
		enter(f, id, 0, id % 20 + 1);
	}
	room_registry_flush_presence(f->rg, 5000);
	drain(f);
	assert_int_equal(n_seen, 200);
	for (int64_t id = 1; id <= 200; id++)
		leave(f, id, 0, id % 20 + 1);
}

static void the_members_shown_are_those_online_as_of_now(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	for (int64_t user = 1; user <= 5; user++) {
		enter(f, 7, 0, user);
		look(f, 7, user);
		assert_int_equal(shown.n, user);
		assert_int_equal(shown.online, user);
	}
	leave(f, 7, 0, 1);
	leave(f, 7, 0, 3);
	leave(f, 7, 0, 5);
	look(f, 7, 2);
	assert_int_equal(shown.n, 2);
	assert_true(is_shown(2) && is_shown(4));
	/* The same when the list is made afresh. */
	room_registry_flush_presence(f->rg, 5000);
	enter(f, 7, 0, 6);
	look(f, 7, 2);
	assert_true(shown.n == 3 && is_shown(2) && is_shown(4) && is_shown(6));
	leave(f, 7, 0, 2);
	leave(f, 7, 0, 4);
	leave(f, 7, 0, 6);
}

static void two_hundred_are_shown_and_oneself_is_among_them(void **state)
{
	struct fixture *f = *state;

	load_room(f, 7, "general", 0);
	for (int64_t user = 1; user <= 400; user++) {
		enter(f, 7, 0, user);
		look(f, 7, user);
		assert_true(is_shown(user));
		assert_int_equal(shown.n, user < 200 ? user : 200);
		assert_int_equal(shown.online, user);
		if (user % 90 == 0)
			room_registry_flush_presence(f->rg, (uint64_t)user * 1000);
	}
	/* Whoever goes is shown no more; in the end everyone who is there is shown. */
	for (int64_t user = 1; user < 400; user++) {
		leave(f, 7, 0, user);
		look(f, 7, 400);
		assert_true(!is_shown(user) && is_shown(400));
		assert_int_equal(shown.online, 400 - user);
		assert_in_range(shown.n, shown.online < 200 ? shown.online : 100, 200);
	}
	leave(f, 7, 0, 400);
}

static void *come_and_go(void *arg)
{
	static atomic_uint next_worker;
	struct fixture *f = arg;
	unsigned w = atomic_fetch_add(&next_worker, 1) % N_WORKERS;

	for (int64_t user = 1; user <= 1000; user++) {
		struct room_view v;
		struct room_visit visit = {
			.room = user % 3 + 1, .worker = w, .user = user, .name = SPAN("Ada")};

		visit.enters = true;
		assert_true(room_registry_view(f->rg, &visit, &v));
		if (user % 7 == 0)
			leave(f, visit.room, w, user);
		room_view_deinit(&v);
	}
	return NULL;
}

static void threads_may_come_and_go_while_rooms_are_told(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[N_WORKERS];
	struct room_stats stats;

	load_room(f, 1, "one", 0);
	load_room(f, 2, "two", 0);
	load_room(f, 3, "three", 0);
	for (unsigned i = 0; i < N_WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, f), 0);
	for (uint64_t i = 1; i <= 50; i++)
		room_registry_flush_presence(f->rg, i * 1000);
	for (unsigned i = 0; i < N_WORKERS; i++)
		pthread_join(threads[i], NULL);
	room_registry_get_stats(f->rg, &stats);
	assert_int_equal(stats.joined, N_WORKERS * (1000 - 1000 / 7));
	assert_int_equal(room_registry_online(f->rg, 1) + room_registry_online(f->rg, 2) +
				 room_registry_online(f->rg, 3),
			 1000 - 1000 / 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_user_who_comes_and_goes_within_a_second_is_told_as_gone),
		TEST(presence_is_told_at_most_once_a_second_and_names_who_left),
		TEST(a_crowd_is_told_as_a_number_only),
		TEST(two_connections_of_one_user_count_once),
		TEST(a_crowd_is_named_no_more_whoever_goes_back_on_it),
		TEST(fifty_who_came_and_fifty_who_went_are_all_named),
		TEST(names_are_those_of_the_telling),
		TEST(a_room_without_members_is_told_nothing),
		TEST(many_rooms_are_each_told_in_one_flush),
		TEST(the_members_shown_are_those_online_as_of_now),
		TEST(threads_may_come_and_go_while_rooms_are_told),
		TEST(two_hundred_are_shown_and_oneself_is_among_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
