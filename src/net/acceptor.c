/*
 * The acceptor: the listening sockets on the main thread's loop.  What they let in counts together.
 *
 * It stops asking for connections in two cases.  At its bound it waits until one of its own ends.
 * Without descriptors (EMFILE, ENFILE) it waits a moment and tries again, longer each time, since
 * anything in the machine may free one.  Meanwhile the kernel's backlog holds who comes.
 *
 * The bound leaves RESERVED_FDS of the process's descriptors to storage, besides those of the
 * workers' loops, so that connections can never keep the database from opening a file.
 *
 * Locking: acceptor.lock guards what other threads touch through acceptor_released().  It is held
 * while waking the loop, so that the handle cannot be closed meanwhile; nothing is locked inside.
 */
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "net/internal.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ACCEPTS_PER_TURN 64
#define RESERVED_FDS 64
#define FDS_PER_WORKER 6 /* what a libuv loop opens for itself, the set of sockets, the ring */
#define LULL_MS 1
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 1000

struct acceptor {
	struct doors doors;
	struct worker *workers;
	unsigned n_workers;
	struct inbox_list *accepted; /* in this turn, for each worker */
	unsigned pause_ms;           /* 0: descriptors are not short */
	uint64_t full_said_ms;       /* on the loop's clock; 0: never */
	uv_timer_t timer;
	uv_async_t wakeup;
	struct refusals *refusals;
	struct acceptor_gate gate; /* enter is NULL: all may come in */
	unsigned n_handles;        /* not closed yet */

	struct mutex lock;
	/* Guarded by lock: */
	unsigned max_open; /* changed by the loop's thread alone */
	unsigned n_open;   /* accepted and not yet released */
	unsigned *n_of;    /* of them, each worker's */
	bool full;         /* accepting waits for a release */
	bool closing;
};

static void on_connection(uv_poll_t *poll, int status, int events);

static void start_accepting(struct acceptor *a)
{
	doors_watch(&a->doors, on_connection);
}

static unsigned least_busy_locked(const struct acceptor *a) REQUIRES(a->lock)
{
	unsigned least = 0;

	for (unsigned i = 1; i < a->n_workers; i++) {
		if (a->n_of[i] < a->n_of[least])
			least = i;
	}
	return least;
}

/*
 * Count one more in, for the worker that has the fewest: those that stay long may be uneven.
 * False at the bound, which acceptor_released() then ends.
 */
static bool take_place(struct acceptor *a, unsigned *worker)
{
	bool free_place;

	mutex_lock(&a->lock);
	free_place = a->n_open < a->max_open;
	if (free_place) {
		*worker = least_busy_locked(a);
		a->n_of[*worker]++;
		a->n_open++;
	} else {
		a->full = true;
	}
	mutex_unlock(&a->lock);
	return free_place;
}

static void free_acceptor(struct acceptor *a)
{
	mutex_deinit(&a->lock);
	free(a->n_of);
	free(a->accepted);
	doors_deinit(&a->doors);
	free(a);
}

void acceptor_released(struct acceptor *a, unsigned worker)
{
	bool last;

	mutex_lock(&a->lock);
	assert(worker < a->n_workers && a->n_of[worker] > 0);
	a->n_of[worker]--;
	a->n_open--;
	if (a->full && !a->closing) {
		a->full = false;
		uv_async_send(&a->wakeup);
	}
	last = a->n_open == 0 && a->closing && a->n_handles == 0;
	mutex_unlock(&a->lock);
	if (last)
		free_acceptor(a);
}

void acceptor_dropped(struct acceptor *a, unsigned worker, void *pass)
{
	if (pass != NULL)
		a->gate.drop(a->gate.ctx, pass);
	acceptor_released(a, worker);
}

void acceptor_set_gate(struct acceptor *a, const struct acceptor_gate *gate)
{
	a->gate = *gate;
}

unsigned acceptor_capacity(const struct acceptor *a)
{
	return a->max_open;
}

/* Together: waking a worker for each would cost more than to accept it. */
static void give_accepted(struct acceptor *a)
{
	for (unsigned i = 0; i < a->n_workers; i++)
		worker_give_sockets(&a->workers[i], &a->accepted[i]);
}

static void on_pause_over(uv_timer_t *timer)
{
	start_accepting(timer->data);
}

static void pause_accepting(struct acceptor *a, int err)
{
	if (a->pause_ms == 0)
		log_warn("accepting no connections for now: %s", strerror(err));
	a->pause_ms = a->pause_ms == 0 ? FIRST_PAUSE_MS : a->pause_ms * 2;
	if (a->pause_ms > LONGEST_PAUSE_MS)
		a->pause_ms = LONGEST_PAUSE_MS;
	doors_unwatch(&a->doors);
	uv_timer_start(&a->timer, on_pause_over, a->pause_ms, 0);
}

/* Whether accept4() failed for the one connection alone, as accept(2) lists it for Linux. */
static bool concerns_one_connection(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

/* At the bound every release lets one in and fills up again: said once a minute at most. */
static void say_full(struct acceptor *a)
{
	uint64_t now = uv_now(a->timer.loop);

	if (a->full_said_ms != 0 && now - a->full_said_ms < 60000)
		return;
	a->full_said_ms = now;
	log_warn("%u connections are open: further ones wait", a->max_open);
}

/* @fd was accepted from @peer: its worker is to have it, if it may come in. */
static void admit(struct acceptor *a, unsigned door, int fd, const struct sockaddr *peer,
		  unsigned worker)
{
	struct span answer = {0};
	void *pass = NULL;

	if (a->gate.enter == NULL || a->gate.enter(a->gate.ctx, door, peer, &pass, &answer)) {
		worker_list_socket(&a->accepted[worker], fd, door, a, worker, pass);
		return;
	}
	refusals_add(a->refusals, fd, answer);
	acceptor_released(a, worker);
}

/* How many were accepted; -1: no more are for now, and what ends that is seen to. */
static int accept_waiting(struct acceptor *a, unsigned door)
{
	int n;

	for (n = 0; n < MAX_ACCEPTS_PER_TURN; n++) {
		struct sockaddr_storage peer;
		socklen_t peer_len = sizeof(peer);
		unsigned worker;
		int fd, err;

		if (!take_place(a, &worker)) {
			doors_unwatch(&a->doors);
			say_full(a);
			return -1;
		}
		fd = accept4(a->doors.at[door].fd, (struct sockaddr *)&peer, &peer_len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(a, door, fd, (struct sockaddr *)&peer, worker);
			continue;
		}
		err = errno;
		acceptor_released(a, worker);
		if (err == EAGAIN || err == EWOULDBLOCK) {
			/* Over only now: a single descriptor, gone again at once, ends nothing. */
			if (a->pause_ms != 0)
				log_info("accepting connections again");
			a->pause_ms = 0;
			return n;
		}
		if (!concerns_one_connection(err)) {
			pause_accepting(a, err);
			return -1;
		}
	}
	return n;
}

static void on_lull_over(uv_timer_t *timer);

/*
 * In a storm the loop would be woken for each connection by itself, and a worker by the loop.  So
 * where somebody came, the next are looked for a moment later, all that have come by then.
 */
static void accept_round(struct acceptor *a)
{
	bool came = false, is_more_there = false, may_go_on = true;

	for (unsigned i = 0; i < a->doors.n && may_go_on; i++) {
		int n = accept_waiting(a, i);

		may_go_on = n >= 0;
		came |= n > 0;
		is_more_there |= n == MAX_ACCEPTS_PER_TURN;
	}
	give_accepted(a);
	if (!may_go_on)
		return;
	if (came && !is_more_there) {
		doors_unwatch(&a->doors);
		uv_timer_start(&a->timer, on_lull_over, LULL_MS, 0);
	} else {
		start_accepting(a);
	}
}

static void on_lull_over(uv_timer_t *timer)
{
	accept_round(timer->data);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	accept_round(poll->data);
}

static void on_released(uv_async_t *wakeup)
{
	struct acceptor *a = wakeup->data;

	if (!uv_is_active((uv_handle_t *)&a->timer))
		start_accepting(a);
}

static unsigned bound(unsigned max_connections, unsigned n_workers)
{
	rlim_t kept_back = RESERVED_FDS + REFUSALS_MAX + ACCEPTOR_MAX_DOORS +
			   (rlim_t)n_workers * FDS_PER_WORKER;
	struct rlimit lim;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		lim.rlim_cur = 1024; /* what Linux gives by default */
	most = lim.rlim_cur > 2 * kept_back ? lim.rlim_cur - kept_back : lim.rlim_cur / 2;
	if (most > UINT32_MAX)
		most = UINT32_MAX;
	if (max_connections > most)
		log_warn("%u connections are asked for, but descriptors allow %u", max_connections,
			 (unsigned)most);
	return max_connections == 0 || max_connections > most ? (unsigned)most : max_connections;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct acceptor *a = handle->data;
	bool last;

	mutex_lock(&a->lock);
	a->n_handles--;
	last = a->n_handles == 0 && a->n_open == 0;
	mutex_unlock(&a->lock);
	if (last)
		free_acceptor(a);
}

/* The sockets themselves stay. */
static void close_handles(struct acceptor *a)
{
	mutex_lock(&a->lock);
	assert(!a->closing);
	a->closing = true;
	mutex_unlock(&a->lock);
	doors_close_handles(&a->doors, on_handle_closed);
	uv_close((uv_handle_t *)&a->timer, on_handle_closed);
	uv_close((uv_handle_t *)&a->wakeup, on_handle_closed);
	refusals_close(a->refusals);
}

/* Takes @fd over, also when it fails. */
static int add_door(struct acceptor *a, int fd)
{
	int err = doors_add(&a->doors, a->timer.loop, fd, a);

	if (err == 0)
		a->n_handles++;
	return err;
}

/* Takes @fd over, also when it fails. */
static int make_acceptor(struct acceptor **out, uv_loop_t *loop, int fd, struct worker *workers,
			 unsigned n_workers, unsigned max_connections)
{
	struct acceptor *a = mem_zalloc(sizeof(*a));
	int err = uv_async_init(loop, &a->wakeup, on_released);

	assert(n_workers > 0);
	if (err != 0) {
		free(a);
		close(fd);
		return err;
	}
	a->workers = workers;
	a->n_workers = n_workers;
	a->accepted = mem_zalloc(n_workers * sizeof(a->accepted[0]));
	a->n_of = mem_zalloc(n_workers * sizeof(a->n_of[0]));
	a->max_open = bound(max_connections, n_workers);
	uv_timer_init(loop, &a->timer);
	a->refusals = refusals_new(loop);
	a->timer.data = a;
	a->wakeup.data = a;
	a->n_handles = 2;
	mutex_init(&a->lock);
	err = add_door(a, fd);
	if (err != 0) {
		close_handles(a);
		return err;
	}
	start_accepting(a);
	*out = a;
	return 0;
}

static int add_and_start(struct acceptor *a, int fd)
{
	int err = add_door(a, fd);

	if (err == 0)
		start_accepting(a);
	return err;
}

int acceptor_open(struct acceptor **out, uv_loop_t *loop, const char *host, uint16_t port,
		  struct worker *workers, unsigned n_workers, unsigned max_connections)
{
	int fd = listen_open(host, port);

	return fd < 0 ? fd : make_acceptor(out, loop, fd, workers, n_workers, max_connections);
}

int acceptor_adopt(struct acceptor **out, uv_loop_t *loop, int fd, struct worker *workers,
		   unsigned n_workers, unsigned max_connections)
{
	int err = listen_adopt(fd);

	if (err != 0) {
		close(fd);
		return err;
	}
	return make_acceptor(out, loop, fd, workers, n_workers, max_connections);
}

int acceptor_add(struct acceptor *a, const char *host, uint16_t port)
{
	int fd = listen_open(host, port);

	return fd < 0 ? fd : add_and_start(a, fd);
}

int acceptor_add_adopted(struct acceptor *a, int fd)
{
	int err = listen_adopt(fd);

	if (err != 0) {
		close(fd);
		return err;
	}
	return add_and_start(a, fd);
}

void acceptor_set_max(struct acceptor *a, unsigned max_connections)
{
	unsigned max = bound(max_connections, a->n_workers);
	bool is_free_again;

	mutex_lock(&a->lock);
	a->max_open = max;
	is_free_again = a->full && a->n_open < max;
	if (is_free_again)
		a->full = false;
	mutex_unlock(&a->lock);
	if (is_free_again)
		on_released(&a->wakeup);
}

const char *acceptor_address(const struct acceptor *a, unsigned door)
{
	return a->doors.at[door].address;
}

unsigned acceptor_release_sockets(struct acceptor *a, int fds[ACCEPTOR_MAX_DOORS])
{
	unsigned n = a->doors.n;

	for (unsigned i = 0; i < n; i++)
		fds[i] = a->doors.at[i].fd;
	close_handles(a);
	return n;
}

void acceptor_close(struct acceptor *a)
{
	int fds[ACCEPTOR_MAX_DOORS];
	unsigned n = acceptor_release_sockets(a, fds);

	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}
