/*
 * The accounts of users and of addresses.
 *
 * An account is found under a hash of its key, keyed with a secret of this process so that nobody
 * can choose addresses that meet.  Two keys with one 64-bit hash would share an account, which is
 * rare beyond concern and harms nobody much.
 *
 * Whoever holds an account may touch its buckets without a lock.  One that nobody holds is kept
 * until its buckets are full again, since only then is it as a new one.  Those wait in the order in
 * which they were left; each entry looks at a few of the oldest, and so does a sweep now and then.
 * Past MAX_UNHELD of a shard the oldest goes whatever its buckets say: a flood from many addresses
 * takes bounded memory, and who commands so many has the use of as many buckets anyway.
 *
 * Locking: a shard's lock guards its table, its list and the counts of holders of its accounts.  It
 * is taken when a connection comes or goes, never for a message.  Nothing is locked inside.
 */
#include "hubbub/limits.h"

#include "auth/bucket.h"
#include "hubbub/clock.h"
#include "hubbub/idmap.h"
#include "hubbub/mem.h"
#include "hubbub/mutex.h"
#include <sodium.h>
#include <stdlib.h>
#include <utlist.h>

#define N_SHARDS 16
#define MAX_UNHELD 4096
#define LOOKS_PER_ENTRY 3
#define LOOKS_PER_SWEEP 256
#define NS_PER_MS 1000000ull

struct shard {
	struct mutex lock;
	/* Guarded by lock: */
	struct idmap accounts;
	struct limit_account *unheld; /* left longest ago first */
	unsigned n_unheld;
};

struct limit_account {
	struct limits *limits;
	uint64_t id;
	unsigned n_holders;                /* guarded by the shard's lock */
	struct limit_account *prev, *next; /* in shard->unheld */
	atomic_bool was_told;              /* of a refusal, in the log */
	atomic_uint_fast64_t full_at[LIMITS_EACH];
};

struct limits {
	unsigned capacity, wanted_of_addr; /* the main thread's */
	/* Changed by the main thread alone; a rate that is read half old and half new is soon gone:
	 */
	atomic_bool is_on;
	atomic_uint max_of_user, max_of_addr;
	struct {
		atomic_uint_fast64_t step_ns, span_ns;
	} rates[N_LIMITS];
	atomic_uint n_sweeps;
	unsigned char secret[crypto_shorthash_KEYBYTES];
	struct shard shards[N_SHARDS];
};

/* What an account stands for. */
enum key_kind {
	OF_USER,
	OF_ADDR,
	OF_LOGIN,
	OF_GUESSER,
};

/* What is hashed: a user's id and an address never meet. */
struct key {
	uint64_t kind;
	uint8_t bytes[16];
};

#define EXPLAINED_PER_S 20

struct limits *limits_new(const struct config *cfg)
{
	struct limits *l = mem_zalloc(sizeof(*l));

	l->capacity = UINT32_MAX;
	randombytes_buf(l->secret, sizeof(l->secret));
	for (unsigned i = 0; i < N_SHARDS; i++)
		mutex_init(&l->shards[i].lock);
	limits_set_config(l, cfg);
	return l;
}

static void set(atomic_uint_fast64_t *at, uint64_t value)
{
	atomic_store_explicit(at, value, memory_order_relaxed);
}

static void set_max_of_addr(struct limits *l)
{
	unsigned share = l->capacity - l->capacity / 4;

	atomic_store(&l->max_of_addr, l->wanted_of_addr == 0      ? UINT32_MAX
				      : l->wanted_of_addr > share ? share
								  : l->wanted_of_addr);
}

void limits_set_capacity(struct limits *l, unsigned n_connections)
{
	l->capacity = n_connections;
	set_max_of_addr(l);
}

void limits_set_config(struct limits *l, const struct config *cfg)
{
	const struct {
		enum limit which;
		struct rate rate;
	} rates[] = {
		{LIMIT_SEND, cfg->send_limit},
		{LIMIT_REQUEST, cfg->request_limit},
		{LIMIT_FAILED, cfg->failed_limit},
		{LIMIT_CONNECT, cfg->connect_limit},
		{LIMIT_HTTP, cfg->http_limit},
		{LIMIT_HELLO, cfg->hello_limit},
		{LIMIT_GUESS, cfg->sign_in_limit},
		{LIMIT_ANSWER, {.n = EXPLAINED_PER_S, .per_ms = 1000}},
	};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		unsigned n = cfg->no_limits ? 0 : rates[i].rate.n;
		struct bucket_rate r = bucket_rate_of(n, rates[i].rate.per_ms);

		set(&l->rates[rates[i].which].step_ns, r.step_ns);
		set(&l->rates[rates[i].which].span_ns, r.span_ns);
	}
	l->wanted_of_addr = cfg->address_connections;
	set_max_of_addr(l);
	atomic_store(&l->max_of_user,
		     cfg->user_connections != 0 ? cfg->user_connections : UINT32_MAX);
	atomic_store(&l->is_on, !cfg->no_limits);
}

bool limits_are_on(struct limits *l)
{
	return atomic_load_explicit(&l->is_on, memory_order_relaxed);
}

static struct bucket_rate rate_of(const struct limit_account *a, enum limit which)
{
	struct limits *l = a->limits;

	return (struct bucket_rate){
		.step_ns = atomic_load_explicit(&l->rates[which].step_ns, memory_order_relaxed),
		.span_ns = atomic_load_explicit(&l->rates[which].span_ns, memory_order_relaxed),
	};
}

void limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	for (unsigned i = 0; i < N_SHARDS; i++) {
		struct shard *sh = &l->shards[i];
		struct idmap_slot *slot;
		uint32_t pos = 0;

		while ((slot = idmap_next(&sh->accounts, &pos)) != NULL)
			free(slot->p);
		idmap_deinit(&sh->accounts);
		mutex_deinit(&sh->lock);
	}
	free(l);
}

static struct shard *shard_of(struct limits *l, uint64_t id)
{
	return &l->shards[id % N_SHARDS];
}

static bool is_as_new(struct limit_account *a, uint64_t now_ns)
{
	for (unsigned i = 0; i < LIMITS_EACH; i++) {
		if (!bucket_is_full(&a->full_at[i], now_ns))
			return false;
	}
	return true;
}

static void unlist_locked(struct shard *sh, struct limit_account *a) REQUIRES(sh->lock)
{
	DL_DELETE(sh->unheld, a);
	sh->n_unheld--;
}

/* Free of the @n that were left longest ago those that are as new; the others wait on. */
static void look_locked(struct shard *sh, unsigned n, uint64_t now_ns) REQUIRES(sh->lock)
{
	if (n > sh->n_unheld)
		n = sh->n_unheld;
	for (; n > 0; n--) {
		struct limit_account *a = sh->unheld;

		unlist_locked(sh, a);
		if (is_as_new(a, now_ns) || sh->n_unheld >= MAX_UNHELD) {
			idmap_remove(&sh->accounts, a->id);
			free(a);
		} else {
			DL_APPEND(sh->unheld, a);
			sh->n_unheld++;
		}
	}
}

static struct limit_account *enter_locked(struct limits *l, struct shard *sh, uint64_t id,
					  unsigned max) REQUIRES(sh->lock)
{
	struct limit_account *a = idmap_get(&sh->accounts, id);

	if (a == NULL) {
		a = mem_zalloc(sizeof(*a));
		a->limits = l;
		a->id = id;
		idmap_put(&sh->accounts, id, a);
	} else if (a->n_holders == 0) {
		unlist_locked(sh, a);
	} else if (a->n_holders >= max) {
		return NULL;
	}
	a->n_holders++;
	return a;
}

static struct limit_account *enter(struct limits *l, const struct key *key, unsigned max)
{
	unsigned char hash[crypto_shorthash_BYTES];
	struct limit_account *a;
	uint64_t id;

	crypto_shorthash(hash, (const unsigned char *)key, sizeof(*key), l->secret);
	memcpy(&id, hash, sizeof(id));
	if (id == 0)
		id = 1; /* the map has no place for 0 */
	struct shard *sh = shard_of(l, id);
	uint64_t now_ns = clock_mono_ns();

	mutex_lock(&sh->lock);
	look_locked(sh, LOOKS_PER_ENTRY, now_ns);
	a = enter_locked(l, sh, id, max);
	mutex_unlock(&sh->lock);
	return a;
}

enum limit_entry limits_enter_user(struct limits *l, int64_t user, struct limit_account **out)
{
	struct key key = {.kind = OF_USER};

	*out = NULL;
	if (!limits_are_on(l))
		return LIMIT_ENTERED;
	memcpy(key.bytes, &user, sizeof(user));
	*out = enter(l, &key, atomic_load(&l->max_of_user));
	return *out != NULL ? LIMIT_ENTERED : LIMIT_FULL;
}

static struct limit_account *enter_addr(struct limits *l, const struct addr *addr,
					enum key_kind kind, unsigned max)
{
	struct addr counted = *addr;
	struct key key = {.kind = kind};

	/* A household or a phone has a /64 of its own, and all addresses in it (RFC 6177). */
	if (!addr_is_ipv4(addr))
		addr_mask(&counted, 64);
	memcpy(key.bytes, &counted, sizeof(counted));
	return enter(l, &key, max);
}

enum limit_entry limits_enter_addr(struct limits *l, const struct addr *addr,
				   struct limit_account **out)
{
	*out = NULL;
	if (!limits_are_on(l))
		return LIMIT_ENTERED;
	*out = enter_addr(l, addr, OF_ADDR, atomic_load(&l->max_of_addr));
	return *out != NULL ? LIMIT_ENTERED : LIMIT_FULL;
}

struct limit_account *limits_borrow_addr(struct limits *l, const struct addr *addr)
{
	return limits_are_on(l) ? enter_addr(l, addr, OF_ADDR, UINT32_MAX) : NULL;
}

struct limit_account *limits_borrow_guesser(struct limits *l, const struct addr *addr)
{
	return limits_are_on(l) ? enter_addr(l, addr, OF_GUESSER, UINT32_MAX) : NULL;
}

struct limit_account *limits_borrow_login(struct limits *l, struct span login_key)
{
	struct key key = {.kind = OF_LOGIN};

	if (!limits_are_on(l))
		return NULL;
	crypto_generichash(key.bytes, sizeof(key.bytes), (const unsigned char *)login_key.p,
			   login_key.len, l->secret, sizeof(l->secret));
	return enter(l, &key, UINT32_MAX);
}

void limit_account_leave(struct limit_account *a)
{
	if (a == NULL)
		return;
	struct shard *sh = shard_of(a->limits, a->id);

	mutex_lock(&sh->lock);
	if (--a->n_holders == 0) {
		DL_APPEND(sh->unheld, a);
		sh->n_unheld++;
	}
	mutex_unlock(&sh->lock);
}

/* Rounded up, so that whoever waits so long finds it. */
static unsigned in_ms(uint64_t ns)
{
	return (unsigned)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

unsigned limit_take(struct limit_account *a, enum limit which, uint64_t now_ms)
{
	if (a == NULL)
		return 0;
	const struct bucket_rate r = rate_of(a, which);
	atomic_uint_fast64_t *full_at = &a->full_at[which % LIMITS_EACH];

	if (bucket_take(full_at, &r, now_ms * NS_PER_MS) == 0)
		return 0;
	/* A worker's clock stands still within a turn: who waited as told must not be refused. */
	return in_ms(bucket_take(full_at, &r, clock_mono_ns()));
}

void limit_charge(struct limit_account *a, enum limit which, uint64_t now_ms, unsigned n)
{
	if (a == NULL)
		return;
	const struct bucket_rate r = rate_of(a, which);

	bucket_charge(&a->full_at[which % LIMITS_EACH], &r, now_ms * NS_PER_MS, n);
}

unsigned limit_wait(struct limit_account *a, enum limit which, uint64_t now_ms)
{
	if (a == NULL)
		return 0;
	const struct bucket_rate r = rate_of(a, which);
	atomic_uint_fast64_t *full_at = &a->full_at[which % LIMITS_EACH];

	if (bucket_wait(full_at, &r, now_ms * NS_PER_MS) == 0)
		return 0;
	return in_ms(bucket_wait(full_at, &r, clock_mono_ns()));
}

bool limit_is_news(struct limit_account *a)
{
	return a != NULL && !atomic_exchange_explicit(&a->was_told, true, memory_order_relaxed);
}

void limits_sweep(struct limits *l, uint64_t now_ms)
{
	struct shard *sh = &l->shards[atomic_fetch_add(&l->n_sweeps, 1) % N_SHARDS];

	mutex_lock(&sh->lock);
	look_locked(sh, LOOKS_PER_SWEEP, now_ms * NS_PER_MS);
	mutex_unlock(&sh->lock);
}

size_t limits_count(struct limits *l)
{
	size_t n = 0;

	for (unsigned i = 0; i < N_SHARDS; i++) {
		mutex_lock(&l->shards[i].lock);
		n += idmap_len(&l->shards[i].accounts);
		mutex_unlock(&l->shards[i].lock);
	}
	return n;
}
