#pragma once
#include "hubbub/buf.h"
#include "hubbub/config.h"
#include "hubbub/request.h"
#include <jansson.h>

/** Where the readers read from, and what they fill. */
struct field_source {
	json_t *root; /* the request's object */
	const struct config *cfg;
	struct request *req;
	const char *why; /* set by the reader that fails: a static sentence */
	/* Names after folding; req's spans point here until they are packed. */
	struct buf folded, folded_key, login, login_key;
};

/** Check one field (or a few that belong together) and store it in src->req. */
typedef enum proto_error field_reader(struct field_source *src);

field_reader field_read_room, field_read_key, field_read_text, field_read_thread, field_read_quote,
	field_read_files, field_read_mentions, field_read_target, field_read_emoji, field_read_on,
	field_read_since, field_read_epoch, field_read_limit, field_read_bound, field_read_fold,
	field_read_seq, field_read_forget, field_read_query, field_read_user_name, field_read_token,
	field_read_caps, field_read_team, field_read_team_if, field_read_leavers, field_read_reason,
	field_read_label, field_read_credential, field_read_client_data,
	field_read_authenticator_data, field_read_signature, field_read_delete, field_read_login,
	field_read_password, field_read_code, field_read_new_password, field_read_role,
	field_read_uses, field_read_expires, field_read_room_if;

/** The users' ids in the array @v, each once, into src->req->mentions, which has place. */
enum proto_error field_read_ids(struct field_source *src, const json_t *v, const char *refusal);

/* fields_room.c */
field_reader field_read_title, field_read_kind, field_read_topic, field_read_topic_if,
	field_read_user, field_read_users, field_read_after_user, field_read_people_query,
	field_read_room_role, field_read_for, field_read_days;
