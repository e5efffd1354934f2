#pragma once
/* Layer: protocol. */
#include "hubbub/config.h"
#include "hubbub/roles.h"
#include "hubbub/span.h"
#include <stdbool.h>
#include <stdint.h>

enum op {
	OP_HELLO,
	OP_JOIN,
	OP_LEAVE,
	OP_SEND,
	OP_EDIT,
	OP_DELETE,
	OP_REACT,
	OP_HISTORY,
	OP_READ,
	OP_TYPING,
	OP_ROOMS,
	OP_PONG,
	OP_CREATE,
	OP_DIRECT,
	OP_PEOPLE,
	OP_MEMBERS,
	OP_INVITE,
	OP_REMOVE,
	OP_ROLE,
	OP_MUTE,
	OP_TOPIC,
	OP_RENAME,
	OP_ARCHIVE,
	OP_KEEP,
	N_WS_OPS,
	/* Over HTTP alone: */
	OP_SERVER = N_WS_OPS,
	OP_SETUP,
	OP_SIGN_IN,
	OP_SIGN_OUT,
	OP_ME,
	OP_SET_NAME,
	OP_SET_PASSWORD,
	OP_TOTP_BEGIN,
	OP_TOTP_CONFIRM,
	OP_TOTP_END,
	OP_SESSIONS,
	OP_SESSION_END,
	OP_SESSIONS_END,
	OP_INVITES,
	OP_INVITE_NEW,
	OP_INVITE_END,
	OP_INVITE_LOOK,
	OP_INVITE_ACCEPT,
	OP_USERS,
	OP_USER_NEW,
	OP_USER_ROLE,
	OP_USER_DISABLED,
	OP_USER_RESET,
	OP_USER_SESSIONS,
	OP_USER_SIGN_OUT,
	OP_RESET,
	OP_AUDIT,
	OP_FIGURES,
	OP_OIDC_START,
	OP_OIDC_CALLBACK,
	OP_OIDC_ENTER, /* somebody came back from the provider */
	OP_OIDC_LINK,
	OP_OIDC_UNLINK,
	OP_LEAVE_TEAM,
	OP_EXPORT,
	OP_EXPORT_MESSAGES,
	OP_TEAM,
	OP_TEAM_SET,
	OP_TEAM_ROOMS,
	OP_BLOCKS,
	OP_BLOCK,
	OP_REPORT,
	OP_REPORTS,
	OP_REPORT_CLOSE,
	OP_RESET_MAIL,
	OP_PASSKEYS,
	OP_PASSKEY_BEGIN,
	OP_PASSKEY_NEW,
	OP_PASSKEY_END,
	OP_PASSKEY_CHALLENGE,
	OP_PASSKEY_ENTER,
	N_OPS,
};

/** The contract's error codes; positive conditions, 0 is success. */
enum proto_error {
	PROTO_OK = 0,
	PROTO_E_BAD_REQUEST,
	PROTO_E_UNSUPPORTED,
	PROTO_E_UNAUTHORIZED,
	PROTO_E_FORBIDDEN,
	PROTO_E_NOT_FOUND,
	PROTO_E_NAME_TAKEN,
	PROTO_E_TOO_LARGE,
	PROTO_E_RATE_LIMITED,
	PROTO_E_KEY_CONFLICT,
	PROTO_E_UNAVAILABLE,
	PROTO_E_INTERNAL,
	PROTO_E_SECOND_FACTOR, /* over HTTP alone */
};
const char *proto_error_name(enum proto_error e); /* "bad_request" */

struct request_id {
	enum {
		REQUEST_ID_NONE,
		REQUEST_ID_INT,
		REQUEST_ID_STRING
	} kind;
	uint64_t n;
	struct span s;
};

enum history_from {
	HISTORY_NEWEST,
	HISTORY_BEFORE,
	HISTORY_AFTER,
	HISTORY_AROUND
};

/* The contract's bounds on fields: bytes, items, and the largest integer (2^53 - 1). */
#define REQUEST_MAX_SEQ ((UINT64_C(1) << 53) - 1)
#define REQUEST_MAX_ID 64
#define REQUEST_MAX_KEY 64
#define REQUEST_MAX_EMOJI 64
#define REQUEST_MAX_RID 64
#define REQUEST_MAX_MENTIONS 50
#define REQUEST_MAX_DIRECT 9 /* people beside oneself */
#define REQUEST_MAX_TITLE 80 /* characters */
#define REQUEST_MAX_TOPIC 500
#define REQUEST_MAX_KEEP_DAYS 36500
#define REQUEST_MAX_MUTE_MS (UINT64_C(30) * 24 * 60 * 60 * 1000)
#define REQUEST_MAX_LABEL 60
#define REQUEST_MAX_BASE64 4096
#define REQUEST_MAX_REASON 1000
#define REQUEST_MAX_TEAM 80
#define REQUEST_MAX_PASSWORD 1024
#define REQUEST_MAX_CODE 64
#define REQUEST_MAX_USES 1000
#define REQUEST_DEFAULT_EXPIRES_MS (UINT64_C(7) * 24 * 60 * 60 * 1000)
#define REQUEST_MAX_EXPIRES_MS (UINT64_C(365) * 24 * 60 * 60 * 1000)
#define REQUEST_MAX_DEPTH 32
#define REQUEST_DEFAULT_LIMIT 50
#define REQUEST_MAX_LIMIT 200

/**
 * One decoded request.  Allocated and freed whole; its spans point into memory that it owns, so it
 * may be handed from thread to thread.  Every field that the op has was checked for type, range and
 * length; absent optional spans have p NULL, absent numbers their has_ flag false or value 0.
 */
struct request {
	enum op op;
	struct request_id id;

	/* Where the op has a room: exactly one of them is set.  room is folded (NFKC, case), title
	 * the spelling that came; rid without its '~'. */
	struct span room, title, rid;

	/* hello */
	struct span name, name_key, token; /* name trimmed NFC, name_key folded */
	/* join */
	bool has_since, has_epoch;
	uint64_t since;
	struct span epoch;
	unsigned limit; /* join, history, rooms: default filled in, cut to the maximum */
	/* writes */
	struct span key, text, emoji;
	uint64_t target, thread, quote; /* 0: absent */
	int64_t mentions[REQUEST_MAX_MENTIONS];
	unsigned n_mentions;
	bool on;
	/* history */
	enum history_from from;
	uint64_t bound;
	bool fold;
	/* read: the marker, 0 allowed */
	uint64_t seq;
	/* leave */
	bool forget;
	/* rooms, people: folded */
	struct span query;
	/* create, rename: text is the title, title_key what it is folded to as a room's name, p
	 * NULL where it can be none.  Who an op is about is its target; direct has mentions. */
	struct span title_key, topic;
	enum room_kind kind;
	enum room_role room_role;
	uint64_t for_ms; /* mute: 0 ends it */
	/* keep, the team's settings: the days and 1; 0: as the team's, or as before */
	uint64_t keep;
	bool has_on; /* the team's settings: on is whether messages go with their author */
	/* Over HTTP, all optional: login trimmed NFC, login_key folded; passwords are wiped when
	 * the request is freed. */
	struct span team, login, login_key, password, new_password, code;
	struct span credential, client_data, authenticator_data, signature; /* base64url */
	enum team_role role;
	unsigned uses;
	uint64_t expires_ms;
};

/**
 * Decode one text frame (valid UTF-8).
 *
 * Returns PROTO_OK with *@out set (free with request_free()), or the error that the frame gets;
 * then
 * *@out is still set, holding at least id (REQUEST_ID_NONE where there was no valid one), and
 * *@why a static sentence for people.  Any thread.
 */
enum proto_error request_decode(struct request **out, struct span text, const struct config *cfg,
				const char **why);
/** The same for the body of an HTTP request, which has no `id` and no `op`: it is @op. */
enum proto_error request_decode_body(struct request **out, enum op op, struct span text,
				     const struct config *cfg, const char **why);
void request_free(struct request *r); /* NULL is allowed */
bool op_is_write(enum op op);         /* what has a key, and appends an event */
/** Of these, what changes the room or who belongs to it. */
bool op_is_change(enum op op);

/** User ids on the wire: "u" and the number.  parse: 0 where it is no such id. */
int64_t user_id_parse(struct span s);
