#pragma once
/* Layer: base. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A map from ids to one word each: 16 bytes a slot, no allocation per entry, at most seven of
 * eight slots in use.  All zero is an empty one, which holds no memory.
 *
 * No id is 0: that one is never there.  It may be used by any thread, by one at a time: the caller
 * locks.
 */
struct idmap_slot {
	uint64_t id; /* 0: free */
	union {
		void *p;
		uint64_t u;
	};
};

struct idmap {
	struct idmap_slot *slots;
	uint32_t n, cap;
};

/** Forget all entries and free the slots.  What the values point to stays the caller's. */
void idmap_deinit(struct idmap *m);
static inline uint32_t idmap_len(const struct idmap *m)
{
	return m->n;
}

/**
 * The entry of @id, or NULL.  Its value may be changed in place; it moves when entries are added or
 * removed.
 */
struct idmap_slot *idmap_find(const struct idmap *m, uint64_t id);
/** What @id points to; NULL when it is not there. */
static inline void *idmap_get(const struct idmap *m, uint64_t id)
{
	struct idmap_slot *s = idmap_find(m, id);

	return s != NULL ? s->p : NULL;
}

/** Add @id, which is not there yet, with a value of 0 to be set in the slot that is returned. */
struct idmap_slot *idmap_add(struct idmap *m, uint64_t id);
static inline void idmap_put(struct idmap *m, uint64_t id, void *p)
{
	idmap_add(m, id)->p = p;
}

/** Returns whether @id was there. */
bool idmap_remove(struct idmap *m, uint64_t id);

/**
 * Walk over the entries, in no order that means anything: start with *@pos of 0, end at NULL.
 * Nothing may be added or removed on the way.
 */
struct idmap_slot *idmap_next(const struct idmap *m, uint32_t *pos);
