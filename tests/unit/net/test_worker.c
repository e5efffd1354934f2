/* Workers and their inboxes, with real threads that post while the worker delivers and stops. */
#include "hubbub/worker.h"

#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define N_POSTERS 4
#define N_POSTS 5000

/* What the worker's side of a test saw.  The worker's thread writes it until worker_join(). */
struct seen {
	unsigned next[N_POSTERS]; /* the number that each poster's next message must have */
	unsigned delivered;
	bool in_order;
	bool starts_before_all;
	unsigned n_sockets, n_ticks, n_stops;
	uint64_t last_tick_ms;

	struct mutex lock;
	struct cond changed;
	/* Guarded by lock: */
	unsigned n_events;
};

static void tell(struct seen *seen)
{
	mutex_lock(&seen->lock);
	seen->n_events++;
	cond_signal(&seen->changed);
	mutex_unlock(&seen->lock);
}

static void wait_for(struct seen *seen, unsigned n)
{
	mutex_lock(&seen->lock);
	while (seen->n_events < n)
		cond_wait(&seen->changed, &seen->lock);
	mutex_unlock(&seen->lock);
}

static void on_start(struct worker *w)
{
	struct seen *seen = w->ctx;

	seen->starts_before_all = seen->delivered == 0;
	w->user = seen;
}

static void on_socket(struct worker *w, int fd, unsigned door, void *pass)
{
	(void)door;
	(void)pass;
	struct seen *seen = w->ctx;

	seen->n_sockets++;
	close(fd);
	tell(seen);
}

static void on_tick(struct worker *w, uint64_t now_ms)
{
	struct seen *seen = w->ctx;

	seen->last_tick_ms = now_ms;
	if (++seen->n_ticks <= 2)
		tell(seen);
}

static void on_stop(struct worker *w)
{
	struct seen *seen = w->ctx;

	seen->n_stops++;
	worker_stopped(w);
	worker_stopped(w);
}

static const struct worker_hooks hooks = {
	.on_start = on_start,
	.on_socket = on_socket,
	.on_stop = on_stop,
};

static void start(struct worker *w, struct seen *seen, const struct worker_hooks *with)
{
	*seen = (struct seen){.in_order = true};
	mutex_init(&seen->lock);
	cond_init(&seen->changed);
	assert_int_equal(worker_start(w, 3, with, seen, 0, true), 0);
	assert_int_equal(w->index, 3);
}

static void join(struct worker *w, struct seen *seen)
{
	worker_join(w);
	cond_deinit(&seen->changed);
	mutex_deinit(&seen->lock);
}

struct numbered {
	struct inbox_msg msg;
	unsigned poster, number;
};

static void deliver_numbered(struct inbox_msg *msg, struct worker *w)
{
	struct numbered *m = (struct numbered *)msg;
	struct seen *seen = w->ctx;

	if (seen->next[m->poster] != m->number)
		seen->in_order = false;
	seen->next[m->poster] = m->number + 1;
	if (++seen->delivered == N_POSTERS * N_POSTS)
		tell(seen);
	free(m);
}

struct poster {
	pthread_t thread;
	struct worker *worker;
	unsigned index;
	unsigned accepted;
	bool accepted_after_refusal;
};

static void *post_all(void *arg)
{
	struct poster *p = arg;
	bool refused = false;

	for (unsigned i = 0; i < N_POSTS; i++) {
		struct numbered *m = mem_alloc(sizeof(*m));

		*m = (struct numbered){{.deliver = deliver_numbered}, p->index, i};
		if (inbox_post(&p->worker->inbox, &m->msg)) {
			p->accepted++;
			p->accepted_after_refusal = refused;
		} else {
			refused = true;
			free(m);
		}
	}
	return NULL;
}

static void start_posters(struct poster *posters, struct worker *w)
{
	for (unsigned i = 0; i < N_POSTERS; i++) {
		posters[i] = (struct poster){.worker = w, .index = i};
		assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]),
				 0);
	}
}

static unsigned join_posters(struct poster *posters)
{
	unsigned accepted = 0;

	for (unsigned i = 0; i < N_POSTERS; i++) {
		pthread_join(posters[i].thread, NULL);
		assert_false(posters[i].accepted_after_refusal);
		accepted += posters[i].accepted;
	}
	return accepted;
}

static void each_posters_messages_arrive_once_and_in_order(void **state)
{
	struct worker w;
	struct seen seen;
	struct poster posters[N_POSTERS];
	(void)state;

	start(&w, &seen, &hooks);
	start_posters(posters, &w);
	assert_int_equal(join_posters(posters), N_POSTERS * N_POSTS);
	wait_for(&seen, 1);
	worker_stop(&w);
	join(&w, &seen);
	assert_true(seen.in_order);
	assert_true(seen.starts_before_all);
	assert_int_equal(seen.delivered, N_POSTERS * N_POSTS);
	assert_int_equal(seen.n_stops, 1);
}

static void what_a_stopping_worker_accepted_it_delivers(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct worker w;
		struct seen seen;
		struct poster posters[N_POSTERS];
		unsigned accepted;

		start(&w, &seen, &hooks);
		start_posters(posters, &w);
		worker_stop(&w);
		accepted = join_posters(posters);
		worker_join(&w);
		assert_true(seen.in_order);
		assert_int_equal(seen.delivered, accepted);
		cond_deinit(&seen.changed);
		mutex_deinit(&seen.lock);
	}
}

static void waiting_messages_are_counted_until_they_are_delivered(void **state)
{
	struct worker w = {0};
	struct inbox ib;
	uv_loop_t loop;
	struct seen seen = {.in_order = true};
	(void)state;

	w.ctx = &seen;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(inbox_init(&ib, &loop, &w), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct numbered *m = mem_alloc(sizeof(*m));

		*m = (struct numbered){{.deliver = deliver_numbered}, 0, i};
		assert_true(inbox_post(&ib, &m->msg));
	}
	assert_int_equal(inbox_len(&ib), 3);
	assert_int_equal(seen.delivered, 0);
	uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(inbox_len(&ib), 0);
	assert_int_equal(seen.delivered, 3);
	assert_true(seen.in_order);
	uv_close((uv_handle_t *)&ib.wakeup, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	mutex_deinit(&ib.lock);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void give(struct worker *w, int fd)
{
	struct inbox_list list = {0};

	worker_list_socket(&list, fd, 0, NULL, 0, NULL);
	worker_give_sockets(w, &list);
}

static void sockets_go_to_the_hook_until_the_worker_stops(void **state)
{
	struct worker w;
	struct seen seen;
	int fds[2];
	(void)state;

	start(&w, &seen, &hooks);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	give(&w, fds[0]);
	wait_for(&seen, 1);
	/* Behind the stop in the inbox: the worker itself closes it. */
	worker_stop(&w);
	give(&w, fds[1]);
	worker_join(&w);
	assert_int_equal(seen.n_sockets, 1);
	assert_false(is_open(fds[1]));
	cond_deinit(&seen.changed);
	mutex_deinit(&seen.lock);
}

static void a_tick_comes_every_tenth_of_a_second(void **state)
{
	static const struct worker_hooks ticking = {
		.on_socket = on_socket, .on_tick = on_tick, .on_stop = on_stop};
	uint64_t begin = clock_mono_ms();
	struct worker w;
	struct seen seen;
	(void)state;

	start(&w, &seen, &ticking);
	wait_for(&seen, 2);
	assert_true(clock_mono_ms() - begin >= 2 * WORKER_TICK_MS - 2);
	worker_stop(&w);
	join(&w, &seen);
	assert_true(seen.last_tick_ms >= begin && seen.last_tick_ms <= clock_mono_ms());
}

static void deliver_echo(struct inbox_msg *msg, struct worker *w)
{
	struct seen *seen = w->ctx;

	/* A message that is delivered may post: also while the inbox is emptied at the end. */
	if (++seen->delivered < 5) {
		bool posted = inbox_post(&w->inbox, msg);

		if (posted)
			return;
		seen->in_order = false;
	}
	free(msg);
}

static void messages_posted_by_the_last_messages_are_delivered(void **state)
{
	struct worker w;
	struct seen seen;
	struct inbox_msg *msg = mem_alloc(sizeof(*msg));
	(void)state;

	start(&w, &seen, &hooks);
	*msg = (struct inbox_msg){.deliver = deliver_echo};
	worker_stop(&w);
	if (!inbox_post(&w.inbox, msg)) {
		free(msg);
		seen.delivered = 5;
	}
	worker_join(&w);
	assert_int_equal(seen.delivered, 5);
	assert_true(seen.in_order);
	cond_deinit(&seen.changed);
	mutex_deinit(&seen.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_posters_messages_arrive_once_and_in_order),
		cmocka_unit_test(what_a_stopping_worker_accepted_it_delivers),
		cmocka_unit_test(waiting_messages_are_counted_until_they_are_delivered),
		cmocka_unit_test(sockets_go_to_the_hook_until_the_worker_stops),
		cmocka_unit_test(a_tick_comes_every_tenth_of_a_second),
		cmocka_unit_test(messages_posted_by_the_last_messages_are_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
