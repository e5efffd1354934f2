#pragma once
/* Private to store/: what the readers' files share. */
#include "store/store_internal.h"

enum {
	R_BEGIN,
	R_COMMIT,
	R_LOG,
	R_USER_BY_TOKEN,
	R_SESSION,
	R_ACCOUNT,
	R_ACCOUNT_OF,
	R_ME,
	R_PASSKEY,
	R_PASSKEYS,
	R_ROLE_OF,
	R_BLOCKS,
	R_REPORTS,
	R_TEAM_ROOMS,
	R_EXPORT,
	R_EXPORT_IDENTITIES,
	R_EXPORT_ROOMS,
	R_EXPORT_REACTIONS,
	R_EXPORT_MESSAGES,
	R_TEAM_SETTINGS,
	R_SESSIONS,
	R_LINK,
	R_INVITES,
	R_PEOPLE,
	R_AUDIT,
	R_TEAM,
	R_BELONG,
	R_ROOMS,
	R_DIRECT_PEOPLE,
	R_MEMBERS,
	R_PEOPLE_OF_TEAM,
	R_PEOPLE_OF_ROOMS,
	R_UP,
	R_DOWN,
	R_FOLD_UP,
	R_FOLD_DOWN,
	R_REACTIONS,
	R_REACTIONS_LOG,
	R_N_STMTS,
};

/** Answer a list of reads, in their order, out of one snapshot.  They go to the store's hook. */
void reader_answer_all(struct reader *rd, struct store_read *reads);

/* Each answers one kind of read inside an open read transaction: 0, or negative when the database
 * failed.  Results and err go into the read. */
int read_events(struct reader *rd, struct store_read *r);
int read_hello(struct reader *rd, struct store_read *r);
int read_session(struct reader *rd, struct store_read *r);
/** Whose session r->token is: r->user, name, session and account; or r->err. */
int read_actor(struct reader *rd, struct store_read *r);
int read_account(struct reader *rd, struct store_read *r);
int read_team(struct reader *rd, struct store_read *r);
int read_lists_of_team(struct reader *rd, struct store_read *r);
int read_belong(struct reader *rd, struct store_read *r);
int read_passkey(struct reader *rd, struct store_read *r);
int read_export(struct reader *rd, struct store_read *r);
int read_export_messages(struct reader *rd, struct store_read *r);
int read_team_settings(struct reader *rd, struct store_read *r);
int read_rooms(struct reader *rd, struct store_read *r);
/** read_permit.c: the room r->room_id, of which r->user asks for @asked.  1: *@out stands at its
 * row of R_LOG, to be reset; 0: refused; negative: failed. */
int reader_find_log(struct reader *rd, struct store_read *r, enum op asked, sqlite3_stmt **out);
int read_members(struct reader *rd, struct store_read *r);
int read_people(struct reader *rd, struct store_read *r);

/** The reactions to one message while it is being encoded; reused from message to message. */
struct fold {
	struct event_reaction *reactions;
	struct buf emoji; /* what their spans point into */
	size_t cap;
	unsigned n;
};
/**
 * Load the reactions to message @seq of r->room_id as they stood after event @upto, with `me` for
 * r->user, into @f and @e.  @is_now: @upto is the log's head, so that the kept counts will do.
 */
int fold_reactions(struct reader *rd, const struct store_read *r, uint64_t upto, bool is_now,
		   struct fold *f, struct event *e);
void fold_deinit(struct fold *f);
