/*
 * A hash table in one array: linear probing in the order of the hashes.
 *
 * An entry's home is its hash scaled to the number of slots, so a table of any size keeps its
 * entries in the order of their hashes, but for those that ran over the end.  Hence
 *
 * - a search ends at the first entry whose home lies behind the one sought (Robin Hood hashing,
 *   Celis 1986): what is not there is found missing as fast as what is there is found;
 * - growing and shrinking read one array and write the other from front to back.  A million
 *   entries move in some ten milliseconds, mostly the kernel's for fresh pages;
 * - the table grows by a quarter instead of doubling, and so 18 to 23 bytes go on an entry.
 *
 * Removal shifts the entries behind back by one (no tombstones).
 */
#include "hubbub/idmap.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>

/*
 * Ids are given by the server one after the other and nobody picks theirs, but any stride among
 * those of one room must be spread evenly: two multiplications, each of which moves low bits up
 * (Steele and Vigna's constants for that).
 */
static uint64_t mix(uint64_t id)
{
	id *= UINT64_C(0xd1342543de82ef95);
	id ^= id >> 32;
	return id * UINT64_C(0xaef17502108ef2d9);
}

static uint32_t home_of(const struct idmap *m, uint64_t id)
{
	return (uint32_t)(((mix(id) >> 32) * m->cap) >> 32);
}

static uint32_t next_of(const struct idmap *m, uint32_t i)
{
	return i + 1 < m->cap ? i + 1 : 0;
}

/* How far the entry at @i, whose home is @home, had to go. */
static uint32_t distance(const struct idmap *m, uint32_t home, uint32_t i)
{
	return i >= home ? i - home : i + m->cap - home;
}

static uint32_t max_entries(uint32_t cap)
{
	return cap - (cap + 7) / 8; /* one slot is always free: searches end there */
}

/*
 * Where @id is, or (with *@there false) where it belongs: a free slot, or one whose entry has to
 * make place.
 */
static uint32_t seek(const struct idmap *m, uint64_t id, bool *there)
{
	uint32_t i = home_of(m, id);

	for (uint32_t gone = 0;; gone++, i = next_of(m, i)) {
		uint64_t other = m->slots[i].id;

		if (other == id) {
			*there = true;
			return i;
		}
		if (other == 0 || distance(m, home_of(m, other), i) < gone) {
			*there = false;
			return i;
		}
	}
}

/* Put @s where it belongs and move those behind it on by one, up to the next free slot. */
static uint32_t insert(struct idmap *m, struct idmap_slot s)
{
	bool there;
	uint32_t at = seek(m, s.id, &there);

	assert(!there);
	for (uint32_t i = at; s.id != 0; i = next_of(m, i)) {
		struct idmap_slot moved = m->slots[i];

		m->slots[i] = s;
		s = moved;
	}
	return at;
}

/*
 * The entries of @old in the order of their homes there, which but for neighbours is the order of
 * their homes here: nearly each is put right behind the one before or at home, and not sought for.
 */
static void take_over(struct idmap *m, const struct idmap *old)
{
	uint32_t from = 0, free_from = 0, last_home = 0;

	while (old->slots[from].id != 0)
		from++; /* what ran over the end comes last */
	for (uint32_t n = 0; n < old->n; from = next_of(old, from)) {
		struct idmap_slot s = old->slots[from];

		if (s.id == 0)
			continue;
		n++;
		uint32_t home = home_of(m, s.id);
		uint32_t at = home > free_from ? home : free_from;

		if (home < last_home || at >= m->cap) {
			insert(m, s);
			while (free_from < m->cap && m->slots[free_from].id != 0)
				free_from++;
			continue;
		}
		m->slots[at] = s;
		free_from = at + 1;
		last_home = home;
	}
}

static void resize(struct idmap *m, uint32_t cap)
{
	struct idmap old = *m;

	assert(cap > m->n);
	m->slots = mem_zalloc(cap * sizeof(m->slots[0]));
	m->cap = cap;
	if (old.n > 0)
		take_over(m, &old);
	free(old.slots);
}

void idmap_deinit(struct idmap *m)
{
	free(m->slots);
	*m = (struct idmap){0};
}

struct idmap_slot *idmap_find(const struct idmap *m, uint64_t id)
{
	bool there;

	if (m->n == 0 || id == 0)
		return NULL;
	uint32_t at = seek(m, id, &there);

	return there ? &m->slots[at] : NULL;
}

struct idmap_slot *idmap_add(struct idmap *m, uint64_t id)
{
	assert(id != 0);
	if (m->n >= max_entries(m->cap)) {
		assert(m->cap < UINT32_MAX / 2);
		resize(m, m->cap + m->cap / 4 + 4);
	}
	m->n++;
	return &m->slots[insert(m, (struct idmap_slot){.id = id})];
}

bool idmap_remove(struct idmap *m, uint64_t id)
{
	struct idmap_slot *s = idmap_find(m, id);

	if (s == NULL)
		return false;
	uint32_t hole = (uint32_t)(s - m->slots);
	uint32_t i = next_of(m, hole);

	/* Whoever is not at home moves one back; the first who is ends it. */
	while (m->slots[i].id != 0 && home_of(m, m->slots[i].id) != i) {
		m->slots[hole] = m->slots[i];
		hole = i;
		i = next_of(m, i);
	}
	m->slots[hole] = (struct idmap_slot){0};
	m->n--;
	if (m->n == 0)
		idmap_deinit(m);
	else if (m->n < m->cap / 4)
		resize(m, m->cap / 2);
	return true;
}

struct idmap_slot *idmap_next(const struct idmap *m, uint32_t *pos)
{
	while (*pos < m->cap) {
		struct idmap_slot *s = &m->slots[(*pos)++];

		if (s->id != 0)
			return s;
	}
	return NULL;
}
