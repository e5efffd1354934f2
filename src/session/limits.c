/*
 * What the limits do to connections: who is let in, whose request waits, who is told to.
 *
 * A connection has two accounts: that of its address from the accept on (behind a proxy from the
 * handshake on), and that of its user from hello on.  Past a rate a request is refused, which is
 * cheap but not free.  So refusals are counted themselves: who has had too many of them is told so
 * once, and nothing of theirs is read or begun until they may have one more.
 */
#include "session/conn.h"

#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include <stdlib.h>
#include <sys/socket.h>

#define FULL_RETRY_S 10

static void say_refusal(struct limit_account *a, const struct addr *addr, const char *what)
{
	char text[ADDR_TEXT_SIZE];

	if (limit_is_news(a))
		log_warn("%s: too many %s: refusing more", addr_format(addr, text), what);
}

static bool enter(void *ctx, unsigned door, const struct sockaddr *peer, void **pass,
		  struct span *answer)
{
	static const struct span full = SPAN("Too many connections are open from your address.\n");
	static const struct span fast = SPAN("Too many connections from your address.\n");
	struct session_env *env = ctx;
	uint64_t now_ms = clock_mono_ms();
	struct limit_account *a;
	struct addr addr;
	unsigned wait_ms = 0;

	if (!limits_are_on(env->limits) || !addr_from_socket(&addr, peer) ||
	    addr_is_in(&addr, env->cfg->trusted_proxies, env->cfg->n_trusted_proxies))
		return true;
	bool is_full = limits_enter_addr(env->limits, &addr, &a) == LIMIT_FULL;

	if (is_full)
		a = limits_borrow_addr(env->limits, &addr);
	else
		wait_ms = limit_take(a, LIMIT_CONNECT, now_ms);
	if (!is_full && wait_ms == 0) {
		*pass = a;
		return true;
	}
	atomic_fetch_add_explicit(&env->refused, 1, memory_order_relaxed);
	say_refusal(a, &addr, is_full ? "open connections" : "connections");
	/* Who hammers on is not worth an explanation each time, nor a handshake to give it in. */
	bool is_plain = door != SESSION_DOOR_MAIN || !config_has_tls(env->cfg);

	if (is_plain && limit_take(a, LIMIT_ANSWER, now_ms) == 0) {
		env->refusal.len = 0;
		http_write_refusal(&env->refusal, is_full ? 503 : 429,
				   is_full ? FULL_RETRY_S * 1000 : wait_ms, is_full ? full : fast);
		*answer = buf_span(&env->refusal);
	}
	limit_account_leave(a);
	return false;
}

static void drop(void *ctx, void *pass)
{
	(void)ctx;
	limit_account_leave(pass);
}

struct acceptor_gate session_gate(struct session_env *env)
{
	return (struct acceptor_gate){.enter = enter, .drop = drop, .ctx = env};
}

/* The peer's address; returns whether it is a proxy of ours. */
static bool find_peer(const struct conn *c, struct addr *out)
{
	const struct config *cfg = conn_hub(c)->env->cfg;
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);

	if (getpeername(c->stream.fd, (struct sockaddr *)&peer, &len) != 0 ||
	    !addr_from_socket(out, (struct sockaddr *)&peer)) {
		*out = (struct addr){0};
		return false;
	}
	return addr_is_in(out, cfg->trusted_proxies, cfg->n_trusted_proxies);
}

void conn_find_client(const struct conn *c, const struct http_request *req, struct addr *client)
{
	const struct config *cfg = conn_hub(c)->env->cfg;

	if (find_peer(c, client))
		http_find_client(req, cfg->trusted_proxies, cfg->n_trusted_proxies, client);
}

bool conn_is_forwarded_https(const struct conn *c, const struct http_request *req)
{
	struct addr peer;

	return http_is_forwarded_https(req) && find_peer(c, &peer);
}

static void warn_of_proxy(const struct conn *c, const struct http_request *req)
{
	struct session_env *env = conn_hub(c)->env;
	char text[ADDR_TEXT_SIZE];
	struct addr peer;

	if ((req->x_forwarded_for.p == NULL && req->forwarded.p == NULL) ||
	    atomic_exchange_explicit(&env->warned_of_proxy, true, memory_order_relaxed))
		return;
	conn_find_client(c, req, &peer);
	log_warn("%s sends X-Forwarded-For or Forwarded: if it is a proxy of yours, name it with "
		 "--trusted-proxy, or all behind it count as one address",
		 addr_format(&peer, text));
}

/* A proxy's connection carries the requests of many: each is counted for whom it is. */
static bool admit_behind_proxy(struct conn *c, struct http *h, const struct http_request *req,
			       bool is_handshake)
{
	struct session_env *env = conn_hub(c)->env;
	uint64_t now_ms = conn_hub(c)->worker->now_ms;
	struct limit_account *a;
	struct addr client;
	unsigned wait_ms = 0;

	conn_find_client(c, req, &client);
	bool is_full = is_handshake && limits_enter_addr(env->limits, &client, &a) == LIMIT_FULL;

	if (!is_handshake || is_full)
		a = limits_borrow_addr(env->limits, &client);
	if (!is_full && is_handshake)
		wait_ms = limit_take(a, LIMIT_CONNECT, now_ms);
	if (!is_full && wait_ms == 0)
		wait_ms = limit_take(a, LIMIT_HTTP, now_ms);
	if (is_full || wait_ms > 0) {
		atomic_fetch_add_explicit(&env->refused, 1, memory_order_relaxed);
		say_refusal(a, &client, is_full ? "open connections" : "requests");
		http_refuse_rate(h, is_full ? FULL_RETRY_S * 1000 : wait_ms, false);
	} else if (is_handshake) {
		c->of_addr = a;
		c->is_behind_proxy = true;
		return true;
	}
	limit_account_leave(a);
	return !is_full && wait_ms == 0;
}

bool conn_admit_request(struct conn *c, struct http *h, const struct http_request *req)
{
	struct session_env *env = conn_hub(c)->env;
	struct addr client;

	if (!limits_are_on(env->limits) || c->is_shell)
		return true;
	if (c->of_addr == NULL)
		return admit_behind_proxy(c, h, req, span_equal(req->path, SPAN("/ws")));
	warn_of_proxy(c, req);
	unsigned wait_ms = limit_take(c->of_addr, LIMIT_HTTP, conn_hub(c)->worker->now_ms);

	if (wait_ms == 0)
		return true;
	atomic_fetch_add_explicit(&env->refused, 1, memory_order_relaxed);
	conn_find_client(c, req, &client);
	say_refusal(c->of_addr, &client, "requests");
	http_refuse_rate(h, wait_ms, true);
	return false;
}

void conn_end_handshake(struct conn *c, const struct http_request *req)
{
	char text[ADDR_TEXT_SIZE];
	struct addr client;

	if (!c->upgraded && c->is_behind_proxy) {
		/* The next request may be someone else's. */
		limit_account_leave(c->of_addr);
		c->of_addr = NULL;
	}
	if (!c->upgraded || conn_hub(c)->cfg->log_level < LOG_DEBUG)
		return;
	conn_find_client(c, req, &client);
	log_debug("connection %u.%llu is a WebSocket of %s", conn_hub(c)->worker->index,
		  (unsigned long long)c->id, addr_format(&client, text));
}

static bool is_own_fault(enum proto_error e)
{
	return e == PROTO_E_UNAVAILABLE || e == PROTO_E_INTERNAL;
}

/*
 * Before hello an address pays.  Joins that are asked for in one breath with a hello that fails are
 * refused with it: they must not count as so many guesses.
 */
void conn_count_refusal(struct conn *c, enum proto_error e)
{
	uint64_t now_ms = conn_hub(c)->worker->now_ms;

	if (is_own_fault(e))
		return;
	if (c->user != 0)
		limit_charge(c->of_user, LIMIT_FAILED, now_ms, 1);
	else
		limit_charge(c->of_addr, LIMIT_HTTP, now_ms, 1);
}

void conn_count_failed_hello(struct conn *c, enum proto_error e)
{
	if (!is_own_fault(e))
		limit_charge(c->of_addr, LIMIT_HELLO, conn_hub(c)->worker->now_ms, 1);
}

static void throttle(struct conn *c, unsigned ms)
{
	struct throttle_list *list = &conn_hub(c)->throttled;

	if (list->n == list->cap) {
		list->cap = list->cap == 0 ? 16 : list->cap * 2;
		list->at = mem_realloc(list->at, list->cap * sizeof(list->at[0]));
	}
	list->at[list->n++] = (struct throttled){
		.conn = c->id,
		.until_ms = conn_hub(c)->worker->now_ms + ms,
	};
	c->is_throttled = true;
}

unsigned conn_take_request(struct conn *c, const struct request *req, const char **why)
{
	uint64_t now_ms = conn_hub(c)->worker->now_ms;
	unsigned wait_ms;

	if (c->user != 0)
		wait_ms = limit_wait(c->of_user, LIMIT_FAILED, now_ms);
	else
		wait_ms = limit_wait(c->of_addr, req->op == OP_HELLO ? LIMIT_HELLO : LIMIT_HTTP,
				     now_ms);
	if (wait_ms > 0) {
		*why = c->user != 0 ? "too many refused requests"
				    : "too many failed hellos or requests from your address";
		throttle(c, wait_ms);
		return wait_ms;
	}
	if (c->user == 0)
		return 0;
	if (op_is_write(req->op)) {
		wait_ms = limit_take(c->of_user, LIMIT_SEND, now_ms);
		*why = "too many writes";
	} else {
		wait_ms = limit_take(c->of_user, LIMIT_REQUEST, now_ms);
		*why = "too many requests";
	}
	if (wait_ms > 0)
		limit_charge(c->of_user, LIMIT_FAILED, now_ms, 1);
	return wait_ms;
}

void conn_count_extra(struct conn *c, unsigned n)
{
	struct limit_account *a = c->user != 0 ? c->of_user : c->of_addr;
	enum limit which = c->user != 0 ? LIMIT_REQUEST : LIMIT_HTTP;
	uint64_t now_ms = conn_hub(c)->worker->now_ms;

	if (n == 0 || a == NULL || c->is_throttled)
		return;
	limit_charge(a, which, now_ms, n);
	unsigned wait_ms = limit_wait(a, which, now_ms);

	if (wait_ms > 0)
		throttle(c, wait_ms);
}

void hub_end_throttles(struct hub *hub, uint64_t now_ms)
{
	struct throttle_list *list = &hub->throttled;

	for (unsigned i = 0; i < list->n;) {
		if (list->at[i].until_ms > now_ms) {
			i++;
			continue;
		}
		struct conn *c = hub_find_conn(hub, list->at[i].conn);

		list->at[i] = list->at[--list->n];
		if (c != NULL) {
			c->is_throttled = false;
			conn_pump(c); /* may throttle it again, at the list's end */
		}
	}
	if (list->n == 0)
		hub_forget_throttles(hub);
}

void hub_forget_throttles(struct hub *hub)
{
	free(hub->throttled.at);
	hub->throttled = (struct throttle_list){0};
}
