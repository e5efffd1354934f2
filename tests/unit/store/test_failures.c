/* A disk that takes no more, and one that fails. */
#include "fixture.h"
#include "store/store_internal.h"
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>

/* SQLite's own way to the disk, but so that the sync of a WAL can be made to fail. */
static sqlite3_vfs *real_vfs;
static sqlite3_vfs failing_vfs;
static const sqlite3_io_methods *real_methods;
static sqlite3_io_methods wal_methods;
static atomic_int syncs_to_fail;

static int sync_wal(sqlite3_file *f, int flags)
{
	if (atomic_load(&syncs_to_fail) > 0) {
		atomic_fetch_sub(&syncs_to_fail, 1);
		return SQLITE_IOERR_FSYNC;
	}
	return real_methods->xSync(f, flags);
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	int rc = real_vfs->xOpen(real_vfs, name, f, flags, out_flags);

	(void)vfs;
	if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
		/* First by the main thread, before there are others. */
		if (real_methods == NULL) {
			real_methods = f->pMethods;
			wal_methods = *real_methods;
			wal_methods.xSync = sync_wal;
		}
		f->pMethods = &wal_methods;
	}
	return rc;
}

static void register_vfs(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	failing_vfs = *real_vfs;
	failing_vfs.pNext = NULL;
	failing_vfs.zName = "failing";
	failing_vfs.xOpen = open_file;
	sqlite3_vfs_register(&failing_vfs, 1);
}

/* No file may grow past @bytes: as on a full disk, the WAL cannot take the next commit. */
static void limit_files(rlim_t bytes)
{
	struct rlimit rl;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

static struct store_op *send_key(struct fixture *fx, int64_t user, int64_t room, unsigned key)
{
	char json[400];

	snprintf(json, sizeof(json),
		 "\"op\":\"send\",\"room\":\"r\",\"key\":\"%u\",\"text\":\"%0300u\"", key, key);
	return ask(fx, STORE_WRITE, user, room, json);
}

static void a_full_disk_is_unavailable_until_space_returns(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	unsigned key = 0, n_refused = 0;
	uint64_t last = 0;

	limit_files(1024 * 1024);
	while (n_refused < 5) {
		struct store_op *op = send_key(fx, ada, room, key);

		if (op->err == PROTO_OK) {
			assert_int_equal(n_refused, 0);
			last = op->seq;
			key++;
		} else {
			assert_int_equal(op->err, PROTO_E_UNAVAILABLE);
			assert_true(op->retry_ms > 0);
			assert_int_equal(op->event.kind, 0);
			assert_int_equal(op->seq, 0);
			n_refused++;
		}
		store_op_free(op);
	}
	assert_true(last > 10);
	assert_false(store_is_healthy(fx->st));
	/* Whatever writes is refused, however little; whatever reads goes on. */
	limit_files(4096);
	struct store_op *op = ask(fx, STORE_HELLO, 0, 0, "\"op\":\"hello\",\"name\":\"Bob\"");
	assert_int_equal(op->err, PROTO_E_UNAVAILABLE);
	assert_null(op->token);
	store_op_free(op);
	struct store_read *r = read_log(fx, ada, room, HISTORY_NEWEST, 0, 5, false);
	assert_int_equal(r->err, PROTO_OK);
	assert_int_equal(r->last_seq, last);
	store_read_free(r);

	limit_files(RLIM_INFINITY);
	/* The same key again: stored now, once, right behind what was acknowledged. */
	op = send_key(fx, ada, room, key);
	assert_int_equal(op->err, PROTO_OK);
	assert_false(op->dup);
	assert_int_equal(op->seq, last + 1);
	store_op_free(op);
	assert_true(store_is_healthy(fx->st));
	make_user(fx, "Bob");
	assert_null(fx->found);
	assert_false(fx->out_of_order);

	fixture_reopen(fx);
	r = read_log(fx, ada, room, HISTORY_AFTER, last - 5, 200, false);
	assert_int_equal(r->n_events, 6);
	store_read_free(r);
}

static void it_becomes_healthy_again_with_nobody_writing(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	struct store_op *op;
	unsigned key = 0;
	enum proto_error err;

	limit_files(512 * 1024);
	do {
		op = send_key(fx, ada, room, key++);
		err = op->err;
		store_op_free(op);
	} while (err == PROTO_OK);
	limit_files(RLIM_INFINITY);
	/* The writer's own trial is what is awaited here: it comes once a second. */
	struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	for (int i = 0; i < 1000 && !store_is_healthy(fx->st); i++)
		nanosleep(&pause, NULL);
	assert_true(store_is_healthy(fx->st));
}

static void a_commit_whose_sync_fails_is_not_acknowledged(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	unsigned n_refused = 0;

	for (unsigned key = 0; key < 60; key++) {
		struct store_op *op;
		enum proto_error err;

		atomic_store(&syncs_to_fail, key % 4 == 1 ? 1 : 0);
		do {
			op = send_key(fx, ada, room, key);
			err = op->err;
			if (err == PROTO_OK)
				assert_int_equal(op->seq, key + 1);
			else
				assert_int_equal(err, PROTO_E_UNAVAILABLE);
			n_refused += err != PROTO_OK;
			store_op_free(op);
		} while (err != PROTO_OK);
	}
	assert_true(n_refused >= 15);
	/* Whoever listens was told of each once, in order, whichever way it came. */
	assert_false(fx->out_of_order);
	assert_int_equal(fx->last_seq_published, 60);
	fixture_reopen(fx);
	struct store_read *r = read_log(fx, ada, room, HISTORY_AFTER, 0, 200, false);
	assert_int_equal(r->n_events, 60);
	assert_int_equal(r->head, 60);
	store_read_free(r);
}

static void spoil(struct fixture *fx, const char *sql)
{
	char path[96];
	sqlite3 *h;

	snprintf(path, sizeof(path), "%s/hubbub.db", fx->dir);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
}

static enum proto_error read_whole(struct fixture *fx, int64_t user, int64_t room)
{
	struct store_read *r = read_log(fx, user, room, HISTORY_NEWEST, 0, 50, false);
	enum proto_error err = r->err;

	if (err != PROTO_OK)
		assert_int_equal(r->events.len, 0);
	store_read_free(r);
	return err;
}

static void what_no_event_can_hold_is_unavailable_and_goes_to_nobody(void **state)
{
	static const char *const damages[][2] = {
		{"UPDATE events SET body = x'61ff' WHERE seq = 2",
		 "UPDATE events SET body = x'61' WHERE seq = 2"},
		{"UPDATE events SET kind = 99 WHERE seq = 2",
		 "UPDATE events SET kind = 1 WHERE seq = 2"},
		{"UPDATE events SET kind = -1 WHERE seq = 2",
		 "UPDATE events SET kind = 1 WHERE seq = 2"},
		{"UPDATE users SET name = x'ff'", "UPDATE users SET name = 'Ada'"},
		{"UPDATE rooms SET name = x'ff'", "UPDATE rooms SET name = 'r'"},
	};
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");

	for (unsigned key = 0; key < 3; key++)
		store_op_free(send_key(fx, ada, room, key));
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		spoil(fx, damages[i][0]);
		assert_int_equal(read_whole(fx, ada, room), PROTO_E_UNAVAILABLE);
		spoil(fx, damages[i][1]);
		assert_int_equal(read_whole(fx, ada, room), PROTO_OK);
	}
}

/* Three sends of one batch, of which number @damaged needs a damaged row, and @n_syncs syncs fail.
 */
static void send_three(struct fixture *fx, unsigned damaged, int n_syncs, struct store_op *out[3])
{
	int64_t ada = make_user(fx, "Ada"), hurt = join(fx, ada, "hurt"),
		fine = join(fx, ada, "fine");
	struct store_op *ops[3];

	fixture_reopen(fx); /* nothing is in the writer's cache */
	spoil(fx, "UPDATE rooms SET rid = x'ff' WHERE name = 'hurt'");
	/* Nothing is taken before the gate opens. */
	mutex_lock(&fx->lock);
	fx->closed_gate = true;
	mutex_unlock(&fx->lock);
	for (unsigned i = 0; i < 3; i++) {
		char json[80];

		snprintf(json, sizeof(json),
			 "\"op\":\"send\",\"room\":\"r\",\"key\":\"%u\",\"text\":\"x\"", i);
		ops[i] = submit(fx, STORE_WRITE, ada, i == damaged ? hurt : fine, json);
	}
	atomic_store(&syncs_to_fail, n_syncs);
	mutex_lock(&fx->lock);
	fx->closed_gate = false;
	mutex_unlock(&fx->lock);
	for (unsigned i = 0; i < 3; i++)
		out[i] = await(fx, ops[i]);
}

static void what_meets_damage_fails_by_itself(void **state)
{
	struct fixture *fx = *state;
	struct store_op *ops[3];

	send_three(fx, 1, 0, ops);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ops[i]->err, i == 1 ? PROTO_E_UNAVAILABLE : PROTO_OK);
		assert_int_equal(ops[i]->seq, i == 1 ? 0 : i / 2 + 1);
		store_op_free(ops[i]);
	}
	assert_true(store_is_healthy(fx->st));
}

/* With a disk that makes each wait, a thousand tries would take long. */
static void a_disk_that_fails_beside_damage_is_tried_once(void **state)
{
	struct fixture *fx = *state;
	struct store_op *ops[3];

	send_three(fx, 0, 1, ops);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ops[i]->err, PROTO_E_UNAVAILABLE);
		assert_in_range(ops[i]->retry_ms, i == 0 ? WRITER_RETRY_MS + 1 : 1,
				i == 0 ? 60000 : WRITER_RETRY_MS);
		store_op_free(ops[i]);
	}
	assert_null(fx->found);
}

static void the_log_of_writes_starts_over_under_load(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	enum {
		N = 40000,
		AT_ONCE = 500
	};
	static struct store_op *ops[AT_ONCE];
	struct buf json = {0};

	for (unsigned i = 0; i < N + AT_ONCE; i++) {
		if (i >= AT_ONCE) {
			struct store_op *op = await(fx, ops[i % AT_ONCE]);
			assert_int_equal(op->err, PROTO_OK);
			store_op_free(op);
		}
		if (i >= N)
			continue;
		json.len = 0;
		buf_printf(&json,
			   "\"op\":\"send\",\"room\":\"r\",\"key\":\"%u\",\"text\":\"%0900u\"", i,
			   i);
		buf_append_char(&json, '\0');
		ops[i % AT_ONCE] = submit(fx, STORE_WRITE, ada, room, json.p);
	}
	buf_deinit(&json);
	/* 40 MB were written; what waits in the WAL stays within its bound of about 16 MB. */
	struct buf path = {0};
	buf_printf(&path, "%s/hubbub.db-wal", fx->dir);
	FILE *f = fopen(path.p, "rb");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	assert_in_range(ftell(f), 1, 32 << 20);
	fclose(f);
	buf_deinit(&path);
}

static void *stop_store(void *store)
{
	store_stop(store);
	return NULL;
}

static bool reads_are_stopping(struct store *st)
{
	mutex_lock(&st->read_lock);
	bool stopping = st->reads_stopping;
	mutex_unlock(&st->read_lock);
	return stopping;
}

static void reads_that_wait_when_the_store_stops_are_refused(void **state)
{
	enum {
		N = 200,
		N_IN_HAND = 2 * 32 /* what two readers have taken at most */
	};
	struct fixture *fx = *state;
	unsigned n_answered = 0, n_refused = 0;
	pthread_t stopper;

	/* With the lock held each reader stands in its first answer, so the rest wait. */
	mutex_lock(&fx->lock);
	for (unsigned i = 0; i < N; i++)
		assert_true(store_submit_read(
			fx->st, store_read_new(STORE_READ_BELONG, (struct store_origin){0})));
	store_wake(fx->st);
	assert_int_equal(pthread_create(&stopper, NULL, stop_store, fx->st), 0);
	while (!reads_are_stopping(fx->st))
		sched_yield();
	mutex_unlock(&fx->lock);
	pthread_join(stopper, NULL);

	for (struct store_read *r = fx->reads; r != NULL; r = r->next) {
		n_answered++;
		n_refused += r->err == PROTO_E_UNAVAILABLE;
	}
	assert_int_equal(n_answered, N);
	assert_in_range(n_refused, N - N_IN_HAND, N - 2);
	while (fx->reads != NULL) {
		struct store_read *r = fx->reads;

		fx->reads = r->next;
		store_read_free(r);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_full_disk_is_unavailable_until_space_returns),
		CASE(it_becomes_healthy_again_with_nobody_writing),
		CASE(a_commit_whose_sync_fails_is_not_acknowledged),
		CASE(what_no_event_can_hold_is_unavailable_and_goes_to_nobody),
		CASE(what_meets_damage_fails_by_itself),
		CASE(a_disk_that_fails_beside_damage_is_tried_once),
		CASE(the_log_of_writes_starts_over_under_load),
		CASE(reads_that_wait_when_the_store_stops_are_refused),
	};

	signal(SIGXFSZ, SIG_IGN);
	register_vfs();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
