/*
 * A server killed while it writes: what was acknowledged is there, once, in order.
 *
 * The writing store is a child process; it tells each acknowledgement through a pipe, and is killed
 * in the middle of its work.
 */
#include "fixture.h"
#include <signal.h>
#include <sys/wait.h>

enum {
	N_ROUNDS = 8,
	AT_ONCE = 40
};

struct ack {
	uint32_t key;
	uint32_t seq;
};

static char *message(unsigned key)
{
	struct buf b = {0};

	buf_printf(&b, "\"op\":\"send\",\"room\":\"r\",\"key\":\"%u\",\"text\":\"text %u\"", key,
		   key);
	return buf_take(&b, NULL);
}

static struct store_op *submit_key(struct fixture *fx, int64_t user, int64_t room, unsigned key)
{
	char *json = message(key);
	struct store_op *op = submit(fx, STORE_WRITE, user, room, json);

	free(json);
	return op;
}

/* The child: writes on and on from key @first until it is killed. */
static void write_until_killed(struct fixture *fx, int64_t user, int64_t room, unsigned first,
			       int out)
{
	struct store_op *ops[AT_ONCE];

	fixture_open(fx);
	for (unsigned key = first;; key++) {
		unsigned slot = key % AT_ONCE;

		if (key >= first + AT_ONCE) {
			struct store_op *op = await(fx, ops[slot]);
			struct ack ack = {.key = key - AT_ONCE, .seq = (uint32_t)op->seq};

			if (op->err != PROTO_OK || write(out, &ack, sizeof(ack)) != sizeof(ack))
				_exit(1);
			store_op_free(op);
		}
		ops[slot] = submit_key(fx, user, room, key);
	}
}

/* Kill the child after @n acknowledgements; those that were still on their way count as well. */
static struct ack *collect(pid_t child, int in, unsigned n, unsigned *n_acks)
{
	struct ack *acks = NULL;
	struct ack ack;
	unsigned cap = 0;

	*n_acks = 0;
	while (read(in, &ack, sizeof(ack)) == sizeof(ack)) {
		if (*n_acks == cap) {
			cap = cap != 0 ? 2 * cap : 256;
			acks = mem_realloc(acks, cap * sizeof(*acks));
		}
		acks[(*n_acks)++] = ack;
		if (*n_acks == n)
			assert_int_equal(kill(child, SIGKILL), 0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return acks;
}

static bool log_has(const struct store_read *r, uint64_t seq, unsigned key)
{
	char want[64];

	snprintf(want, sizeof(want), "\"seq\":%llu,", (unsigned long long)seq);
	const char *at = memmem(r->events.p, r->events.len, want, strlen(want));
	if (at == NULL)
		return false;
	snprintf(want, sizeof(want), "\"text\":\"text %u\"}", key);
	const char *end = strchr(at, '}');
	end = end != NULL ? strchr(end + 1, '}') : NULL; /* the first ends `from` */
	return end != NULL && memcmp(end + 1 - strlen(want), want, strlen(want)) == 0;
}

static void every_acknowledged_write_survives_a_kill(void **state)
{
	struct fixture *fx = *state;
	unsigned next_key = 0;

	fixture_open(fx);
	int64_t ada = make_user(fx, "Ada"), room = join(fx, ada, "r");
	for (unsigned round = 0; round < N_ROUNDS; round++) {
		int fds[2];
		unsigned n_acks;

		fixture_close(fx);
		assert_int_equal(pipe(fds), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(fds[0]);
			write_until_killed(fx, ada, room, next_key, fds[1]);
		}
		close(fds[1]);
		struct ack *acks = collect(child, fds[0], 100 + 77 * round, &n_acks);
		close(fds[0]);
		fixture_open(fx);
		for (unsigned i = 0; i < n_acks; i++) {
			struct store_read *r =
				read_log(fx, ada, room, HISTORY_AFTER, acks[i].seq - 1, 1, false);
			assert_true(log_has(r, acks[i].seq, acks[i].key));
			store_read_free(r);
		}
		/* Tried again, each is what it was; what was on its way is stored now or was
		 * already, but once. */
		next_key = acks[n_acks - 1].key + 1;
		for (unsigned key = acks[0].key; key < next_key + AT_ONCE; key++) {
			struct store_op *op = await(fx, submit_key(fx, ada, room, key));

			assert_int_equal(op->err, PROTO_OK);
			assert_true(op->dup || key >= next_key);
			assert_int_equal(op->seq, key + 1); /* no hole, no repeat */
			store_op_free(op);
		}
		next_key += AT_ONCE;
		free(acks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_acknowledged_write_survives_a_kill,
						fixture_setup_closed, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
