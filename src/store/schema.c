/*
 * The tables, and how older ones become them.
 *
 * The rules that make deleted text go (each was measured to matter):
 *  - A text lives in one place only, events.body, and events is an append-only rowid table.
 *    Appending never moves a row, so no stale copy of one is left behind in a page.
 *  - An edit is a row of its own.  No UPDATE makes a row longer; a deletion makes bodies NULL.
 *    An UPDATE of a column that no index holds rewrites the row where it stands, and SQLite
 *    balances pages after it only when a row no longer fits.
 *  - So there are no foreign keys and no triggers on events either: they would turn that UPDATE
 *    into a delete and an insert, which may merge pages, copying what lives in them.
 *  - No index and no derived table holds text.
 *
 * user_version counts the migrations that were run.  A migration that was released never changes.
 */
#include "store/schema.h"
#include "hubbub/log.h"
#include <errno.h>
#include <stdio.h>

static const char *const migrations[] = {
	/* 1: the log */
	"CREATE TABLE meta(k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES('epoch', lower(hex(randomblob(12))));"
	"INSERT INTO meta VALUES('hash_key', randomblob(32));"
	"INSERT INTO meta VALUES('probe', randomblob(8));"

	/* name_key is NULL once another took the name over; the row stays for the log's sake. */
	"CREATE TABLE users("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL,"
	" name_key TEXT UNIQUE,"
	" token_hash BLOB UNIQUE,"
	" created INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL);"

	/* n_messages counts message events, tombstones included: the newest one's ord. */
	"CREATE TABLE rooms("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" rid TEXT NOT NULL UNIQUE,"
	" name TEXT UNIQUE,"
	" title TEXT NOT NULL,"
	" topic TEXT NOT NULL DEFAULT '',"
	" head INTEGER NOT NULL DEFAULT 0,"
	" first INTEGER NOT NULL DEFAULT 1,"
	" n_messages INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE room_aliases(name TEXT PRIMARY KEY, room INTEGER NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE members("
	" user INTEGER NOT NULL,"
	" room INTEGER NOT NULL,"
	" read_seq INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(user, room)) WITHOUT ROWID;"

	/* ord: which message of the room it is; own_ord: which of its author's in that room.  So
	 * unread is a difference of ordinals.  (Since 2 other events have an ord, too.) */
	"CREATE TABLE events("
	" id INTEGER PRIMARY KEY,"
	" room INTEGER NOT NULL,"
	" seq INTEGER NOT NULL,"
	" ts INTEGER NOT NULL,"
	" kind INTEGER NOT NULL,"
	" author INTEGER NOT NULL,"
	" target INTEGER,"
	" thread INTEGER,"
	" quote INTEGER,"
	" ord INTEGER,"
	" own_ord INTEGER,"
	" react_on INTEGER,"
	" count INTEGER,"
	" emoji BLOB,"
	" key BLOB,"
	" hash BLOB,"
	" mentions BLOB,"
	" body BLOB);"
	"CREATE UNIQUE INDEX events_by_seq ON events(room, seq);"
	"CREATE UNIQUE INDEX events_by_key ON events(author, key);"
	"CREATE INDEX events_messages ON events(room, seq, ord) WHERE kind = 1;"
	"CREATE INDEX events_own ON events(author, room, seq, own_ord) WHERE kind = 1;"
	"CREATE INDEX events_targets ON events(room, target, kind, seq) WHERE target IS NOT NULL;"
	"CREATE INDEX events_threads ON events(room, thread, seq) WHERE thread IS NOT NULL;"

	/* since: the seq of the event that brought the emoji, for a stable order. */
	"CREATE TABLE reactions("
	" room INTEGER NOT NULL,"
	" target INTEGER NOT NULL,"
	" emoji BLOB NOT NULL,"
	" user INTEGER NOT NULL,"
	" PRIMARY KEY(room, target, emoji, user)) WITHOUT ROWID;"
	"CREATE TABLE reaction_counts("
	" room INTEGER NOT NULL,"
	" target INTEGER NOT NULL,"
	" emoji BLOB NOT NULL,"
	" n INTEGER NOT NULL,"
	" since INTEGER NOT NULL,"
	" PRIMARY KEY(room, target, emoji)) WITHOUT ROWID;"

	"CREATE TABLE mentions("
	" user INTEGER NOT NULL,"
	" room INTEGER NOT NULL,"
	" seq INTEGER NOT NULL,"
	" PRIMARY KEY(user, room, seq)) WITHOUT ROWID;",

	/* 2: one index less to write for every message.  Since then every event has its ord, how
	 * many messages there are up to it; of the older ones only messages have. */
	"DROP INDEX events_messages;",

	/* 3: accounts.  A user without one is a guest; password is NULL where there is none to sign
	 * in with. */
	"CREATE TABLE accounts("
	" user INTEGER PRIMARY KEY,"
	" login TEXT," /* NULL: a guest who came by a link, and has only this device */
	" login_key TEXT UNIQUE,"
	" password TEXT,"
	" role INTEGER NOT NULL,"
	" is_disabled INTEGER NOT NULL DEFAULT 0,"
	" totp BLOB,"
	" totp_new BLOB," /* until a code of it was shown */
	" totp_step INTEGER NOT NULL DEFAULT 0,"
	" created INTEGER NOT NULL);"
	/* One for each device that is signed in.  hash is of its token, id is what it is listed by.
	 */
	"CREATE TABLE sessions("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" hash BLOB NOT NULL UNIQUE,"
	" user INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" used INTEGER NOT NULL,"
	" agent TEXT NOT NULL,"
	" address TEXT NOT NULL);"
	"CREATE INDEX sessions_by_user ON sessions(user);"
	/* Codes in place of the second factor, each good once. */
	"CREATE TABLE recovery(user INTEGER NOT NULL, hash BLOB NOT NULL,"
	" PRIMARY KEY(user, hash)) WITHOUT ROWID;"
	/* What lets in who holds its token.  kind 1: an invitation with role, and for a guest the
	 * only room; 2: a new password for user. */
	"CREATE TABLE links("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" hash BLOB NOT NULL UNIQUE,"
	" kind INTEGER NOT NULL,"
	" role INTEGER NOT NULL,"
	" room INTEGER,"
	" user INTEGER,"
	" made_by INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" uses_left INTEGER NOT NULL);"
	/* Every administrative act: who, what, to whom, when, from where. */
	"CREATE TABLE audit("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" ts INTEGER NOT NULL,"
	" actor INTEGER NOT NULL,"
	" act TEXT NOT NULL,"
	" object TEXT NOT NULL DEFAULT '',"
	" address TEXT NOT NULL DEFAULT '');",

	/* 4: kinds of rooms, and roles in them.  Private and direct rooms have no name; people are
	 * a direct room's, their ids in rising order.  Events of kind 7 have in count whom they are
	 * about, in react_on what happened, in quote its value; of kind 6 in emoji the new title.
	 */
	"ALTER TABLE rooms ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN is_archived INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN people TEXT;"
	"CREATE UNIQUE INDEX rooms_by_people ON rooms(people) WHERE people IS NOT NULL;"
	"ALTER TABLE members ADD COLUMN role INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE members ADD COLUMN muted_until INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX members_by_room ON members(room, user);",

	/* 5: who is who for a provider of identities.  A subject is never given to another. */
	"CREATE TABLE identities("
	" issuer TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" user INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" PRIMARY KEY(issuer, subject)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX identities_by_user ON identities(user, issuer);",

	/* 6: what expires, and who left.  keep_days: NULL as the team's (in meta), 0 for ever.  A
	 * leaver's messages up to room and seq are gone. */
	"ALTER TABLE rooms ADD COLUMN keep_days INTEGER;"
	"CREATE TABLE leavers("
	" user INTEGER PRIMARY KEY,"
	" removes INTEGER NOT NULL,"
	" room INTEGER NOT NULL DEFAULT 0,"
	" seq INTEGER NOT NULL DEFAULT 0);",

	/* 7: who wants nothing of whom, and messages reported to the admins.  A report holds no
	 * text of its message. */
	"CREATE TABLE blocks("
	" user INTEGER NOT NULL,"
	" blocked INTEGER NOT NULL,"
	" PRIMARY KEY(user, blocked)) WITHOUT ROWID;"
	"CREATE INDEX blocks_by_blocked ON blocks(blocked, user);"
	"CREATE TABLE reports("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" room INTEGER NOT NULL,"
	" seq INTEGER NOT NULL,"
	" reporter INTEGER NOT NULL,"
	" ts INTEGER NOT NULL,"
	" reason TEXT NOT NULL,"
	" UNIQUE(room, seq, reporter));",

	/* 8: what names look like, so that no new one is taken for another's: skeleton reads a
	 * capital I as the l that it looks like, skeleton_i as i.  Old ones may look like each
	 * other still.  Who lost their name, or left, has none. */
	"ALTER TABLE users ADD COLUMN skeleton TEXT;"
	"ALTER TABLE users ADD COLUMN skeleton_i TEXT;"
	"ALTER TABLE rooms ADD COLUMN skeleton TEXT;"
	"ALTER TABLE rooms ADD COLUMN skeleton_i TEXT;"
	"ALTER TABLE room_aliases ADD COLUMN skeleton TEXT;"
	"UPDATE users SET skeleton = name_skeleton(name, 0), skeleton_i = name_skeleton(name, 1)"
	" WHERE name_key IS NOT NULL;"
	"UPDATE rooms SET skeleton = name_skeleton(title, 0), skeleton_i = name_skeleton(title, 1)"
	" WHERE name IS NOT NULL;"
	"UPDATE room_aliases SET skeleton = name_skeleton(name, 0);"
	"CREATE INDEX users_by_skeleton ON users(skeleton);"
	"CREATE INDEX users_by_skeleton_i ON users(skeleton_i);"
	"CREATE INDEX rooms_by_skeleton ON rooms(skeleton);"
	"CREATE INDEX rooms_by_skeleton_i ON rooms(skeleton_i);"
	"CREATE INDEX room_aliases_by_skeleton ON room_aliases(skeleton);",

	/* 9: passkeys.  count is of their signatures, 0 where they do not count. */
	"CREATE TABLE passkeys("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user INTEGER NOT NULL,"
	" credential BLOB NOT NULL UNIQUE,"
	" cose INTEGER NOT NULL,"
	" key BLOB NOT NULL,"
	" count INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" used INTEGER NOT NULL);"
	"CREATE INDEX passkeys_by_user ON passkeys(user);",
};

enum {
	N_MIGRATIONS = sizeof(migrations) / sizeof(migrations[0]),
	/* A whole check reads the whole file: only where that is a matter of milliseconds. */
	QUICK_CHECK_MAX_PAGES = 1024,
};

int schema_version(void)
{
	return N_MIGRATIONS;
}

static int refuse(struct db *db, const char *name, int err)
{
	char why[160];

	db_describe(db, err, why, sizeof(why));
	log_error("store: cannot use %s: %s (SQLite says: %s)", name, db_strerror(err), why);
	return err;
}

/* 0 and the version that the file has; an empty file has 0. */
static int identify(struct db *db, const char *name, int64_t *version)
{
	int64_t app = 0, tables = 0;
	int err = db_get_int(db, "PRAGMA application_id", &app);

	if (err == 0)
		err = db_get_int(db, "PRAGMA user_version", version);
	if (err == 0)
		err = db_get_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (err != 0)
		return refuse(db, name, err);
	if (app == 0 && *version == 0 && tables == 0)
		return 0;
	if (app != SCHEMA_APPLICATION_ID) {
		log_error("store: %s is a database of some other program", name);
		return -EINVAL;
	}
	if (*version > N_MIGRATIONS) {
		log_error("store: %s was written by a newer Hubbub (its version is %lld, this "
			  "program knows up to %d); run that one",
			  name, (long long)*version, N_MIGRATIONS);
		return -ENOTSUP;
	}
	return 0;
}

int schema_check_version(struct db *db, const char *name)
{
	int64_t version = 0;

	return identify(db, name, &version);
}

static int quick_check(struct db *db, const char *name)
{
	int64_t pages = 0, bad = 0;
	int err = db_get_int(db, "PRAGMA page_count", &pages);

	if (err == 0 && pages <= QUICK_CHECK_MAX_PAGES)
		err = db_get_int(
			db, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check <> 'ok'",
			&bad);
	if (err != 0)
		return refuse(db, name, err);
	if (bad != 0) {
		log_error("store: cannot use %s: %s", name, db_strerror(-EUCLEAN));
		return -EUCLEAN;
	}
	return 0;
}

static int migrate(struct db *db, const char *name, int64_t version)
{
	char sql[96];
	int err;

	if (version == N_MIGRATIONS)
		return 0;
	/* All in one transaction: a crash in between leaves the old version whole. */
	err = db_exec(db, "BEGIN EXCLUSIVE");
	for (int64_t v = version; err == 0 && v < N_MIGRATIONS; v++)
		err = db_exec(db, migrations[v]);
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 SCHEMA_APPLICATION_ID, N_MIGRATIONS);
	if (err == 0)
		err = db_exec(db, sql);
	if (err == 0)
		err = db_exec(db, "COMMIT");
	if (err != 0) {
		refuse(db, name, err);
		if (!sqlite3_get_autocommit(db->h))
			db_exec(db, "ROLLBACK");
		return err;
	}
	if (version != 0)
		log_info("store: migrated from version %lld to %d", (long long)version,
			 N_MIGRATIONS);
	return 0;
}

int schema_open(struct db *db, const char *name)
{
	int64_t version = 0;
	int err = identify(db, name, &version);

	if (err != 0)
		return err;
	err = quick_check(db, name);
	if (err != 0)
		return err;
	err = db_exec(db, "PRAGMA journal_mode=WAL");
	if (err == 0)
		/* A log that a long read let grow is cut back when it starts over. */
		err = db_exec(db, "PRAGMA journal_size_limit=67108864");
	if (err != 0)
		return refuse(db, name, err);
	return migrate(db, name, version);
}
