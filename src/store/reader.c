/*
 * The readers' threads: history and lists, each on a connection of its own, so that no read waits
 * for the writer and the writer waits for none.
 */
#include "store/reader.h"
#include "hubbub/crash.h"
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "store/row.h"
#include <stdlib.h>

/** Reads that one transaction answers: hellos of a storm are many and short. */
#define BATCH_MAX 32

#define EVENTS_OF(index)                                               \
	"SELECT " ROW_EVENT_COLUMNS " FROM events e INDEXED BY " index \
	" LEFT JOIN users u ON u.id = e.author"                        \
	" WHERE e.room = ?1 AND e.seq >= ?2 AND e.seq <= ?3"

/* With the newest edit that ?4, the seq up to which the fold goes, covers. */
#define MESSAGES_OF                                                                          \
	"SELECT " ROW_EVENT_COLUMNS ", x.body, x.ts"                                         \
	" FROM events e INDEXED BY events_by_seq"                                            \
	" LEFT JOIN users u ON u.id = e.author"                                              \
	" LEFT JOIN events x ON x.id = (SELECT y.id FROM events y INDEXED BY events_targets" \
	"  WHERE y.room = ?1 AND y.target = e.seq AND y.kind = 2 AND y.seq <= ?4"            \
	"  ORDER BY y.seq DESC LIMIT 1)"                                                     \
	" WHERE e.kind = 1 AND e.room = ?1 AND e.seq >= ?2 AND e.seq <= ?3"

static const char *const statements[R_N_STMTS] = {
	[R_BEGIN] = "BEGIN",
	[R_COMMIT] = "COMMIT",
	[R_LOG] = "SELECT coalesce(name, '~' || rid), head, first, kind, is_archived,"
		  " coalesce((SELECT role FROM members WHERE user = ?2 AND room = ?1), 0),"
		  " coalesce((SELECT role FROM accounts WHERE user = ?2), 1)"
		  " FROM rooms WHERE id = ?1",
	[R_USER_BY_TOKEN] = "SELECT id, name, last_seen FROM users WHERE token_hash = ?1",
	[R_SESSION] =
		"SELECT u.id, u.name, s.used, s.id, a.role FROM sessions s"
		" JOIN accounts a ON a.user = s.user JOIN users u ON u.id = s.user"
		" WHERE s.hash = ?1 AND s.used >= ?2 AND s.created >= ?3 AND NOT a.is_disabled",
	[R_ACCOUNT] = "SELECT user, password, role, is_disabled, totp, totp_step FROM accounts"
		      " WHERE login_key = ?1",
	[R_ACCOUNT_OF] = "SELECT user, password, role, is_disabled, totp, totp_step FROM accounts"
			 " WHERE user = ?1",
	[R_ME] = "SELECT u.name, a.login, a.totp IS NOT NULL,"
		 " (SELECT count(*) FROM recovery WHERE user = a.user),"
		 " (SELECT v FROM meta WHERE k = 'team'), a.password IS NOT NULL,"
		 " EXISTS (SELECT 1 FROM identities i WHERE i.user = a.user)"
		 " FROM accounts a JOIN users u ON u.id = a.user WHERE a.user = ?1",
	[R_PASSKEY] = "SELECT user, cose, key, count FROM passkeys WHERE credential = ?1",
	[R_PASSKEYS] = "SELECT id, name, created, used FROM passkeys WHERE user = ?1 ORDER BY id",
	[R_ROLE_OF] = "SELECT role FROM accounts WHERE user = ?1",
	[R_BLOCKS] = "SELECT u.id, u.name FROM blocks b JOIN users u ON u.id = b.blocked"
		     " WHERE b.user = ?1 ORDER BY u.id",
	[R_REPORTS] = "SELECT p.id, p.ts, p.reporter, coalesce(u.name, ''), e.author,"
		      " coalesce(a.name, ''), CASE WHEN r.kind IN (0, 3) THEN r.title END, r.kind,"
		      " p.reason, coalesce((SELECT x.body FROM events x INDEXED BY events_targets"
		      "  WHERE x.room = p.room AND x.target = p.seq AND x.kind = 2"
		      "  ORDER BY x.seq DESC LIMIT 1), e.body), e.ts"
		      " FROM reports p JOIN rooms r ON r.id = p.room"
		      " JOIN events e ON e.room = p.room AND e.seq = p.seq"
		      " LEFT JOIN users u ON u.id = p.reporter LEFT JOIN users a ON a.id = e.author"
		      " ORDER BY p.id DESC LIMIT 200",
	/* Those that are listed: of the others admins know no more than anybody. */
	[R_TEAM_ROOMS] = "SELECT name, title, kind, (SELECT count(*) FROM members WHERE room ="
			 " rooms.id), n_messages, is_archived, keep_days,"
			 " coalesce((SELECT ts FROM events e WHERE e.room = rooms.id"
			 "  AND e.seq = rooms.head), 0)"
			 " FROM rooms WHERE name IS NOT NULL ORDER BY name LIMIT 1000",
	[R_EXPORT] = "SELECT u.name, a.login, a.role, a.created, u.last_seen, a.totp IS NOT NULL"
		     " FROM accounts a JOIN users u ON u.id = a.user WHERE a.user = ?1",
	[R_EXPORT_IDENTITIES] = "SELECT issuer, subject, created FROM identities WHERE user = ?1",
	[R_EXPORT_ROOMS] = "SELECT r.rid, r.title, m.read_seq FROM members m"
			   " JOIN rooms r ON r.id = m.room WHERE m.user = ?1 ORDER BY r.id",
	/* What one's own log says, also of rooms that one is in no longer. */
	[R_EXPORT_REACTIONS] = "SELECT r.rid, x.target, x.emoji FROM reactions x"
			       " JOIN members m ON m.room = x.room AND m.user = x.user"
			       " JOIN rooms r ON r.id = x.room WHERE x.user = ?1",
	[R_EXPORT_MESSAGES] =
		"SELECT e.room, e.seq, r.rid,"
		" CASE WHEN r.kind IN (0, 3) OR EXISTS (SELECT 1 FROM members m"
		"  WHERE m.room = r.id AND m.user = ?1) THEN r.title ELSE '' END, e.ts,"
		" coalesce((SELECT x.body FROM events x INDEXED BY events_targets"
		"  WHERE x.room = e.room AND x.target = e.seq AND x.kind = 2"
		"  ORDER BY x.seq DESC LIMIT 1), e.body),"
		" (SELECT max(x.ts) FROM events x INDEXED BY events_targets"
		"  WHERE x.room = e.room AND x.target = e.seq AND x.kind = 2)"
		" FROM events e INDEXED BY events_own JOIN rooms r ON r.id = e.room"
		" WHERE e.author = ?1 AND e.kind = 1 AND (e.room, e.seq) > (?2, ?3)"
		" AND e.body IS NOT NULL ORDER BY e.room, e.seq",
	[R_TEAM_SETTINGS] = "SELECT (SELECT v FROM meta WHERE k = 'team'),"
			    " (SELECT CAST(v AS INTEGER) FROM meta WHERE k = 'keep_days'),"
			    " coalesce((SELECT v FROM meta WHERE k = 'leavers'), 'keep')",
	[R_SESSIONS] = "SELECT id, created, used, agent, address FROM sessions"
		       " WHERE user = ?1 AND used >= ?2 AND created >= ?3 ORDER BY used DESC, id",
	[R_LINK] = "SELECT l.role, u.name, coalesce(r.title, ''),"
		   " (SELECT v FROM meta WHERE k = 'team')"
		   " FROM links l LEFT JOIN users u ON u.id = l.made_by"
		   " LEFT JOIN rooms r ON r.id = l.room"
		   " WHERE l.hash = ?1 AND l.kind = 1 AND l.expires > ?2 AND l.uses_left > 0",
	/* A private room's title is for its people. */
	[R_INVITES] = "SELECT l.id, l.made_by, coalesce(u.name, ''), l.role,"
		      " CASE WHEN r.kind IN (0, 3) OR EXISTS (SELECT 1 FROM members m"
		      "  WHERE m.room = r.id AND m.user = ?2) THEN r.title END, l.created,"
		      " l.expires, l.uses_left FROM links l LEFT JOIN users u ON u.id = l.made_by"
		      " LEFT JOIN rooms r ON r.id = l.room"
		      " WHERE l.kind = 1 AND l.expires > ?1 AND l.uses_left > 0 ORDER BY l.id DESC",
	[R_PEOPLE] = "SELECT a.user, u.name, a.login, a.role, a.is_disabled, a.totp IS NOT NULL,"
		     " a.created, u.last_seen,"
		     " (SELECT count(*) FROM sessions s WHERE s.user = a.user AND s.used >= ?1"
		     "  AND s.created >= ?2)"
		     " FROM accounts a JOIN users u ON u.id = a.user ORDER BY u.name_key",
	[R_AUDIT] = "SELECT t.id, t.ts, t.actor, coalesce(u.name, ''), t.act, t.object, t.address"
		    " FROM audit t LEFT JOIN users u ON u.id = t.actor"
		    " WHERE t.id < ?1 ORDER BY t.id DESC LIMIT ?2",
	[R_TEAM] = "SELECT v FROM meta WHERE k = 'team'",
	/* Ordinals at the marker and at the end; no row is counted but mentions. */
	[R_BELONG] = "SELECT r.id, r.rid, r.name, r.head, m.read_seq, r.n_messages,"
		     " (SELECT e.ord FROM events e INDEXED BY events_by_seq"
		     "  WHERE e.room = r.id AND e.seq <= max(m.read_seq, r.first - 1) AND e.ord IS "
		     "NOT NULL"
		     "  ORDER BY e.seq DESC LIMIT 1),"
		     " (SELECT e.own_ord FROM events e INDEXED BY events_own"
		     "  WHERE e.author = m.user AND e.room = r.id AND e.kind = 1"
		     "  ORDER BY e.seq DESC LIMIT 1),"
		     " (SELECT e.own_ord FROM events e INDEXED BY events_own"
		     "  WHERE e.author = m.user AND e.room = r.id AND e.kind = 1"
		     "  AND e.seq <= max(m.read_seq, r.first - 1) ORDER BY e.seq DESC LIMIT 1),"
		     " (SELECT count(*) FROM mentions n"
		     "  WHERE n.user = m.user AND n.room = r.id AND n.seq > m.read_seq),"
		     " r.title, r.kind, r.is_archived, m.role, m.muted_until"
		     " FROM members m JOIN rooms r ON r.id = m.room WHERE m.user = ?1"
		     " ORDER BY r.name, r.id",
	[R_DIRECT_PEOPLE] = "SELECT u.id, u.name FROM members m JOIN users u ON u.id = m.user"
			    " WHERE m.room = ?1 ORDER BY u.id",
	[R_MEMBERS] = "SELECT m.user, u.name, m.role, m.muted_until FROM members m"
		      " JOIN users u ON u.id = m.user"
		      " WHERE m.room = ?1 AND m.user > ?2 ORDER BY m.user LIMIT ?3",
	[R_PEOPLE_OF_TEAM] = "SELECT u.id, u.name, coalesce(a.role, 1) FROM users u"
			     " LEFT JOIN accounts a ON a.user = u.id WHERE u.name_key IS NOT NULL"
			     " AND instr(u.name_key, ?1) > 0 AND coalesce(NOT a.is_disabled,"
			     "  NOT EXISTS (SELECT 1 FROM accounts)) ORDER BY u.name_key LIMIT ?2",
	[R_PEOPLE_OF_ROOMS] =
		"SELECT u.id, u.name, a.role FROM users u JOIN accounts a ON a.user = u.id"
		" WHERE instr(u.name_key, ?1) > 0 AND NOT a.is_disabled AND EXISTS"
		"  (SELECT 1 FROM members x JOIN members y ON y.room = x.room"
		"   WHERE x.user = ?3 AND y.user = u.id) ORDER BY u.name_key LIMIT ?2",
	[R_ROOMS] = "SELECT id, rid, name, title, topic, head, first, kind FROM rooms"
		    " WHERE name IS NOT NULL AND NOT is_archived AND instr(name, ?1) > 0 AND (?3 = "
		    "0 OR EXISTS"
		    "  (SELECT 1 FROM members WHERE user = ?3 AND room = rooms.id))"
		    " ORDER BY name LIMIT ?2",
	[R_UP] = EVENTS_OF("events_by_seq") " ORDER BY e.seq",
	[R_DOWN] = EVENTS_OF("events_by_seq") " ORDER BY e.seq DESC",
	[R_FOLD_UP] = MESSAGES_OF " ORDER BY e.seq",
	[R_FOLD_DOWN] = MESSAGES_OF " ORDER BY e.seq DESC",
	[R_REACTIONS] = "SELECT c.emoji, c.n, m.user IS NOT NULL FROM reaction_counts c"
			" LEFT JOIN reactions m ON m.room = c.room AND m.target = c.target"
			"  AND m.emoji = c.emoji AND m.user = ?3"
			" WHERE c.room = ?1 AND c.target = ?2 ORDER BY c.since",
	[R_REACTIONS_LOG] = "SELECT emoji, count, author, react_on"
			    " FROM events INDEXED BY events_targets"
			    " WHERE room = ?1 AND target = ?2 AND kind = 4 AND seq <= ?3"
			    " ORDER BY seq",
};

int reader_open(struct reader *rd)
{
	unsigned log_number = atomic_load(&rd->st->log_number);
	int err;

	if (rd->db.h != NULL && (rd->log_number == log_number || !sqlite3_get_autocommit(rd->db.h)))
		return 0;
	db_close(&rd->db);
	/* What stands there now may be another history. */
	err = in_place_check(&rd->st->db_file);
	if (err == 0)
		err = db_open(&rd->db, rd->st->path, DB_READ);
	if (err != 0)
		return err;
	rd->log_number = log_number;
	return db_prepare(&rd->db, statements, R_N_STMTS);
}

static int run(struct reader *rd, struct store_read *r)
{
	switch (r->kind) {
	case STORE_READ_HELLO:
		return read_hello(rd, r);
	case STORE_READ_SESSION:
		return read_session(rd, r);
	case STORE_READ_ACCOUNT:
		return read_account(rd, r);
	case STORE_READ_LISTS:
		return read_lists_of_team(rd, r);
	case STORE_READ_PASSKEY:
		return read_passkey(rd, r);
	case STORE_READ_TEAM:
		return read_team(rd, r);
	case STORE_READ_BELONG:
		return read_belong(rd, r);
	case STORE_READ_EVENTS:
		return read_events(rd, r);
	case STORE_READ_ROOMS:
		return read_rooms(rd, r);
	case STORE_READ_PEOPLE:
		return read_people(rd, r);
	case STORE_READ_MEMBERS:
		return read_members(rd, r);
	}
	r->err = PROTO_E_INTERNAL;
	r->why = "There is no such read.";
	return 0;
}

/* The store stops: to answer all that waits could take longer than stopping may. */
static void refuse(struct reader *rd, struct store_read *r)
{
	r->err = PROTO_E_UNAVAILABLE;
	r->why = "the server is stopping";
	r->retry_ms = WRITER_RETRY_MS;
	rd->st->hooks.answer(rd->st->ctx, r);
}

/* One transaction: everything in an answer is of one snapshot, which is younger than the question.
 */
static int begin(struct reader *rd)
{
	int err = reader_open(rd);

	if (err == 0 && sqlite3_get_autocommit(rd->db.h))
		err = db_run(db_stmt(&rd->db, R_BEGIN));
	return err;
}

/* The connection goes; the next read opens it again. */
static void give_up(struct reader *rd, int err)
{
	if (!rd->failing) {
		char why[160];
		db_describe(&rd->db, err, why, sizeof(why));
		log_warn("store: cannot read: %s", why);
	}
	db_close(&rd->db);
	rd->failing = true;
}

static void answer(struct reader *rd, struct store_read *r)
{
	int err = begin(rd);

	if (err == 0)
		err = run(rd, r);
	if (err == 0) {
		rd->failing = false;
		return;
	}
	give_up(rd, err);
	r->events.len = 0;
	r->err = PROTO_E_UNAVAILABLE;
	r->why = "The storage failed.";
	r->retry_ms = WRITER_RETRY_MS;
}

/* A part of what waits, so that the other readers have their parts. */
static struct store_read *take_batch_locked(struct store *st) REQUIRES(st->read_lock)
{
	size_t share = (st->n_reads_queued + st->n_readers - 1) / st->n_readers;
	size_t max = share < BATCH_MAX ? share : BATCH_MAX, n = 1;
	struct store_read *first = st->first_read, *last = first;

	if (first == NULL)
		return NULL;
	for (; n < max; n++)
		last = last->next;
	st->first_read = last->next;
	if (st->first_read == NULL)
		st->last_read = &st->first_read;
	last->next = NULL;
	st->n_reads_queued -= n;
	st->n_reads += n;
	return first;
}

void reader_answer_all(struct reader *rd, struct store_read *reads)
{
	while (reads != NULL) {
		struct store_read *r = reads;

		reads = r->next;
		r->next = NULL;
		answer(rd, r);
		rd->st->hooks.answer(rd->st->ctx, r);
	}
	if (rd->db.h == NULL || sqlite3_get_autocommit(rd->db.h))
		return;
	int err = db_run(db_stmt(&rd->db, R_COMMIT));
	if (err != 0)
		give_up(rd, err);
}

static void refuse_all(struct reader *rd, struct store_read *reads)
{
	while (reads != NULL) {
		struct store_read *r = reads;

		reads = r->next;
		r->next = NULL;
		refuse(rd, r);
	}
}

void *reader_main(void *reader)
{
	struct reader *rd = reader;
	struct store *st = rd->st;

	pthread_setname_np(pthread_self(), "store-reader");
	crash_watch_thread();
	mutex_lock(&st->read_lock);
	for (;;) {
		struct store_read *reads = take_batch_locked(st);

		if (reads != NULL) {
			bool stopping = st->reads_stopping;

			mutex_unlock(&st->read_lock);
			if (stopping)
				refuse_all(rd, reads);
			else
				reader_answer_all(rd, reads);
			mutex_lock(&st->read_lock);
		} else if (st->reads_stopping) {
			break;
		} else {
			cond_wait(&st->read_work, &st->read_lock);
		}
	}
	mutex_unlock(&st->read_lock);
	db_close(&rd->db);
	return NULL;
}
