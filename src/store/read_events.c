/*
 * A stretch of a room's log, encoded.
 *
 * Every way of paging is one or two walks away from an anchor: down from the newest or from a
 * bound, up from a bound, both for `around`.  Each walk stops at its share of the limit or when
 * the answer is full; what was found is then put together in rising order.
 */
#include "hubbub/mem.h"
#include "store/reader.h"
#include "store/row.h"
#include <errno.h>
#include <stdlib.h>

struct piece {
	size_t at, len; /* in page.bytes */
	uint64_t seq;
};

/* One walk; the pieces are in the order of the walk. */
struct side {
	bool down;
	uint64_t lo, hi; /* both inclusive */
	unsigned limit;
	struct piece *pieces;
	unsigned n;
	bool more;
};

struct page {
	struct reader *rd;
	struct store_read *r;
	struct span room;
	bool is_now; /* the page goes up to the log's head */
	struct buf bytes;
	struct fold fold;
};

static int encode_row(struct page *pg, sqlite3_stmt *s, struct event *e)
{
	int64_t mentions[REQUEST_MAX_MENTIONS];

	if (!row_read_event(s, e, mentions))
		return -EUCLEAN;
	e->room = pg->room;
	if (pg->r->fold) {
		e->folded = true;
		if (!e->deleted) {
			struct span edited;

			if (!db_column_text_or_null(s, ROW_N_EVENT_COLUMNS, &edited))
				return -EUCLEAN;
			if (edited.p != NULL) {
				e->text = edited;
				e->edited_ts = sqlite3_column_int64(s, ROW_N_EVENT_COLUMNS + 1);
			}
			int err = fold_reactions(pg->rd, pg->r, pg->r->head, pg->is_now, &pg->fold,
						 e);
			if (err != 0)
				return err;
		}
	}
	event_encode(&pg->bytes, e);
	return 0;
}

static int walk(struct page *pg, struct side *side)
{
	bool fold = pg->r->fold;
	unsigned stmt = side->down ? (fold ? R_FOLD_DOWN : R_DOWN) : (fold ? R_FOLD_UP : R_UP);
	size_t start = pg->bytes.len;
	sqlite3_stmt *s = db_stmt(&pg->rd->db, stmt);
	int rc;

	if (side->lo > side->hi)
		return 0;
	side->pieces = mem_alloc(((size_t)side->limit + 1) * sizeof(*side->pieces));
	db_bind_int(s, 1, pg->r->room_id);
	db_bind_int(s, 2, (int64_t)side->lo);
	db_bind_int(s, 3, (int64_t)side->hi);
	if (fold)
		db_bind_int(s, 4, (int64_t)pg->r->head);
	while ((rc = db_step(s)) > 0) {
		struct event e;
		size_t at = pg->bytes.len;

		if (side->n == side->limit || at - start > STORE_MAX_EVENTS_BYTES) {
			side->more = true;
			sqlite3_reset(s);
			return 0;
		}
		int err = encode_row(pg, s, &e);
		if (err != 0) {
			sqlite3_reset(s);
			return err;
		}
		side->pieces[side->n++] =
			(struct piece){.at = at, .len = pg->bytes.len - at, .seq = e.seq};
	}
	return rc;
}

/*
 * Keep what fits, nearest to the anchor first, the sides by turns.  The first piece of the walk up
 * (or down, where that is empty) is kept whatever its length.
 */
static void fit(struct side *up, struct side *down)
{
	struct side *const sides[2] = {up, down};
	unsigned kept[2] = {0, 0};
	bool open[2] = {true, true};
	size_t total = 0;

	for (unsigned turn = 0; open[0] || open[1]; turn ^= 1) {
		struct side *side = sides[turn];

		if (!open[turn])
			continue;
		if (kept[turn] == side->n) {
			open[turn] = false;
			continue;
		}
		size_t len = side->pieces[kept[turn]].len + (total != 0);
		if (total != 0 && total + len > STORE_MAX_EVENTS_BYTES) {
			open[turn] = false;
			side->more = true;
			continue;
		}
		total += len;
		kept[turn]++;
	}
	up->n = kept[0];
	down->n = kept[1];
}

static void put(struct page *pg, const struct piece *piece)
{
	struct store_read *r = pg->r;

	if (r->n_events++ == 0)
		r->first_seq = piece->seq;
	else
		buf_append_char(&r->events, ',');
	r->last_seq = piece->seq;
	buf_append(&r->events, pg->bytes.p + piece->at, piece->len);
}

static void plan(const struct store_read *r, struct side *up, struct side *down)
{
	up->hi = r->head;
	down->down = true;
	switch (r->from) {
	case HISTORY_NEWEST:
		down->hi = r->head;
		down->limit = r->limit;
		break;
	case HISTORY_BEFORE:
		down->hi = r->bound != 0 ? r->bound - 1 : 0;
		down->limit = r->limit;
		break;
	case HISTORY_AFTER:
		up->lo = r->bound + 1;
		up->limit = r->limit;
		break;
	case HISTORY_AROUND:
		down->hi = r->bound != 0 ? r->bound - 1 : 0;
		down->limit = r->limit / 2;
		up->lo = r->bound;
		up->limit = r->limit - r->limit / 2;
		break;
	}
	down->lo = r->first;
	if (up->lo < r->first)
		up->lo = r->first;
	if (down->hi > r->head)
		down->hi = r->head;
	/* No direction, no walk. */
	if (r->from == HISTORY_NEWEST || r->from == HISTORY_BEFORE)
		up->lo = r->head + 1;
	if (r->from == HISTORY_AFTER)
		down->hi = 0;
}

/* 0 with pg->room and the log's bounds, the read refused, or negative. */
static int find_log(struct page *pg)
{
	struct store_read *r = pg->r;
	sqlite3_stmt *s;
	struct span label;
	int rc = reader_find_log(pg->rd, r, r->req != NULL ? OP_HISTORY : OP_JOIN, &s);

	if (rc <= 0)
		return rc;
	if (!db_column_text(s, 0, &label)) {
		sqlite3_reset(s);
		return -EUCLEAN;
	}
	pg->room = (struct span){.p = mem_dup(label.p, label.len), .len = label.len};
	r->head = (uint64_t)sqlite3_column_int64(s, 1);
	r->first = (uint64_t)sqlite3_column_int64(s, 2);
	sqlite3_reset(s);
	pg->is_now = r->upto == 0 || r->upto >= r->head;
	if (!pg->is_now)
		r->head = r->upto;
	return 0;
}

int read_events(struct reader *rd, struct store_read *r)
{
	struct page pg = {.rd = rd, .r = r};
	struct side up = {0}, down = {0};
	int err = find_log(&pg);

	if (err != 0 || r->err != PROTO_OK)
		return err;
	plan(r, &up, &down);
	err = walk(&pg, &up);
	if (err == 0)
		err = walk(&pg, &down);
	if (err == 0) {
		fit(&up, &down);
		for (unsigned i = down.n; i > 0; i--)
			put(&pg, &down.pieces[i - 1]);
		for (unsigned i = 0; i < up.n; i++)
			put(&pg, &up.pieces[i]);
		r->more = up.more || down.more;
	}
	free(up.pieces);
	free(down.pieces);
	free((char *)pg.room.p);
	buf_deinit(&pg.bytes);
	fold_deinit(&pg.fold);
	return err;
}
