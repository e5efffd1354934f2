/*
 * One event at the end of a room's log.
 */
#include "hubbub/clock.h"
#include "store/row.h"
#include "store/secret.h"
#include "store/store_internal.h"
#include "store/writer.h"

static struct span hash_span(const unsigned char *hash)
{
	return (struct span){.p = (const char *)hash, .len = SECRET_CONTENT_HASH_BYTES};
}

/* What it points at belongs to the op. */
int op_fill_event(struct writer *w, struct store_op *op, const struct writer_room *room)
{
	struct event *e = &op->event;
	const char *name, *about = NULL;
	int err = writer_find_name(w, op->user, &name);

	if (err == 0 && e->about_id != 0)
		err = writer_find_name(w, e->about_id, &about);
	if (err != 0)
		return err;

	/* Reserved whole: the spans point into it, so it must not move. */
	struct span label = span_of(room->label), author = span_of(name != NULL ? name : ""),
		    whom = span_of(about != NULL ? about : "");
	op->names.len = 0;
	buf_reserve(&op->names, label.len + author.len + whom.len);
	buf_append_span(&op->names, label);
	buf_append_span(&op->names, author);
	buf_append_span(&op->names, whom);
	e->room = (struct span){.p = op->names.p, .len = label.len};
	e->from_name = (struct span){.p = e->room.p + label.len, .len = author.len};
	e->about_name = (struct span){.p = e->from_name.p + author.len, .len = whom.len};
	e->from_id = op->user;
	e->seq = room->head + 1;
	e->ts = clock_wall_ms();
	return 0;
}

int op_append_own(struct writer *w, struct store_op *op, struct writer_room *room,
		  enum member_act act, uint64_t value, const unsigned char *hash)
{
	op->event = (struct event){
		.kind = EVENT_MEMBER,
		.about_id = op->user,
		.act = act,
		.value = value,
	};
	int rc = op_fill_event(w, op, room);

	if (rc == 0)
		rc = op_append_event(w, op, room, hash);
	return rc < 0 ? rc : 0;
}

int op_answer_known_key(struct writer *w, struct store_op *op, const unsigned char *hash)
{
	sqlite3_stmt *s = db_stmt(&w->db, W_EVENT_BY_KEY);

	db_bind_int(s, 1, op->user);
	db_bind_blob(s, 2, op->req->key);
	int rc = db_step(s);
	if (rc <= 0)
		return rc;
	if (span_equal(db_column(s, 2), hash_span(hash))) {
		op->seq = (uint64_t)sqlite3_column_int64(s, 0);
		op->ts = sqlite3_column_int64(s, 1);
		op->room_id = sqlite3_column_int64(s, 3);
		op->dup = true;
	} else {
		op_refuse(op, PROTO_E_KEY_CONFLICT, "This key was used for something else.");
	}
	sqlite3_reset(s);
	return 1;
}

static void bind_unless_0(sqlite3_stmt *s, int i, uint64_t n)
{
	if (n != 0)
		db_bind_int(s, i, (int64_t)n);
}

/* The columns whose meaning depends on the kind. */
static void bind_particulars(sqlite3_stmt *s, const struct event *e)
{
	switch (e->kind) {
	case EVENT_REACT:
		db_bind_int(s, 11, e->on);
		db_bind_int(s, 12, (int64_t)e->count);
		db_bind_blob(s, 13, e->emoji);
		break;
	case EVENT_MEMBER:
		db_bind_int(s, 8, (int64_t)e->value);
		db_bind_int(s, 11, e->act);
		db_bind_int(s, 12, e->about_id);
		break;
	case EVENT_KEEP:
	case EVENT_EXPIRE:
		db_bind_int(s, 8, (int64_t)e->value);
		break;
	case EVENT_ARCHIVE:
		db_bind_int(s, 11, e->on);
		break;
	case EVENT_RENAME:
		db_bind_blob(s, 13, e->title);
		break;
	default:
		break;
	}
}

int op_append_event(struct writer *w, struct store_op *op, struct writer_room *room,
		    const unsigned char *hash)
{
	const struct event *e = &op->event;
	unsigned char mentions[8 * REQUEST_MAX_MENTIONS];
	size_t mentions_len = row_pack_mentions(mentions, e->mentions, e->n_mentions);
	uint64_t *n_own = NULL;
	int err = 0;

	if (e->kind == EVENT_MESSAGE) {
		n_own = writer_find_own(w, op->user, room->id, &err);
		if (n_own == NULL)
			return err;
	}
	sqlite3_stmt *s = db_stmt(&w->db, W_EVENT_NEW);
	db_bind_int(s, 1, room->id);
	db_bind_int(s, 2, (int64_t)e->seq);
	db_bind_int(s, 3, e->ts);
	db_bind_int(s, 4, e->kind);
	db_bind_int(s, 5, op->user);
	bind_unless_0(s, 6, e->target);
	bind_unless_0(s, 7, e->thread);
	bind_unless_0(s, 8, e->quote);
	db_bind_int(s, 9, (int64_t)room->n_messages + (e->kind == EVENT_MESSAGE));
	if (n_own != NULL)
		db_bind_int(s, 10, (int64_t)*n_own + 1);
	bind_particulars(s, e);
	if (hash != NULL) {
		db_bind_blob(s, 14, op->req->key);
		db_bind_blob(
			s, 15,
			(struct span){.p = (const char *)hash, .len = SECRET_CONTENT_HASH_BYTES});
	}
	if (mentions_len != 0)
		db_bind_blob(s, 16,
			     (struct span){.p = (const char *)mentions, .len = mentions_len});
	if (e->text.p != NULL)
		db_bind_blob(s, 17, e->text);
	err = db_run(s);
	if (err != 0)
		return err;
	if (sqlite3_changes(w->db.h) == 0)
		return 0;
	w->batch_event = sqlite3_last_insert_rowid(w->db.h);
	if (n_own != NULL)
		++*n_own;
	room->head = e->seq;
	room->n_messages += e->kind == EVENT_MESSAGE;
	writer_mark_dirty(w, room);
	op->room_id = room->id;
	op->seq = e->seq;
	op->ts = e->ts;
	return 1;
}
