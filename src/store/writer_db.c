/*
 * The writer's connection: its statements, and how it comes back after a failure.
 *
 * When a commit fails, nobody knows what of it reached the disk.  So nothing more is written until
 * a new connection was opened; then the file says what is true.  An event above the last
 * one told is published then, as found: its sender was told `unavailable`, and gets the first
 * reply when it tries again under the same key.  A guest made by such a commit was never told its
 * token; the row goes, and the name is free again.
 */
#include "hubbub/log.h"
#include "hubbub/mem.h"
#include "store/row.h"
#include "store/store_internal.h"
#include "store/writer.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The row looks like ?1, and row ?2, whose own name is to be that, has not looked so before: who
 * looks like another since before that was asked may go on so. */
#define LOOKS_LIKE "(skeleton = name_skeleton(?1, 0) OR skeleton_i = name_skeleton(?1, 1))"
#define IS_NEW_TO(table)                                          \
	"NOT EXISTS (SELECT 1 FROM " table " me WHERE me.id = ?2" \
	" AND me.skeleton = name_skeleton(?1, 0) AND me.skeleton_i = name_skeleton(?1, 1))"

static const char *const statements[W_N_STMTS] = {
	[W_BEGIN] = "BEGIN IMMEDIATE",
	[W_COMMIT] = "COMMIT",
	[W_PROBE] = "UPDATE meta SET v = randomblob(8) WHERE k = 'probe'",
	[W_ROOM] = "SELECT rid, name, head, n_messages, kind, is_archived FROM rooms"
		   " WHERE id = ?1",
	[W_ROOM_FLUSH] = "UPDATE rooms SET head = ?2, n_messages = ?3 WHERE id = ?1",
	[W_ROOM_BY_NAME] = "SELECT id FROM rooms WHERE name = ?1"
			   " UNION ALL SELECT room FROM room_aliases WHERE name = ?1",
	[W_ROOM_BY_RID] = "SELECT id FROM rooms WHERE rid = ?1",
	[W_ROOM_NEW] = "INSERT INTO rooms(rid, name, title, kind, topic, people, skeleton,"
		       " skeleton_i) VALUES(?1, ?2, ?3, ?4, ?5, ?6,"
		       " CASE WHEN ?2 IS NOT NULL THEN name_skeleton(?3, 0) END,"
		       " CASE WHEN ?2 IS NOT NULL THEN name_skeleton(?3, 1) END)",
	/* Where there are accounts: in open mode anybody may be called anything. */
	[W_ROOM_LOOKALIKE] = "SELECT 1 FROM (SELECT id FROM rooms WHERE " LOOKS_LIKE
			     " UNION ALL SELECT room FROM room_aliases WHERE skeleton IN"
			     "  (name_skeleton(?1, 0), name_skeleton(?1, 1)))"
			     " WHERE id <> ?2 AND " IS_NEW_TO(
				     "rooms") " AND EXISTS (SELECT 1 FROM accounts) LIMIT 1",
	[W_USER_LOOKALIKE] =
		"SELECT 1 FROM users u WHERE " LOOKS_LIKE
		" AND id <> ?2 AND name_key IS NOT NULL AND " IS_NEW_TO(
			"users") " AND EXISTS (SELECT 1 FROM accounts WHERE user = u.id) LIMIT 1",
	[W_ROOM_SNAPSHOT] = "SELECT rid, name, title, topic, first, kind, is_archived,"
			    " coalesce(keep_days + 1, 0) FROM rooms WHERE id = ?1",
	[W_USER_NAME] = "SELECT name FROM users WHERE id = ?1",
	/* Whoever has an account keeps their name. */
	[W_USER_BY_KEY] = "SELECT id, CASE WHEN EXISTS(SELECT 1 FROM accounts WHERE user = id)"
			  " THEN 9223372036854775807 ELSE last_seen END"
			  " FROM users WHERE name_key = ?1",
	[W_USER_BY_TOKEN] = "SELECT id, name, name_key FROM users WHERE token_hash = ?1",
	[W_USER_FREE_KEY] = "UPDATE users SET name_key = NULL, skeleton = NULL,"
			    " skeleton_i = NULL WHERE id = ?1",
	[W_USER_NEW] = "INSERT INTO users(name, name_key, token_hash, created, last_seen,"
		       " skeleton, skeleton_i) VALUES(?1, ?2, ?3, ?4, ?4,"
		       " name_skeleton(?1, 0), name_skeleton(?1, 1))",
	[W_USER_RENAME] = "UPDATE users SET name = ?2, name_key = ?3, last_seen = ?4,"
			  " skeleton = name_skeleton(?2, 0), skeleton_i = name_skeleton(?2, 1)"
			  " WHERE id = ?1",
	[W_USER_SEEN] = "UPDATE users SET last_seen = ?2 WHERE id = ?1",
	[W_TEAM_SET] = "INSERT INTO meta VALUES('team', ?1)"
		       " ON CONFLICT DO UPDATE SET v = excluded.v",
	[W_ACCOUNTS] = "SELECT 1 FROM accounts LIMIT 1",
	[W_TEAM] = "SELECT v FROM meta WHERE k = 'team'",
	[W_BLOCK] = "SELECT 1 FROM blocks WHERE user = ?1 AND blocked = ?2",
	[W_BLOCK_ADD] = "INSERT OR IGNORE INTO blocks(user, blocked) VALUES(?1, ?2)",
	[W_BLOCK_DROP] = "DELETE FROM blocks WHERE user = ?1 AND blocked = ?2",
	[W_BLOCK_DIRECT] = "SELECT 1 FROM members m JOIN blocks b"
			   " ON (b.user = m.user AND b.blocked = ?1)"
			   " OR (b.user = ?1 AND b.blocked = m.user)"
			   " WHERE m.room = ?2 AND m.user <> ?1"
			   " AND (SELECT count(*) FROM members WHERE room = ?2) = 2 LIMIT 1",
	[W_BLOCKS] = "SELECT count(*) FROM blocks WHERE user = ?1",
	[W_BLOCKS_CLEAR] = "DELETE FROM blocks WHERE user = ?1 OR blocked = ?1",
	[W_REPORT_NEW] = "INSERT OR IGNORE INTO reports(room, seq, reporter, ts, reason)"
			 " VALUES(?1, ?2, ?3, ?4, ?5)",
	[W_REPORT] = "SELECT room, seq FROM reports WHERE id = ?1",
	[W_REPORT_DROP] = "DELETE FROM reports WHERE room = ?1 AND seq = ?2",
	/* Who was mailed a link just now is mailed no other. */
	[W_ACCOUNT_TO_MAIL] =
		"SELECT user, role FROM accounts WHERE login_key = ?1 AND NOT is_disabled"
		" AND NOT EXISTS (SELECT 1 FROM links l WHERE l.user = accounts.user"
		"  AND l.kind = 2 AND l.made_by = 0 AND l.created > ?2)",
	[W_PASSKEYS] = "SELECT count(*) FROM passkeys WHERE user = ?1",
	[W_PASSKEY_NEW] = "INSERT OR IGNORE INTO passkeys(user, credential, cose, key, count, name,"
			  " created, used) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
	[W_PASSKEY_DROP] = "DELETE FROM passkeys WHERE user = ?1 AND id = ?2",
	/* A count that does not rise is a copy's, or this answer's again. */
	[W_PASSKEY_USED] = "UPDATE passkeys SET count = ?3, used = ?4 WHERE credential = ?1"
			   " AND user = ?2 AND (count < ?3 OR (count = 0 AND ?3 = 0))",
	[W_PASSKEYS_CLEAR] = "DELETE FROM passkeys WHERE user = ?1",
	[W_TEAM_SETTING] = "INSERT INTO meta VALUES(?1, ?2)"
			   " ON CONFLICT DO UPDATE SET v = excluded.v",
	[W_TEAM_SETTINGS] = "SELECT (SELECT v FROM meta WHERE k = 'leavers')",
	[W_USER_LEAVE] = "UPDATE users SET name = ?2, name_key = NULL, token_hash = NULL,"
			 " skeleton = NULL, skeleton_i = NULL WHERE id = ?1",
	[W_ACCOUNT_DROP] = "DELETE FROM accounts WHERE user = ?1",
	[W_MENTIONS_OF] = "DELETE FROM mentions WHERE user = ?1",
	[W_LINKS_OF] = "UPDATE links SET uses_left = 0 WHERE made_by = ?1",
	[W_LEAVER_NEW] = "INSERT INTO leavers(user, removes) VALUES(?1, ?2)",
	[W_LEAVER] = "SELECT user, removes, room, seq FROM leavers LIMIT 1",
	/* Direct rooms keep their people: they are what the room is called by. */
	[W_LEAVER_ROOM] = "SELECT m.room FROM members m JOIN rooms r ON r.id = m.room"
			  " WHERE m.user = ?1 AND r.kind <> 2 LIMIT 1",
	[W_LEAVER_AT] = "UPDATE leavers SET room = ?2, seq = ?3 WHERE user = ?1",
	[W_LEAVER_MESSAGE] = "SELECT room, seq FROM events INDEXED BY events_own"
			     " WHERE author = ?1 AND kind = 1 AND (room, seq) > (?2, ?3)"
			     " AND body IS NOT NULL ORDER BY room, seq LIMIT 1",
	[W_LEAVER_DONE] = "DELETE FROM leavers WHERE user = ?1",
	[W_EXPIRE_NEXT] =
		"SELECT d.id, d.first, d.days FROM (SELECT id, first, coalesce(keep_days,"
		"  (SELECT CAST(v AS INTEGER) FROM meta WHERE k = 'keep_days'), 0) AS days"
		" FROM rooms WHERE id > ?1 ORDER BY id LIMIT 500) d JOIN events e"
		" ON e.room = d.id AND e.seq = d.first"
		" WHERE d.days > 0 AND e.ts < ?2 - d.days * 86400000 ORDER BY d.id LIMIT 1",
	[W_EXPIRE_WINDOW] = "SELECT coalesce(max(id), 0) FROM"
			    " (SELECT id FROM rooms WHERE id > ?1 ORDER BY id LIMIT 500)",
	[W_ROOM_FIRST] = "UPDATE rooms SET first = ?2 WHERE id = ?1",
	[W_ROOM_KEEP] = "UPDATE rooms SET keep_days = ?2 WHERE id = ?1",
	[W_IDENTITY] = "SELECT user FROM identities WHERE issuer = ?1 AND subject = ?2",
	[W_IDENTITY_OF] = "SELECT 1 FROM identities WHERE user = ?1 AND issuer = ?2",
	[W_IDENTITY_NEW] = "INSERT INTO identities(issuer, subject, user, created)"
			   " VALUES(?1, ?2, ?3, ?4)",
	[W_IDENTITY_DROP] = "DELETE FROM identities WHERE user = ?1",
	[W_ACCOUNT] = "SELECT is_disabled, totp_step, role, password, totp_new, login"
		      " FROM accounts WHERE user = ?1",
	[W_ACCOUNT_BY_LOGIN] = "SELECT 1 FROM accounts WHERE login_key = ?1",
	[W_ACCOUNT_ROLE] = "UPDATE accounts SET role = ?2 WHERE user = ?1",
	[W_ACCOUNT_DISABLE] = "UPDATE accounts SET is_disabled = ?2 WHERE user = ?1",
	[W_ACCOUNT_TOTP_NEW] = "UPDATE accounts SET totp_new = ?2 WHERE user = ?1",
	[W_ACCOUNT_TOTP_ON] = "UPDATE accounts SET totp = totp_new, totp_new = NULL,"
			      " totp_step = ?2 WHERE user = ?1",
	[W_ACCOUNT_TOTP_OFF] = "UPDATE accounts SET totp = NULL, totp_new = NULL WHERE user = ?1",
	[W_OTHER_OWNERS] = "SELECT 1 FROM accounts"
			   " WHERE role = ?2 AND NOT is_disabled AND user <> ?1 LIMIT 1",
	[W_RECOVERY_NEW] = "INSERT OR IGNORE INTO recovery(user, hash) VALUES(?1, ?2)",
	[W_RECOVERY_USE] = "DELETE FROM recovery WHERE user = ?1 AND hash = ?2",
	[W_RECOVERY_CLEAR] = "DELETE FROM recovery WHERE user = ?1",
	[W_LINK] = "SELECT id, role, room, user FROM links"
		   " WHERE hash = ?1 AND kind = ?2 AND expires > ?3 AND uses_left > 0",
	[W_LINK_NEW] = "INSERT INTO links(hash, kind, role, room, user, made_by, created, expires,"
		       " uses_left) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[W_LINK_USE] = "UPDATE links SET uses_left = uses_left - 1 WHERE id = ?1",
	[W_LINK_DROP] = "DELETE FROM links WHERE id = ?1 AND kind = 1",
	[W_LINKS_DROP] = "DELETE FROM links WHERE user = ?1",
	[W_SESSION] = "SELECT s.id, s.user, a.role FROM sessions s"
		      " JOIN accounts a ON a.user = s.user"
		      " WHERE s.hash = ?1 AND s.used >= ?2 AND s.created >= ?3"
		      " AND NOT a.is_disabled",
	[W_SESSION_RENEW] = "UPDATE sessions SET hash = ?2, used = ?3 WHERE id = ?1",
	[W_ACCOUNT_NEW] = "INSERT INTO accounts(user, login, login_key, password, role, created)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[W_ACCOUNT_PASSWORD] = "UPDATE accounts SET password = ?2 WHERE user = ?1",
	[W_ACCOUNT_TOTP_STEP] = "UPDATE accounts SET totp_step = ?2 WHERE user = ?1",
	[W_SESSION_NEW] = "INSERT INTO sessions(hash, user, created, used, agent, address)"
			  " VALUES(?1, ?2, ?3, ?3, ?4, ?5)",
	[W_SESSION_USED] = "UPDATE sessions SET used = ?2 WHERE id = ?1",
	[W_SESSION_DROP] = "DELETE FROM sessions WHERE user = ?1 AND id = ?2",
	[W_SESSIONS_DROP] = "DELETE FROM sessions WHERE user = ?1 AND id <> ?2",
	[W_SESSIONS_EXPIRE] =
		"DELETE FROM sessions WHERE user = ?1 AND (used < ?2 OR created < ?3)",
	[W_AUDIT] = "INSERT INTO audit(ts, actor, act, object, address) VALUES(?1, ?2, ?3, ?4, ?5)",
	[W_MEMBER] = "SELECT role, muted_until FROM members WHERE user = ?1 AND room = ?2",
	[W_MEMBER_ADD] = "INSERT OR IGNORE INTO members(user, room, role) VALUES(?1, ?2, ?3)",
	[W_MEMBER_READ] = "UPDATE members SET read_seq = ?3 WHERE user = ?1 AND room = ?2",
	[W_MEMBER_DROP] = "DELETE FROM members WHERE user = ?1 AND room = ?2",
	[W_MEMBER_INVITE] = "INSERT OR IGNORE INTO members(user, room, role, read_seq)"
			    " VALUES(?1, ?2, ?3, ?4)",
	[W_MEMBER_ROLE] = "UPDATE members SET role = ?3 WHERE user = ?1 AND room = ?2",
	[W_MEMBER_MUTE] = "UPDATE members SET muted_until = ?3 WHERE user = ?1 AND room = ?2",
	[W_MEMBER_OTHER_OWNER] = "SELECT 1 FROM members WHERE room = ?2 AND user <> ?1 AND role = 3"
				 " LIMIT 1",
	/* Ids rise, so the lowest has been there longest, as far as is known. */
	[W_MEMBER_HEIR] = "SELECT user FROM members WHERE room = ?2 AND user <> ?1"
			  " ORDER BY role DESC, user LIMIT 1",
	[W_ROOM_BY_PEOPLE] = "SELECT id FROM rooms WHERE people = ?1",
	[W_ROOM_TOPIC] = "UPDATE rooms SET topic = ?2 WHERE id = ?1",
	[W_ROOM_RENAME] = "UPDATE rooms SET title = ?2, name = ?3,"
			  " skeleton = CASE WHEN ?3 IS NOT NULL THEN name_skeleton(?2, 0) END,"
			  " skeleton_i = CASE WHEN ?3 IS NOT NULL THEN name_skeleton(?2, 1) END"
			  " WHERE id = ?1",
	[W_ROOM_ALIAS] = "INSERT OR IGNORE INTO room_aliases(name, room, skeleton)"
			 " VALUES(?2, ?1, name_skeleton(?2, 0))",
	[W_ROOM_UNALIAS] = "DELETE FROM room_aliases WHERE name = ?2 AND room = ?1",
	[W_ROOM_ARCHIVE] = "UPDATE rooms SET is_archived = ?2 WHERE id = ?1",
	[W_ROOM_PEOPLE] = "SELECT u.id, u.name FROM members m JOIN users u ON u.id = m.user"
			  " WHERE m.room = ?1 ORDER BY u.id",
	/* Where there are accounts, who has none is nobody. */
	[W_USER_TEAM] =
		"SELECT coalesce(a.role, 1) FROM users u LEFT JOIN accounts a ON a.user = u.id"
		" WHERE u.id = ?1 AND coalesce(NOT a.is_disabled,"
		"  NOT EXISTS (SELECT 1 FROM accounts))",
	[W_AUDIT_ROOM] = "INSERT INTO audit(ts, actor, act, object, address) VALUES(?1, ?2, ?3, ?4,"
			 " coalesce((SELECT address FROM sessions WHERE id = ?5), ''))",
	[W_EVENT_BY_KEY] = "SELECT seq, ts, hash, room FROM events WHERE author = ?1 AND key = ?2",
	[W_EVENT_BY_SEQ] = "SELECT id, kind, author, body IS NULL, mentions, ts FROM events"
			   " WHERE room = ?1 AND seq = ?2",
	[W_EVENT_NEW] =
		"INSERT INTO events(room, seq, ts, kind, author, target, thread, quote, ord,"
		" own_ord, react_on, count, emoji, key, hash, mentions, body)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17) ON CONFLICT(author, key) DO NOTHING",
	[W_OWN_ORD] = "SELECT own_ord FROM events INDEXED BY events_own"
		      " WHERE author = ?1 AND room = ?2 AND kind = 1 ORDER BY seq DESC LIMIT 1",
	[W_CLEAR_MESSAGE] = "UPDATE events SET body = NULL, mentions = NULL WHERE id = ?1",
	[W_CLEAR_EDITS] = "UPDATE events INDEXED BY events_targets SET body = NULL"
			  " WHERE room = ?1 AND target = ?2 AND kind = 2",
	[W_MENTION_ADD] = "INSERT OR IGNORE INTO mentions(user, room, seq)"
			  " SELECT id, ?2, ?3 FROM users WHERE id = ?1 AND NOT EXISTS"
			  " (SELECT 1 FROM blocks WHERE user = ?1 AND blocked = ?4)",
	[W_MENTION_DROP] = "DELETE FROM mentions WHERE user = ?1 AND room = ?2 AND seq = ?3",
	[W_REACTION_ADD] = "INSERT OR IGNORE INTO reactions(room, target, emoji, user)"
			   " VALUES(?1, ?2, ?3, ?4)",
	[W_REACTION_DROP] = "DELETE FROM reactions"
			    " WHERE room = ?1 AND target = ?2 AND emoji = ?3 AND user = ?4",
	[W_REACTIONS_CLEAR] = "DELETE FROM reactions WHERE room = ?1 AND target = ?2",
	[W_REACTION_COUNT_ADD] = "INSERT INTO reaction_counts(room, target, emoji, n, since)"
				 " VALUES(?1, ?2, ?3, 1, ?4) ON CONFLICT DO UPDATE SET n = n + 1",
	[W_REACTION_COUNT_SUB] = "UPDATE reaction_counts SET n = n - 1"
				 " WHERE room = ?1 AND target = ?2 AND emoji = ?3",
	[W_REACTION_COUNT_TRIM] = "DELETE FROM reaction_counts"
				  " WHERE room = ?1 AND target = ?2 AND emoji = ?3 AND n <= 0",
	[W_REACTION_COUNTS_CLEAR] = "DELETE FROM reaction_counts WHERE room = ?1 AND target = ?2",
	[W_REACTION_COUNT] = "SELECT n FROM reaction_counts"
			     " WHERE room = ?1 AND target = ?2 AND emoji = ?3",
	[W_REACTION_KINDS] = "SELECT count(*) FROM reaction_counts WHERE room = ?1 AND target = ?2",
	[W_FOUND] = "SELECT " ROW_EVENT_COLUMNS ", e.id, e.room, coalesce(r.name, '~' || r.rid)"
		    " FROM events e JOIN rooms r ON r.id = e.room"
		    " LEFT JOIN users u ON u.id = e.author WHERE e.id > ?1 ORDER BY e.id",
	/* An account that was never told of goes with its user. */
	[W_FOUND_ACCOUNTS] = "DELETE FROM accounts WHERE user > ?1",
	[W_FOUND_IDENTITIES] = "DELETE FROM identities WHERE user > ?1",
	[W_FOUND_PASSKEYS] = "DELETE FROM passkeys WHERE user > ?1",
	[W_FOUND_USERS] = "DELETE FROM users WHERE id > ?1"
			  " AND NOT EXISTS (SELECT 1 FROM members m WHERE m.user = users.id)",
};

static int open_connection(struct writer *w, struct db *db)
{
	int err = db_open(db, w->st->path, DB_WRITE_GATHERED);

	if (err == 0)
		err = db_exec(db, "PRAGMA journal_size_limit=67108864");
	if (err == 0)
		err = db_prepare(db, statements, W_N_STMTS);
	if (err == 0) /* the first look into the database has made it */
		err = in_place_note(&w->st->wal_file);
	if (err != 0) {
		db_describe(db, err, w->failure, sizeof(w->failure));
		db_close(db);
		return err;
	}
	checkpoint_watch(w->st, db->h);
	return 0;
}

int writer_open(struct writer *w)
{
	int err = open_connection(w, &w->db);

	in_place_watch_open(&w->watch, w->st->dir);
	if (err == 0)
		err = db_get_int(&w->db, "SELECT coalesce(max(id), 0) FROM events", &w->last_event);
	if (err == 0)
		err = db_get_int(&w->db, "SELECT coalesce(max(id), 0) FROM users", &w->last_user);
	if (err != 0)
		db_close(&w->db);
	w->batch_event = w->last_event;
	w->batch_user = w->last_user;
	return err;
}

void writer_close(struct writer *w)
{
	writer_drop_caches(w);
	db_close(&w->db);
	in_place_watch_close(&w->watch);
}

/* The statement's memory goes with the next step, so what the event points at is copied.  NULL: the
 * row is damaged. */
static struct store_op *found_op(sqlite3_stmt *s)
{
	struct store_op *op = store_op_new(STORE_FOUND, (struct store_origin){0});
	struct event *e = &op->event;
	int64_t mentions[REQUEST_MAX_MENTIONS];

	if (!row_read_event(s, e, mentions) ||
	    !db_column_text(s, ROW_N_EVENT_COLUMNS + 2, &e->room)) {
		store_op_free(op);
		return NULL;
	}
	op->room_id = sqlite3_column_int64(s, ROW_N_EVENT_COLUMNS + 1);
	op->user = e->from_id;
	op->seq = e->seq;
	op->ts = e->ts;
	op->drops_tail = e->kind == EVENT_DELETE || e->kind == EVENT_RENAME;

	struct span *const spans[] = {&e->room,  &e->from_name,  &e->text,
				      &e->emoji, &e->about_name, &e->title};
	size_t n_ids = e->n_mentions * sizeof(int64_t);

	/* Reserved whole: the spans point into it, so it must not move.  The ids come first, where
	 * the allocation is aligned for them. */
	buf_reserve(&op->scratch, n_ids + e->room.len + e->from_name.len + e->text.len +
					  e->emoji.len + e->about_name.len + e->title.len + 1);
	buf_append(&op->scratch, mentions, n_ids);
	e->mentions = n_ids != 0 ? (const int64_t *)(const void *)op->scratch.p : NULL;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		if (spans[i]->p == NULL)
			continue;
		size_t at = op->scratch.len;
		buf_append_span(&op->scratch, *spans[i]);
		spans[i]->p = op->scratch.p + at;
	}
	return op;
}

/* All events above the last one told, in the order of their commit. */
static int find_untold(struct writer *w, struct store_op **out, int64_t *last)
{
	struct store_op **tail = out;
	sqlite3_stmt *s = db_stmt(&w->db, W_FOUND);
	int rc;

	*last = w->last_event;
	db_bind_int(s, 1, w->last_event);
	while ((rc = db_step(s)) > 0) {
		*last = sqlite3_column_int64(s, ROW_N_EVENT_COLUMNS);
		*tail = found_op(s);
		if (*tail == NULL) {
			sqlite3_reset(s);
			return -EUCLEAN;
		}
		tail = &(*tail)->next;
	}
	return rc;
}

static int describe_file(struct writer *w, const struct in_place_file *f, int err)
{
	snprintf(w->failure, sizeof(w->failure), "%s was deleted or moved: %s", f->path,
		 db_strerror(err));
	return err;
}

int writer_check_files(struct writer *w)
{
	const struct in_place_file *f = &w->st->db_file;

	if (in_place_watch_is_quiet(&w->watch))
		return 0;
	int err = in_place_check(f);
	if (err == 0) {
		f = &w->st->wal_file;
		err = in_place_check(f);
	}
	in_place_watch_looked(&w->watch, err == 0);
	return err != 0 ? describe_file(w, f, err) : 0;
}

/*
 * The database is where it was and its log is not.  What is in the log is in no other place, so it
 * goes into the database, by the connection that has the lost file open.  That file is empty then:
 * other connections that still have it fail rather than read what is not so.
 */
static int save_log(struct writer *w)
{
	if (sqlite3_wal_checkpoint_v2(w->db.h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
	    SQLITE_OK) {
		int err = db_errno(&w->db);

		db_describe(&w->db, err, w->failure, sizeof(w->failure));
		return err;
	}
	log_error("store: %s; what was in it is in the database now, and a new one is begun",
		  w->failure);
	atomic_fetch_add(&w->st->log_number, 1);
	return 0;
}

/* The old connection goes when the new one is there: it may have the only way to a lost log. */
static int reopen(struct writer *w)
{
	struct db fresh;
	int err = in_place_check(&w->st->db_file);

	if (err != 0)
		return describe_file(w, &w->st->db_file, err);
	/*
	 * SQLite would open a file to read that cannot be written, and keeps that descriptor as
	 * long as others have the file open: one more with each try.
	 */
	if (access(w->st->path, W_OK) != 0) {
		err = -errno;
		snprintf(w->failure, sizeof(w->failure), "cannot write to %s: %s", w->st->path,
			 strerror(-err));
		return err;
	}
	if (writer_check_files(w) != 0)
		err = save_log(w);
	if (err == 0)
		err = open_connection(w, &fresh);
	if (err != 0)
		return err;
	db_close(&w->db);
	w->db = fresh;
	return 0;
}

int writer_recover(struct writer *w)
{
	struct store_op *found = NULL;
	int64_t last;
	int64_t n_new_users = 0;

	writer_drop_caches(w);
	int err = reopen(w);
	if (err != 0)
		return err;
	err = find_untold(w, &found, &last);
	for (int i = W_FOUND_ACCOUNTS; err == 0 && i <= W_FOUND_PASSKEYS; i++) {
		sqlite3_stmt *s = db_stmt(&w->db, i);

		db_bind_int(s, 1, w->last_user);
		err = db_run(s);
	}
	if (err == 0) {
		sqlite3_stmt *s = db_stmt(&w->db, W_FOUND_USERS);

		db_bind_int(s, 1, w->last_user);
		err = db_run(s);
		n_new_users = err == 0 ? sqlite3_changes(w->db.h) : 0;
	}
	if (err != 0) {
		db_describe(&w->db, err, w->failure, sizeof(w->failure));
		while (found != NULL) {
			struct store_op *next = found->next;

			store_op_free(found);
			found = next;
		}
		return err;
	}
	if (found != NULL || n_new_users != 0)
		log_warn(
			"store: a commit that failed was stored all the same (events %lld to %lld)",
			(long long)w->last_event + 1, (long long)last);
	w->last_event = w->batch_event = last;
	w->batch_user = w->last_user;
	w->broken = false;
	if (found != NULL)
		w->st->hooks.publish(w->st->ctx, found);
	return 0;
}
