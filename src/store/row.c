/*
 * Between the rows of events and struct event.
 */
#include "store/row.h"
#include <assert.h>

/* The numbers are in the files. */
static_assert(EVENT_MESSAGE == 1 && EVENT_EDIT == 2 && EVENT_DELETE == 3 && EVENT_REACT == 4 &&
		      EVENT_TOPIC == 5 && EVENT_RENAME == 6 && EVENT_MEMBER == 7 &&
		      EVENT_ARCHIVE == 8 && EVENT_KEEP == 9 && EVENT_EXPIRE == 10,
	      "stored kinds");

size_t row_pack_mentions(unsigned char out[8 * REQUEST_MAX_MENTIONS], const int64_t *ids,
			 unsigned n)
{
	size_t len = 0;

	for (unsigned i = 0; i < n; i++) {
		for (int shift = 0; shift < 64; shift += 8)
			out[len++] = (unsigned char)((uint64_t)ids[i] >> shift);
	}
	return len;
}

unsigned row_unpack_mentions(int64_t out[REQUEST_MAX_MENTIONS], struct span packed)
{
	unsigned n = 0;

	for (size_t at = 0; at + 8 <= packed.len && n < REQUEST_MAX_MENTIONS; at += 8) {
		uint64_t id = 0;

		for (int i = 7; i >= 0; i--)
			id = id << 8 | (unsigned char)packed.p[at + (size_t)i];
		out[n++] = (int64_t)id;
	}
	return n;
}

bool row_read_event(sqlite3_stmt *s, struct event *e, int64_t mentions[REQUEST_MAX_MENTIONS])
{
	*e = (struct event){
		.seq = (uint64_t)sqlite3_column_int64(s, 0),
		.ts = sqlite3_column_int64(s, 1),
		.kind = (enum event_kind)sqlite3_column_int(s, 2),
		.from_id = sqlite3_column_int64(s, 3),
		.target = (uint64_t)sqlite3_column_int64(s, 6),
		.thread = (uint64_t)sqlite3_column_int64(s, 7),
		.quote = (uint64_t)sqlite3_column_int64(s, 8),
		.on = sqlite3_column_int(s, 11) != 0,
		.count = (uint64_t)sqlite3_column_int64(s, 12),
	};
	bool ok = e->kind >= EVENT_MESSAGE && e->kind <= EVENT_EXPIRE;
	ok &= db_column_text_or_null(s, 4, &e->from_name);
	ok &= db_column_text_or_null(s, 5, &e->text);
	ok &= db_column_text_or_null(s, 10, &e->emoji);
	if (!ok)
		return false;
	if (e->from_name.p == NULL)
		e->from_name = SPAN("");
	e->n_mentions = row_unpack_mentions(mentions, db_column(s, 9));
	e->mentions = mentions;
	if (e->kind == EVENT_MEMBER) {
		int act = sqlite3_column_int(s, 11);

		e->about_id = sqlite3_column_int64(s, 12);
		e->act = (enum member_act)act;
		e->value = (uint64_t)sqlite3_column_int64(s, 8);
		e->count = e->quote = 0;
		if (act < MEMBER_ADD || act >= N_MEMBER_ACTS ||
		    (e->act == MEMBER_ROLE && e->value >= N_ROOM_ROLES) ||
		    !db_column_text_or_null(s, 13, &e->about_name))
			return false;
		if (e->about_name.p == NULL)
			e->about_name = SPAN("");
	}
	if (e->kind == EVENT_KEEP || e->kind == EVENT_EXPIRE) {
		e->value = e->quote;
		e->quote = 0;
	}
	if (e->kind == EVENT_RENAME) {
		e->title = e->emoji;
		e->emoji = (struct span){0};
	}
	/* A message has at least one byte, so no text means that it was deleted. */
	e->deleted = e->kind == EVENT_MESSAGE && e->text.p == NULL;
	return true;
}
