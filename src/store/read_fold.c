/*
 * The reactions of a folded message.
 *
 * At the log's head they are the kept counts.  Below it they come from the log itself: the newest
 * event of each emoji up to there says how many have it, the newest by oneself whether one does.
 */
#include "hubbub/mem.h"
#include "store/reader.h"
#include <errno.h>
#include <stdlib.h>

/* Spans hold offsets until the buffer has stopped moving. */
static struct event_reaction *add(struct fold *f, struct span emoji)
{
	if (f->n == f->cap) {
		f->cap = f->cap != 0 ? 2 * f->cap : 16;
		f->reactions = mem_realloc(f->reactions, f->cap * sizeof(*f->reactions));
	}
	struct event_reaction *re = &f->reactions[f->n++];
	*re = (struct event_reaction){.emoji = {.len = emoji.len}};
	buf_append_span(&f->emoji, emoji);
	return re;
}

static int load_counts(struct reader *rd, const struct store_read *r, uint64_t seq, struct fold *f)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_REACTIONS);
	int rc;

	db_bind_int(s, 1, r->room_id);
	db_bind_int(s, 2, (int64_t)seq);
	db_bind_int(s, 3, r->user);
	while ((rc = db_step(s)) > 0) {
		struct span emoji;

		if (!db_column_text(s, 0, &emoji))
			return -EUCLEAN;
		struct event_reaction *re = add(f, emoji);

		re->count = (uint64_t)sqlite3_column_int64(s, 1);
		re->me = sqlite3_column_int(s, 2) != 0;
	}
	return rc;
}

static struct event_reaction *find(struct fold *f, struct span emoji)
{
	size_t at = 0;

	for (unsigned i = 0; i < f->n; i++) {
		struct span known = {.p = f->emoji.p + at, .len = f->reactions[i].emoji.len};

		if (span_equal(known, emoji))
			return &f->reactions[i];
		at += known.len;
	}
	return add(f, emoji);
}

static int load_from_log(struct reader *rd, const struct store_read *r, uint64_t seq, uint64_t upto,
			 struct fold *f)
{
	sqlite3_stmt *s = db_stmt(&rd->db, R_REACTIONS_LOG);
	int rc;

	db_bind_int(s, 1, r->room_id);
	db_bind_int(s, 2, (int64_t)seq);
	db_bind_int(s, 3, (int64_t)upto);
	while ((rc = db_step(s)) > 0) {
		struct span emoji;

		if (!db_column_text(s, 0, &emoji))
			return -EUCLEAN;
		struct event_reaction *re = find(f, emoji);

		re->count = (uint64_t)sqlite3_column_int64(s, 1);
		if (sqlite3_column_int64(s, 2) == r->user)
			re->me = sqlite3_column_int(s, 3) != 0;
	}
	return rc;
}

int fold_reactions(struct reader *rd, const struct store_read *r, uint64_t upto, bool is_now,
		   struct fold *f, struct event *e)
{
	f->n = 0;
	f->emoji.len = 0;
	int err = is_now ? load_counts(rd, r, e->seq, f) : load_from_log(rd, r, e->seq, upto, f);
	if (err != 0)
		return err;

	unsigned kept = 0;
	size_t at = 0;
	for (unsigned i = 0; i < f->n; i++) {
		struct event_reaction re = f->reactions[i];

		re.emoji.p = f->emoji.p + at;
		at += re.emoji.len;
		if (re.count != 0)
			f->reactions[kept++] = re;
	}
	e->reactions = f->reactions;
	e->n_reactions = kept;
	return 0;
}

void fold_deinit(struct fold *f)
{
	free(f->reactions);
	buf_deinit(&f->emoji);
}
