/* Names that look alike: who may take one, and what becomes of those that were there before. */
#include "fixture.h"
#include "store/schema.h"
#include <sqlite3.h>

static struct store_op *hello(struct fixture *fx, const char *name, const char *token)
{
	char json[300];

	snprintf(json, sizeof(json), "\"op\":\"hello\",\"name\":\"%s\"%s%s%s", name,
		 token != NULL ? ",\"token\":\"" : "", token != NULL ? token : "",
		 token != NULL ? "\"" : "");
	return ask(fx, STORE_HELLO, 0, 0, json);
}

static enum proto_error try_hello(struct fixture *fx, const char *name, const char *token)
{
	struct store_op *op = hello(fx, name, token);
	enum proto_error err = op->err;

	store_op_free(op);
	return err;
}

static enum proto_error try_join(struct fixture *fx, int64_t user, const char *room)
{
	char json[200];

	snprintf(json, sizeof(json), "\"op\":\"join\",\"room\":\"%s\"", room);
	struct store_op *op = ask(fx, STORE_JOIN, user, 0, json);
	enum proto_error err = op->err;
	store_op_free(op);
	return err;
}

/* Statements about the file, while no store has it open. */
static int64_t query(struct fixture *fx, const char *sql)
{
	char path[128];
	sqlite3 *h;
	sqlite3_stmt *s;
	int64_t n = 0;

	snprintf(path, sizeof(path), "%s/hubbub.db", fx->dir);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	for (const char *rest = sql; *rest != '\0';) {
		assert_int_equal(sqlite3_prepare_v2(h, rest, -1, &s, &rest), SQLITE_OK);
		if (sqlite3_step(s) == SQLITE_ROW)
			n = sqlite3_column_int64(s, 0);
		assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
	}
	sqlite3_close(h);
	return n;
}

/* Looks count where there are accounts, and for those who have one. */
static void give_accounts(struct fixture *fx)
{
	fixture_close(fx);
	query(fx, "INSERT INTO accounts(user, role, created) SELECT id, 1, 0 FROM users"
		  " WHERE id NOT IN (SELECT user FROM accounts)");
	fixture_open(fx);
}

static void a_name_that_looks_like_anothers_is_taken(void **state)
{
	struct fixture *fx = *state;
	struct store_op *ada = hello(fx, "Modern", NULL), *bob = hello(fx, "Bob", NULL);

	give_accounts(fx);
	assert_int_equal(try_hello(fx, "modem", NULL), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_hello(fx, "Modem", NULL), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_hello(fx, "MОDERN", NULL), PROTO_E_NAME_TAKEN); /* О Cyrillic */
	assert_int_equal(try_hello(fx, "m0dern", bob->token), PROTO_E_NAME_TAKEN);
	/* One's own is in nobody's way, and freed by a rename. */
	assert_int_equal(try_hello(fx, "Modem", ada->token), PROTO_OK);
	assert_int_equal(try_hello(fx, "modern", NULL), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_hello(fx, "Ada", ada->token), PROTO_OK);
	assert_int_equal(try_hello(fx, "modern", NULL), PROTO_OK);
	store_op_free(ada);
	store_op_free(bob);
}

static void the_same_key_may_not_come_to_look_like_another(void **state)
{
	struct fixture *fx = *state;
	struct store_op *small = hello(fx, "paypai", NULL);

	assert_int_equal(try_hello(fx, "paypal", NULL), PROTO_OK);
	give_accounts(fx);
	/* "paypai" and "paypaI" are one name; only the second looks like "paypal". */
	assert_int_equal(try_hello(fx, "paypaI", small->token), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_hello(fx, "Paypai", small->token), PROTO_OK);
	store_op_free(small);
}

static void a_join_neither_enters_nor_makes_what_looks_like_a_room(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "Modern");

	give_accounts(fx);
	assert_int_equal(try_join(fx, ada, "modem"), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_join(fx, ada, "M0DERN"), PROTO_E_NAME_TAKEN);
	assert_int_equal(join(fx, ada, "MODERN"), room);
	fixture_close(fx);
	assert_int_equal(query(fx, "SELECT count(*) FROM rooms"), 1);
	fixture_open(fx);
}

/* As the version left it that did not compare names yet. */
static const char back_to_7[] =
	"DROP TABLE passkeys; DROP INDEX users_by_skeleton; DROP INDEX users_by_skeleton_i;"
	"DROP INDEX rooms_by_skeleton; DROP INDEX rooms_by_skeleton_i;"
	"DROP INDEX room_aliases_by_skeleton; ALTER TABLE users DROP COLUMN skeleton;"
	"ALTER TABLE users DROP COLUMN skeleton_i; ALTER TABLE rooms DROP COLUMN skeleton;"
	"ALTER TABLE rooms DROP COLUMN skeleton_i; ALTER TABLE room_aliases DROP COLUMN skeleton;"
	"PRAGMA user_version = 7;";

static void old_names_that_look_alike_keep_working_and_nobody_joins_them(void **state)
{
	struct fixture *fx = *state;
	struct store_op *one = hello(fx, "modern", NULL), *other = hello(fx, "x", NULL);
	int64_t room = join(fx, one->user, "general"), twin = join(fx, one->user, "x");

	give_accounts(fx);
	fixture_close(fx);
	query(fx, back_to_7);
	query(fx, "UPDATE users SET name = 'modem', name_key = 'modem' WHERE name = 'x';"
		  "UPDATE rooms SET name = 'genera1', title = 'genera1' WHERE name = 'x';"
		  "INSERT INTO room_aliases(name, room) VALUES('lounge', 1)");
	fixture_open(fx);

	/* Each is who they were, under the name that they had, spelt as they like. */
	assert_int_equal(try_hello(fx, "modern", one->token), PROTO_OK);
	assert_int_equal(try_hello(fx, "modem", other->token), PROTO_OK);
	assert_int_equal(try_hello(fx, "Modem", other->token), PROTO_OK);
	assert_int_equal(join(fx, one->user, "general"), room);
	assert_int_equal(join(fx, one->user, "genera1"), twin);
	/* But not under the other's, and nobody else under any. */
	assert_int_equal(try_hello(fx, "modern", other->token), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_hello(fx, "rnodem", NULL), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_join(fx, one->user, "generaו"), PROTO_E_NAME_TAKEN); /* a vav */
	assert_int_equal(try_join(fx, one->user, "1ounge"), PROTO_E_NAME_TAKEN);
	/* Who gives such a name up does not get it back. */
	assert_int_equal(try_hello(fx, "Eve", other->token), PROTO_OK);
	assert_int_equal(try_hello(fx, "modem", other->token), PROTO_E_NAME_TAKEN);
	assert_int_equal(try_hello(fx, "modern", one->token), PROTO_OK);

	fixture_close(fx);
	assert_int_equal(query(fx, "PRAGMA user_version"), schema_version());
	fixture_open(fx);
	store_op_free(one);
	store_op_free(other);
}

static void nothing_is_kept_of_how_a_lost_name_looked(void **state)
{
	struct fixture *fx = *state;
	struct store_op *ada = hello(fx, "Ada", NULL);

	fixture_close(fx);
	query(fx, "UPDATE users SET last_seen = last_seen - 31 * 86400000");
	fixture_open(fx);
	assert_int_equal(try_hello(fx, "Ada", NULL), PROTO_OK); /* takes it over */
	fixture_close(fx);
	assert_int_equal(query(fx,
			       "SELECT count(*) FROM users WHERE (name_key IS NULL) <>"
			       " (skeleton IS NULL) OR (name_key IS NULL) <> (skeleton_i IS NULL)"),
			 0);
	assert_int_equal(query(fx, "SELECT count(*) FROM users WHERE name_key IS NULL"), 1);
	fixture_open(fx);
	store_op_free(ada);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_name_that_looks_like_anothers_is_taken),
		CLAIM(the_same_key_may_not_come_to_look_like_another),
		CLAIM(a_join_neither_enters_nor_makes_what_looks_like_a_room),
		CLAIM(old_names_that_look_alike_keep_working_and_nobody_joins_them),
		CLAIM(nothing_is_kept_of_how_a_lost_name_looked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
