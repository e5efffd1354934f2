/*
 * What must not be in a database, as SQL.
 *
 * First the log, then what is derived from it.  A rule yields a row for each room, so that a
 * million wrong events are one line.  Each reads the log once, mostly through an index.
 */
#include "store/check.h"

/* The newest reaction of everybody to everything, where it is one and its message is there. */
#define WANTED_REACTIONS                                                             \
	"SELECT room, target, emoji, author FROM ("                                  \
	" SELECT room, target, emoji, author, react_on, max(seq) FROM events"        \
	" WHERE kind = 4 GROUP BY room, target, emoji, author) x WHERE react_on = 1" \
	" AND target >= (SELECT first FROM rooms WHERE id = x.room)"                 \
	" AND NOT EXISTS (SELECT 1 FROM events d"                                    \
	"  WHERE d.room = x.room AND d.target = x.target AND d.kind = 3)"

const struct check_rule check_rules[] = {
	{"the log", "events missing from the log, the first is %s",
	 "SELECT room, sum(seq - due), min(due) FROM (SELECT e.room, e.seq,"
	 " lag(e.seq, 1, 0) OVER (PARTITION BY e.room ORDER BY e.seq) + 1 AS due"
	 " FROM events e) WHERE seq > due GROUP BY room"},
	{"the log", "events under a seq that another has, the first is %s",
	 "SELECT room, sum(n - 1), min(seq) FROM (SELECT room, seq, count(*) AS n FROM events"
	 " GROUP BY room, seq HAVING n > 1) GROUP BY room"},
	{"the log", "events below the beginning of the log whose text is there, the first is %s",
	 "SELECT e.room, count(*), min(e.seq) FROM events e JOIN rooms r ON r.id = e.room"
	 " WHERE (e.seq < r.first OR (e.kind = 2 AND e.target < r.first))"
	 " AND e.body IS NOT NULL GROUP BY e.room"},
	{"heads", "head that is not the newest event, it is %s",
	 "SELECT id, 1, head || ', not ' || newest FROM (SELECT id, head,"
	 " coalesce((SELECT max(seq) FROM events WHERE room = rooms.id), 0) AS newest"
	 " FROM rooms) WHERE head <> newest"},
	{"ordinals", "events with a wrong ordinal, the first is %s",
	 "SELECT room, count(*), min(seq) FROM (SELECT room, seq, kind, ord,"
	 " sum(kind = 1) OVER (PARTITION BY room ORDER BY seq) AS due FROM events)"
	 " WHERE ord IS NOT due AND (kind = 1 OR ord IS NOT NULL) GROUP BY room"},
	{"ordinals", "messages with a wrong ordinal of their author, the first is %s",
	 "SELECT room, count(*), min(seq) FROM (SELECT room, seq, own_ord,"
	 " row_number() OVER (PARTITION BY author, room ORDER BY seq) AS due"
	 " FROM events WHERE kind = 1) WHERE own_ord IS NOT due GROUP BY room"},
	{"ordinals", "count of messages that is wrong, it is %s",
	 "SELECT id, 1, n_messages || ', not ' || due FROM (SELECT id, n_messages,"
	 " (SELECT count(*) FROM events WHERE room = rooms.id AND kind = 1) AS due FROM rooms)"
	 " WHERE n_messages <> due"},
	{"keys", "events under a key that their author has used before, the first is %s",
	 "SELECT e.room, count(*), min(e.seq) FROM events e JOIN ("
	 " SELECT author, key, min(id) AS id FROM events WHERE key IS NOT NULL"
	 " GROUP BY author, key HAVING count(*) > 1) x"
	 " ON x.author = e.author AND x.key = e.key AND x.id <> e.id GROUP BY e.room"},
	{"keys", "events without a key or the hash of their content, the first is %s",
	 "SELECT room, count(*), min(seq) FROM events"
	 " WHERE (kind IN (1, 2, 4) AND key IS NULL) OR (kind <= 4 AND (key IS NULL) <> (hash IS"
	 " NULL)) GROUP BY room"},
	{"orphans", "events of a room that is not there, the first is %s",
	 "SELECT NULL, count(*), '#' || room || ' ' || min(seq) FROM events"
	 " WHERE room NOT IN (SELECT id FROM rooms) GROUP BY room"},
	{"orphans", "events of an author who is not there, the first is %s",
	 "SELECT room, count(*), min(seq) FROM events"
	 " WHERE author NOT IN (SELECT id FROM users) AND (kind <> 10 OR author <> 0)"
	 " GROUP BY room"},
	{"orphans", "edits, deletions and reactions without their message, the first is %s",
	 "SELECT e.room, count(*), min(e.seq) FROM events e WHERE e.kind IN (2, 3, 4)"
	 " AND NOT EXISTS (SELECT 1 FROM events t WHERE t.room = e.room AND t.seq = e.target"
	 "  AND t.kind = 1 AND t.seq < e.seq) GROUP BY e.room"},
	{"orphans", "answers and quotes of what is no message, the first is %s",
	 "SELECT e.room, count(*), min(e.seq) FROM events e"
	 " WHERE (e.thread IS NOT NULL AND NOT EXISTS (SELECT 1 FROM events t"
	 "  WHERE t.room = e.room AND t.seq = e.thread AND t.kind = 1 AND t.seq < e.seq))"
	 " OR (e.kind = 1 AND e.quote IS NOT NULL AND NOT EXISTS (SELECT 1 FROM events t"
	 "  WHERE t.room = e.room AND t.seq = e.quote AND t.kind = 1 AND t.seq < e.seq))"
	 " GROUP BY e.room"},
	{"orphans", "memberships of nobody, the first is of #%s",
	 "SELECT room, count(*), min(user) FROM members"
	 " WHERE user NOT IN (SELECT id FROM users) GROUP BY room"},
	{"orphans", "memberships in a room that is not there, the first is #%s",
	 "SELECT NULL, count(*), room FROM members"
	 " WHERE room NOT IN (SELECT id FROM rooms) GROUP BY room"},
	{"orphans", "names of rooms that are not there, the first is of #%s",
	 "SELECT NULL, count(*), min(room) FROM room_aliases"
	 " WHERE room NOT IN (SELECT id FROM rooms) HAVING count(*) > 0"},
	{"read markers", "read markers above the head, the first is at %s",
	 "SELECT m.room, count(*), min(m.read_seq) FROM members m JOIN rooms r ON r.id = m.room"
	 " WHERE m.read_seq > r.head GROUP BY m.room"},
	{"deletions",
	 "deleted messages and edits of them whose text is there still, the first is %s",
	 "SELECT d.room, count(*), min(e.seq) FROM events d JOIN events e ON e.room = d.room"
	 " AND (e.seq = d.target OR (e.target = d.target AND e.kind = 2))"
	 " WHERE d.kind = 3 AND e.body IS NOT NULL GROUP BY d.room"},
	{"deletions", "messages and edits without a text, and not deleted, the first is %s",
	 "SELECT e.room, count(*), min(e.seq) FROM events e JOIN rooms r ON r.id = e.room"
	 " WHERE e.kind IN (1, 2) AND e.body IS NULL"
	 " AND CASE e.kind WHEN 1 THEN e.seq ELSE e.target END >= r.first AND NOT EXISTS (SELECT 1 "
	 "FROM events d"
	 "  WHERE d.room = e.room AND d.kind = 3"
	 "  AND d.target = CASE e.kind WHEN 1 THEN e.seq ELSE e.target END) GROUP BY e.room"},
	{"reactions", "reactions that the log has and their table has not, the first is to %s",
	 "SELECT room, count(*), min(target) FROM (" WANTED_REACTIONS
	 " EXCEPT SELECT room, target, emoji, user FROM reactions) GROUP BY room"},
	{"reactions", "reactions that the log has not, the first is to %s",
	 "SELECT room, count(*), min(target) FROM (SELECT room, target, emoji, user FROM reactions"
	 " EXCEPT " WANTED_REACTIONS ") GROUP BY room"},
	{"reactions", "kinds of reactions that are counted wrongly, the first is to %s",
	 "SELECT room, count(*), min(target) FROM (SELECT room, target, emoji FROM ("
	 " SELECT room, target, emoji, n FROM reaction_counts UNION ALL"
	 " SELECT room, target, emoji, -1 FROM reactions) GROUP BY room, target, emoji"
	 " HAVING sum(n) <> 0) GROUP BY room"},
	{"mentions", "mentions without their message, the first is in %s",
	 "SELECT m.room, count(*), min(m.seq) FROM mentions m WHERE NOT EXISTS ("
	 " SELECT 1 FROM events e WHERE e.room = m.room AND e.seq = m.seq AND e.kind = 1"
	 " AND e.mentions IS NOT NULL) GROUP BY m.room"},
};
const size_t check_n_rules = sizeof(check_rules) / sizeof(check_rules[0]);
