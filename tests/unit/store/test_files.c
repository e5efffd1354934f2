/* The files: what stays in them, what leaves them, and which ones are refused. */
#include "fixture.h"
#include "store/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

static char *path_in(struct fixture *fx, const char *name)
{
	struct buf b = {0};

	buf_printf(&b, "%s/%s", fx->dir, name);
	return buf_take(&b, NULL);
}

static void read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	for (;;) {
		buf_reserve(out, 65536);
		size_t n = fread(out->p + out->len, 1, 65536, f);
		if (n == 0)
			break;
		out->len += n;
	}
	fclose(f);
}

/* In how many files of the directory the bytes are. */
static unsigned count_files_with(struct fixture *fx, const char *word)
{
	DIR *d = opendir(fx->dir);
	unsigned n = 0;

	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		struct buf b = {0};

		if (e->d_name[0] == '.')
			continue;
		char *path = path_in(fx, e->d_name);
		read_file(path, &b);
		n += b.len != 0 && memmem(b.p, b.len, word, strlen(word)) != NULL;
		buf_deinit(&b);
		free(path);
	}
	closedir(d);
	return n;
}

/* A text of about @len bytes with the word somewhere in it. */
static char *text_with(const char *word, size_t len)
{
	struct buf b = {0};

	while (b.len < len / 2)
		buf_append_char(&b, 'x');
	buf_append_str(&b, word);
	while (b.len < len)
		buf_append_char(&b, 'y');
	return buf_take(&b, NULL);
}

static void a_deleted_text_is_in_no_file_after_a_clean_stop(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	char key[32], json[128], word[32];
	unsigned random = 3;
	uint64_t seq = 0;
	enum {
		N = 300
	};
	static uint64_t seqs[N];
	static bool is_gone[N];

	/* Short and long ones, some past a page; edits in between; some leave at once, others after
	 * a restart, most of one page's neighbours too, so that pages could merge. */
	for (unsigned i = 0; i < N; i++) {
		random = random * 1664525u + 1013904223u;
		size_t len = (random >> 16) % 10 == 0 ? 7000 : (random >> 16) % 300;
		snprintf(word, sizeof(word), "secret-%04u-word", i);
		char *text = text_with(word, len);
		snprintf(key, sizeof(key), "m%u", i);
		seqs[i] = ++seq;
		assert_int_equal(send_text(fx, ada, room, key, text), seq);
		free(text);
		if (i % 3 == 0) {
			snprintf(json, sizeof(json),
				 "\"op\":\"edit\",\"room\":\"r\",\"key\":\"e%u\",\"target\":%llu,"
				 "\"text\":\"edited-%04u-word\"",
				 i, (unsigned long long)seqs[i], i);
			assert_int_equal(write_json(fx, ada, room, json, NULL), ++seq);
		}
	}
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < N; i++) {
			random = random * 1664525u + 1013904223u;
			if (is_gone[i] || (i % 100 > 60 ? i % 3 == 0 : (random >> 16) % 3 != 0))
				continue;
			snprintf(json, sizeof(json),
				 "\"op\":\"delete\",\"room\":\"r\",\"key\":\"d%u\",\"target\":%llu",
				 i, (unsigned long long)seqs[i]);
			assert_int_equal(write_json(fx, ada, room, json, NULL), ++seq);
			is_gone[i] = true;
		}
		fixture_close(fx);
		for (unsigned i = 0; i < N; i++) {
			snprintf(word, sizeof(word), "secret-%04u-word", i);
			assert_int_equal(count_files_with(fx, word), is_gone[i] ? 0 : 1);
			snprintf(word, sizeof(word), "edited-%04u-word", i);
			assert_int_equal(count_files_with(fx, word),
					 is_gone[i] || i % 3 != 0 ? 0 : 1);
		}
		fixture_open(fx);
	}
}

static void a_token_is_in_no_file(void **state)
{
	struct fixture *fx = *state;
	struct store_op *op = ask(fx, STORE_HELLO, 0, 0, "\"op\":\"hello\",\"name\":\"Ada\"");

	assert_int_equal(count_files_with(fx, op->token), 0);
	store_op_free(op);
}

static void everything_is_there_after_a_restart(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	char key[32], *epoch = mem_strdup(store_epoch(fx->st));

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%d", i);
		send_text(fx, ada, room, key, key);
	}
	struct store_read *before = read_log(fx, ada, room, HISTORY_AFTER, 0, 200, false);
	fixture_reopen(fx);
	struct store_read *after = read_log(fx, ada, room, HISTORY_AFTER, 0, 200, false);
	assert_int_equal(before->n_events, 100);
	assert_int_equal(after->events.len, before->events.len);
	assert_memory_equal(after->events.p, before->events.p, before->events.len);
	assert_string_equal(store_epoch(fx->st), epoch);
	assert_int_equal(send_text(fx, ada, room, "next", "x"), 101);
	free(epoch);
	store_read_free(before);
	store_read_free(after);
}

static void only_the_owner_may_read_the_files(void **state)
{
	struct fixture *fx = *state;
	static const char *const names[] = {"hubbub.db", "hubbub.db-wal", "lock"};
	struct stat sb;

	make_user(fx, "Ada");
	for (size_t i = 0; i < 3; i++) {
		char *path = path_in(fx, names[i]);
		assert_int_equal(stat(path, &sb), 0);
		assert_int_equal(sb.st_mode & 0777, 0600);
		free(path);
	}
}

static void a_missing_directory_is_made(void **state)
{
	struct fixture *fx = *state;
	struct store_options opts = fixture_options(fx);
	char *outer = path_in(fx, "a"), *dir = path_in(fx, "a/b");
	struct stat sb;

	opts.dir = dir;
	assert_int_equal(store_open(&fx->st, &opts), 0);
	assert_int_equal(stat(dir, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0700);
	fixture_close(fx);
	/* For the teardown, which knows of files alone. */
	char *db = path_in(fx, "a/b/hubbub.db"), *lock = path_in(fx, "a/b/lock");
	assert_int_equal(unlink(db), 0);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(outer), 0);
	free(db);
	free(lock);
	free(outer);
	free(dir);
}

static int try_open(struct fixture *fx)
{
	struct store_options opts = fixture_options(fx);
	struct store *st = NULL;
	int err = store_open(&st, &opts);

	if (err == 0) {
		store_stop(st);
		store_close(st);
	}
	return err;
}

static void a_second_server_is_refused(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(try_open(fx), -EBUSY);
	fixture_close(fx);
	assert_int_equal(try_open(fx), 0);
}

static int64_t query_int(struct fixture *fx, const char *sql)
{
	char *path = path_in(fx, "hubbub.db");
	sqlite3 *h;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(h);
	free(path);
	return n;
}

static void run_sql(struct fixture *fx, const char *sql, sqlite3 **keep)
{
	char *path = path_in(fx, "hubbub.db");
	sqlite3 *h;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	if (keep != NULL)
		*keep = h;
	else
		sqlite3_close(h);
	free(path);
}

static void a_database_locked_by_another_is_refused(void **state)
{
	struct fixture *fx = *state;
	sqlite3 *other;

	fixture_close(fx);
	run_sql(fx, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", &other);
	assert_int_equal(try_open(fx), -EBUSY);
	sqlite3_close(other);
	assert_int_equal(try_open(fx), 0);
}

static void a_newer_database_is_refused_untouched(void **state)
{
	struct fixture *fx = *state;

	fixture_close(fx);
	int64_t version = query_int(fx, "PRAGMA user_version");
	char back[64];
	run_sql(fx, "PRAGMA user_version=1000", NULL);
	assert_int_equal(try_open(fx), -ENOTSUP);
	snprintf(back, sizeof(back), "PRAGMA user_version=%d", (int)version);
	run_sql(fx, back, NULL);
	assert_int_equal(try_open(fx), 0);
}

static uint64_t unread(struct fixture *fx, int64_t user)
{
	struct store_read *r = store_read_new(STORE_READ_BELONG, (struct store_origin){.conn = 1});

	r->user = user;
	r = read_for(fx, r);
	assert_int_equal(r->n_belong, 1);
	uint64_t n = r->belong[0].unread;
	store_read_free(r);
	return n;
}

static void a_database_of_version_1_is_migrated_and_counts_on(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), bob = make_user(fx, "Bob");
	int64_t room = join(fx, ada, "r");
	char json[100];

	join(fx, bob, "r");
	send_text(fx, ada, room, "a", "one");
	for (int i = 0; i < 3; i++) {
		snprintf(json, sizeof(json),
			 "\"op\":\"react\",\"room\":\"r\",\"key\":\"%d\",\"target\":1,"
			 "\"emoji\":\"x\",\"on\":true",
			 i);
		write_json(fx, ada, room, json, NULL);
	}
	fixture_close(fx);
	run_sql(fx,
		"CREATE INDEX events_messages ON events(room, seq, ord) WHERE kind = 1;"
		"UPDATE events SET ord = NULL WHERE kind <> 1;"
		"DROP TABLE accounts; DROP TABLE sessions; DROP TABLE recovery;"
		"DROP TABLE links; DROP TABLE audit; DROP TABLE identities;"
		"DROP TABLE passkeys;"
		"DROP INDEX users_by_skeleton; DROP INDEX rooms_by_skeleton;"
		"DROP INDEX users_by_skeleton_i; DROP INDEX rooms_by_skeleton_i;"
		"DROP INDEX room_aliases_by_skeleton;"
		"ALTER TABLE room_aliases DROP COLUMN skeleton;"
		"ALTER TABLE users DROP COLUMN skeleton_i; ALTER TABLE rooms DROP COLUMN "
		"skeleton_i;"
		"ALTER TABLE users DROP COLUMN skeleton; ALTER TABLE rooms DROP COLUMN skeleton;"
		"DROP TABLE blocks; DROP TABLE reports; DROP TABLE leavers; ALTER TABLE rooms DROP "
		"COLUMN keep_days;"
		"DROP INDEX rooms_by_people; DROP INDEX members_by_room;"
		"ALTER TABLE rooms DROP COLUMN kind; ALTER TABLE rooms DROP COLUMN is_archived;"
		"ALTER TABLE rooms DROP COLUMN people; ALTER TABLE members DROP COLUMN role;"
		"ALTER TABLE members DROP COLUMN muted_until; PRAGMA user_version = 1",
		NULL);

	fixture_reopen(fx);
	send_text(fx, ada, room, "b", "two");
	assert_int_equal(unread(fx, bob), 2);
	/* The marker on a reaction of the old days, and on the last of them. */
	for (int mark = 2; mark <= 4; mark++) {
		snprintf(json, sizeof(json), "\"op\":\"read\",\"room\":\"r\",\"seq\":%d", mark);
		store_op_free(ask(fx, STORE_MARK, bob, room, json));
		assert_int_equal(unread(fx, bob), 1);
	}
	fixture_close(fx);
	assert_int_equal(query_int(fx, "PRAGMA user_version"), schema_version());
	assert_int_equal(query_int(fx, "SELECT count(*) FROM sqlite_schema"
				       " WHERE name = 'events_messages'"),
			 0);
	fixture_reopen(fx);
}

static void another_programs_database_is_refused(void **state)
{
	struct fixture *fx = *state;

	run_sql(fx, "CREATE TABLE t(x)", NULL);
	assert_int_equal(try_open(fx), -EINVAL);
}

static void overwrite(struct fixture *fx, off_t at, size_t len)
{
	char *path = path_in(fx, "hubbub.db");
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(pwrite(fd, &"garbage!"[i % 8], 1, at + (off_t)i), 1);
	close(fd);
	free(path);
}

static void a_damaged_database_is_refused(void **state)
{
	struct fixture *fx = *state;
	char *path = path_in(fx, "hubbub.db");

	make_user(fx, "Ada");
	fixture_close(fx);
	overwrite(fx, 4096, 8192); /* whole pages of it */
	assert_int_equal(try_open(fx), -EUCLEAN);
	overwrite(fx, 0, 4096); /* the header: no database at all */
	assert_int_equal(try_open(fx), -EUCLEAN);
	free(path);
}

static void a_truncated_database_is_refused(void **state)
{
	struct fixture *fx = *state;
	char *path = path_in(fx, "hubbub.db");

	fixture_close(fx);
	assert_int_equal(truncate(path, 3 * 4096), 0);
	assert_int_equal(try_open(fx), -EUCLEAN);
	free(path);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define CASE_CLOSED(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup_closed, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_deleted_text_is_in_no_file_after_a_clean_stop),
		CASE(a_token_is_in_no_file),
		CASE(everything_is_there_after_a_restart),
		CASE(only_the_owner_may_read_the_files),
		CASE_CLOSED(a_missing_directory_is_made),
		CASE(a_second_server_is_refused),
		CASE(a_database_locked_by_another_is_refused),
		CASE(a_newer_database_is_refused_untouched),
		CASE(a_database_of_version_1_is_migrated_and_counts_on),
		CASE_CLOSED(another_programs_database_is_refused),
		CASE(a_damaged_database_is_refused),
		CASE(a_truncated_database_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
