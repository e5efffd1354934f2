/*
 * Reads that yield lists: who a token is and where they belong, and which rooms there are.
 */
#include "hubbub/clock.h"
#include "hubbub/mem.h"
#include "store/reader.h"
#include "store/secret.h"
#include <errno.h>

/* A visit is noted once an hour at most: a name is kept for 30 days, so that is close enough. */
enum {
	STALE_MS = 60 * 60 * 1000
};

static bool copy_rid(char rid[STORE_RID_SIZE], sqlite3_stmt *s, int i)
{
	struct span v;

	if (!db_column_text(s, i, &v) || v.len >= STORE_RID_SIZE)
		return false;
	memcpy(rid, v.p, v.len);
	rid[v.len] = '\0';
	return true;
}

/* Others' messages above the marker: all of them less one's own, each a difference of ordinals. */
static bool read_belong_row(sqlite3_stmt *s, struct store_belong *b)
{
	int64_t all = sqlite3_column_int64(s, 5), all_read = sqlite3_column_int64(s, 6);
	int64_t own = sqlite3_column_int64(s, 7), own_read = sqlite3_column_int64(s, 8);
	int64_t unread = (all - all_read) - (own - own_read);

	*b = (struct store_belong){
		.id = sqlite3_column_int64(s, 0),
		.head = (uint64_t)sqlite3_column_int64(s, 3),
		.read = (uint64_t)sqlite3_column_int64(s, 4),
		.unread = unread > 0 ? (uint64_t)unread : 0,
		.mentions = (uint64_t)sqlite3_column_int64(s, 9),
	};
	int64_t kind = sqlite3_column_int64(s, 11), role = sqlite3_column_int64(s, 13);

	if (kind < 0 || kind >= N_ROOM_KINDS || role < 0 || role >= N_ROOM_ROLES)
		return false;
	b->kind = (enum room_kind)kind;
	b->is_archived = sqlite3_column_int64(s, 12) != 0;
	b->role = (enum room_role)role;
	b->muted_until = sqlite3_column_int64(s, 14);
	return db_column_dup_or_null(s, 2, &b->name) && db_column_dup(s, 10, &b->title) &&
	       copy_rid(b->rid, s, 1);
}

static int read_direct_people(struct reader *rd, struct store_belong *b)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_DIRECT_PEOPLE);
	int rc;

	db_bind_int(s, 1, b->id);
	while ((rc = db_step(s)) > 0) {
		struct span name;

		if (!db_column_text(s, 1, &name)) {
			sqlite3_reset(s);
			return -EUCLEAN;
		}
		if (b->people.len > 0)
			buf_append_char(&b->people, ',');
		user_encode(&b->people, sqlite3_column_int64(s, 0), name);
	}
	return rc;
}

int read_belong(struct reader *rd, struct store_read *r)
{
	size_t cap = 0;
	sqlite3_stmt *s = db_stmt(&rd->db, R_BELONG);
	int rc;

	db_bind_int(s, 1, r->user);
	while ((rc = db_step(s)) > 0) {
		if (r->n_belong == cap) {
			cap = cap != 0 ? 2 * cap : 16;
			r->belong = mem_realloc(r->belong, cap * sizeof(*r->belong));
		}
		if (!read_belong_row(s, &r->belong[r->n_belong++]))
			return -EUCLEAN;
	}
	for (size_t i = 0; rc == 0 && i < r->n_belong; i++) {
		if (r->belong[i].kind == ROOM_DIRECT)
			rc = read_direct_people(rd, &r->belong[i]);
	}
	return rc;
}

int read_hello(struct reader *rd, struct store_read *r)
{
	unsigned char hash[SECRET_TOKEN_HASH_BYTES];
	sqlite3_stmt *s = db_stmt(&rd->db, R_USER_BY_TOKEN);

	secret_hash_token(hash, rd->st->hash_key, r->req->token);
	db_bind_blob(s, 1, (struct span){.p = (const char *)hash, .len = sizeof(hash)});
	int rc = db_step(s);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		r->err = PROTO_E_UNAUTHORIZED;
		r->why = "This token is not known.";
		return 0;
	}
	r->user = sqlite3_column_int64(s, 0);
	if (!db_column_dup(s, 1, &r->name))
		return -EUCLEAN;
	r->stale = clock_wall_ms() - sqlite3_column_int64(s, 2) > STALE_MS;
	sqlite3_reset(s);
	return read_belong(rd, r);
}

int read_rooms(struct reader *rd, struct store_read *r)
{
	unsigned limit = r->req->limit;
	struct span query = r->req->query.p != NULL ? r->req->query : SPAN("");
	sqlite3_stmt *s = db_stmt(&rd->db, R_ROOMS);
	int rc;

	r->rooms = mem_alloc(((size_t)limit + 1) * sizeof(*r->rooms));
	db_bind_text(s, 1, query);
	db_bind_int(s, 2, limit);
	db_bind_int(s, 3, r->is_guest ? r->user : 0);
	while ((rc = db_step(s)) > 0) {
		struct store_room *room = &r->rooms[r->n_rooms++];

		*room = (struct store_room){
			.id = sqlite3_column_int64(s, 0),
			.head = (uint64_t)sqlite3_column_int64(s, 5),
			.first = (uint64_t)sqlite3_column_int64(s, 6),
			.kind = sqlite3_column_int64(s, 7) == ROOM_ANNOUNCEMENT ? ROOM_ANNOUNCEMENT
										: ROOM_PUBLIC,
		};
		if (!copy_rid(room->rid, s, 1) || !db_column_dup(s, 2, &room->name) ||
		    !db_column_dup(s, 3, &room->title) || !db_column_dup(s, 4, &room->topic))
			return -EUCLEAN;
	}
	return rc;
}
