/*
 * From one text frame to a struct request.
 *
 * Each op is a row of the table below: its name, and the readers of its fields, in the order in
 * which they are judged.  A reader checks one field's type, range and length and stores it; the
 * first that fails decides the error.  Fields that no reader asks for are ignored.
 *
 * While reading, the request's spans point into the JSON tree, or into the scratch buffers where
 * a name was folded.  At the end pack() copies the request and its strings into one block, and the
 * tree goes: what moves on to other threads is that block.
 */
#include "hubbub/request.h"

#include "fields.h"
#include "hubbub/mem.h"
#include "json.h"
#include "json_arena.h"
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 7

static const struct op_row {
	struct span name;
	field_reader *readers[MAX_FIELDS + 1];
} op_rows[N_OPS] = {
	[OP_HELLO] = {SPAN("hello"), {field_read_user_name, field_read_token, field_read_caps}},
	[OP_JOIN] = {SPAN("join"),
		     {field_read_room, field_read_since, field_read_epoch, field_read_limit}},
	[OP_LEAVE] = {SPAN("leave"), {field_read_room, field_read_forget}},
	[OP_SEND] = {SPAN("send"),
		     {field_read_room, field_read_key, field_read_text, field_read_thread,
		      field_read_quote, field_read_mentions, field_read_files}},
	[OP_EDIT] = {SPAN("edit"),
		     {field_read_room, field_read_key, field_read_target, field_read_text}},
	[OP_DELETE] = {SPAN("delete"), {field_read_room, field_read_key, field_read_target}},
	[OP_REACT] = {SPAN("react"),
		      {field_read_room, field_read_key, field_read_target, field_read_emoji,
		       field_read_on}},
	[OP_HISTORY] = {SPAN("history"),
			{field_read_room, field_read_bound, field_read_limit, field_read_fold}},
	[OP_READ] = {SPAN("read"), {field_read_room, field_read_seq}},
	[OP_TYPING] = {SPAN("typing"), {field_read_room}},
	[OP_ROOMS] = {SPAN("rooms"), {field_read_query, field_read_limit}},
	[OP_PONG] = {SPAN("pong"), {NULL}},
	[OP_CREATE] = {SPAN("create"),
		       {field_read_title, field_read_key, field_read_kind, field_read_topic_if}},
	[OP_DIRECT] = {SPAN("direct"), {field_read_users}},
	[OP_PEOPLE] = {SPAN("people"), {field_read_people_query, field_read_limit}},
	[OP_MEMBERS] = {SPAN("members"),
			{field_read_room, field_read_after_user, field_read_limit}},
	[OP_INVITE] = {SPAN("invite"), {field_read_room, field_read_key, field_read_user}},
	[OP_REMOVE] = {SPAN("remove"), {field_read_room, field_read_key, field_read_user}},
	[OP_ROLE] = {SPAN("role"),
		     {field_read_room, field_read_key, field_read_user, field_read_room_role}},
	[OP_MUTE] = {SPAN("mute"),
		     {field_read_room, field_read_key, field_read_user, field_read_for}},
	[OP_TOPIC] = {SPAN("topic"), {field_read_room, field_read_key, field_read_topic}},
	[OP_RENAME] = {SPAN("rename"), {field_read_room, field_read_key, field_read_title}},
	[OP_ARCHIVE] = {SPAN("archive"), {field_read_room, field_read_key, field_read_on}},
	[OP_KEEP] = {SPAN("keep"), {field_read_room, field_read_key, field_read_days}},
	[OP_SERVER] = {SPAN("server"), {NULL}},
	[OP_SETUP] = {SPAN("setup"),
		      {field_read_team, field_read_user_name, field_read_login, field_read_password,
		       field_read_token}},
	[OP_SIGN_IN] = {SPAN("sign-in"), {field_read_login, field_read_password, field_read_code}},
	[OP_SIGN_OUT] = {SPAN("sign-out"), {NULL}},
	[OP_ME] = {SPAN("me"), {NULL}},
	[OP_SET_NAME] = {SPAN("name"), {field_read_user_name}},
	[OP_SET_PASSWORD] = {SPAN("password"), {field_read_password, field_read_new_password}},
	[OP_TOTP_BEGIN] = {SPAN("totp-begin"), {field_read_password}},
	[OP_TOTP_CONFIRM] = {SPAN("totp-confirm"), {field_read_code}},
	[OP_TOTP_END] = {SPAN("totp-end"), {field_read_password}},
	[OP_SESSIONS] = {SPAN("sessions"), {NULL}},
	[OP_SESSION_END] = {SPAN("session-end"), {NULL}},
	[OP_SESSIONS_END] = {SPAN("sessions-end"), {NULL}},
	[OP_INVITES] = {SPAN("invites"), {NULL}},
	[OP_INVITE_NEW] = {SPAN("invite-new"),
			   {field_read_role, field_read_uses, field_read_expires,
			    field_read_room_if}},
	[OP_INVITE_END] = {SPAN("invite-end"), {NULL}},
	[OP_INVITE_LOOK] = {SPAN("invite-look"), {field_read_token}},
	[OP_INVITE_ACCEPT] = {SPAN("invite-accept"),
			      {field_read_token, field_read_user_name, field_read_login,
			       field_read_password}},
	[OP_USERS] = {SPAN("users"), {NULL}},
	[OP_USER_NEW] = {SPAN("user-new"),
			 {field_read_user_name, field_read_login, field_read_role}},
	[OP_USER_ROLE] = {SPAN("user-role"), {field_read_role}},
	[OP_USER_DISABLED] = {SPAN("user-disabled"), {field_read_on}},
	[OP_USER_SESSIONS] = {SPAN("user-sessions"), {NULL}},
	[OP_USER_SIGN_OUT] = {SPAN("user-sign-out"), {NULL}},
	[OP_USER_RESET] = {SPAN("user-reset"), {NULL}},
	[OP_RESET] = {SPAN("reset"), {field_read_token, field_read_password}},
	[OP_AUDIT] = {SPAN("audit"), {NULL}},
	[OP_FIGURES] = {SPAN("figures"), {NULL}},
	[OP_OIDC_START] = {SPAN("oidc-start"), {field_read_token}},
	[OP_OIDC_CALLBACK] = {SPAN("oidc-callback"), {NULL}},
	[OP_OIDC_ENTER] = {SPAN("oidc-enter"), {field_read_token, field_read_user_name}},
	[OP_OIDC_LINK] = {SPAN("oidc-link"), {field_read_password}},
	[OP_OIDC_UNLINK] = {SPAN("oidc-unlink"), {field_read_password}},
	[OP_LEAVE_TEAM] = {SPAN("leave-team"), {field_read_password}},
	[OP_EXPORT] = {SPAN("export"), {NULL}},
	[OP_EXPORT_MESSAGES] = {SPAN("export-messages"), {NULL}},
	[OP_PASSKEYS] = {SPAN("passkeys"), {NULL}},
	[OP_PASSKEY_BEGIN] = {SPAN("passkey-begin"), {field_read_password}},
	[OP_PASSKEY_NEW] = {SPAN("passkey-new"),
			    {field_read_client_data, field_read_authenticator_data,
			     field_read_label}},
	[OP_PASSKEY_END] = {SPAN("passkey-end"), {NULL}},
	[OP_PASSKEY_CHALLENGE] = {SPAN("passkey-challenge"), {NULL}},
	[OP_PASSKEY_ENTER] = {SPAN("passkey-enter"),
			      {field_read_credential, field_read_client_data,
			       field_read_authenticator_data, field_read_signature}},
	[OP_TEAM_ROOMS] = {SPAN("team-rooms"), {NULL}},
	[OP_BLOCKS] = {SPAN("blocks"), {NULL}},
	[OP_BLOCK] = {SPAN("block"), {field_read_user, field_read_on}},
	[OP_REPORT] = {SPAN("report"), {field_read_room, field_read_target, field_read_reason}},
	[OP_REPORTS] = {SPAN("reports"), {NULL}},
	[OP_REPORT_CLOSE] = {SPAN("report-close"), {field_read_delete}},
	[OP_RESET_MAIL] = {SPAN("reset-mail"), {field_read_login}},
	[OP_TEAM] = {SPAN("team"), {NULL}},
	[OP_TEAM_SET] = {SPAN("team-set"),
			 {field_read_team_if, field_read_days, field_read_leavers}},
};

static bool find_op(struct span name, enum op *out)
{
	for (int i = 0; i < N_WS_OPS; i++) {
		if (span_equal(op_rows[i].name, name)) {
			*out = (enum op)i;
			return true;
		}
	}
	return false;
}

static bool read_id(const json_t *v, struct request_id *id)
{
	if (json_is_integer(v)) {
		json_int_t n = json_integer_value(v);

		if (n < 0 || (uint64_t)n > REQUEST_MAX_SEQ)
			return false;
		*id = (struct request_id){.kind = REQUEST_ID_INT, .n = (uint64_t)n};
		return true;
	}
	if (json_is_string(v)) {
		struct span s = {.p = json_string_value(v), .len = json_string_length(v)};

		if (s.len == 0 || s.len > REQUEST_MAX_ID)
			return false;
		*id = (struct request_id){.kind = REQUEST_ID_STRING, .s = s};
		return true;
	}
	return false;
}

static enum proto_error read_fields(struct field_source *src)
{
	for (field_reader *const *reader = op_rows[src->req->op].readers; *reader; reader++) {
		enum proto_error e = (*reader)(src);

		if (e != PROTO_OK)
			return e;
	}
	if (src->req->op == OP_HELLO && src->cfg->open && src->req->name.p == NULL &&
	    src->req->token.p == NULL) {
		src->why = "hello wants a name, a token, or both.";
		return PROTO_E_BAD_REQUEST;
	}
	return PROTO_OK;
}

static enum proto_error read_request(struct field_source *src, const char *refused)
{
	struct request *r = src->req;
	const json_t *op = json_object_get(src->root, "op");
	struct span name = {0};

	if (json_is_string(op))
		name = (struct span){.p = json_string_value(op), .len = json_string_length(op)};
	bool has_id = read_id(json_object_get(src->root, "id"), &r->id);
	if (refused != NULL) {
		src->why = refused;
		return PROTO_E_BAD_REQUEST;
	}
	bool is_known = name.p != NULL && find_op(name, &r->op);
	if (!has_id && !(is_known && r->op == OP_PONG)) {
		src->why = "id is an integer from 0 below 2^53 or a string of 1 to 64 bytes.";
		return PROTO_E_BAD_REQUEST;
	}
	if (name.p == NULL) {
		src->why = "op names what is asked for.";
		return PROTO_E_BAD_REQUEST;
	}
	if (!is_known) {
		src->why = "This server does not know that op.";
		return PROTO_E_UNSUPPORTED;
	}
	return read_fields(src);
}

/* One block with the request and what its spans point to. */
static struct request *pack(struct request read)
{
	struct span *const kept[] = {
		&read.room,
		&read.title,
		&read.rid,
		&read.name,
		&read.name_key,
		&read.token,
		&read.epoch,
		&read.key,
		&read.text,
		&read.emoji,
		&read.query,
		&read.id.s,
		&read.team,
		&read.login,
		&read.login_key,
		&read.password,
		&read.new_password,
		&read.code,
		&read.topic,
		&read.title_key,
		&read.credential,
		&read.client_data,
		&read.authenticator_data,
		&read.signature,
	};
	const size_t n = sizeof(kept) / sizeof(kept[0]);
	size_t size = sizeof(read);

	for (size_t i = 0; i < n; i++)
		size += kept[i]->p != NULL ? kept[i]->len + 1 : 0;

	struct request *r = mem_alloc(size);
	char *at = (char *)(r + 1);

	for (size_t i = 0; i < n; i++) {
		if (kept[i]->p == NULL)
			continue;
		memcpy(at, kept[i]->p, kept[i]->len);
		at[kept[i]->len] = '\0';
		kept[i]->p = at;
		at += kept[i]->len + 1;
	}
	*r = read;
	return r;
}

/* A refused request keeps its id, and its op for whoever counts. */
static void keep_id_only(struct request *r)
{
	*r = (struct request){.op = r->op, .id = r->id};
}

static enum proto_error read_body(struct field_source *src, const char *refused)
{
	if (refused != NULL) {
		src->why = refused;
		return PROTO_E_BAD_REQUEST;
	}
	return read_fields(src);
}

static enum proto_error decode(struct request **out, struct span text, struct request read,
			       const struct config *cfg, const char **why,
			       enum proto_error (*read_root)(struct field_source *, const char *))
{
	struct field_source src = {.cfg = cfg, .req = &read};
	const char *refused;
	enum proto_error e = PROTO_E_BAD_REQUEST;

	json_arena_begin();
	src.root = json_read_object(text, &refused);
	if (src.root != NULL)
		e = read_root(&src, refused);
	else
		src.why = refused;
	if (e != PROTO_OK)
		keep_id_only(&read);
	*out = pack(read);
	json_decref(src.root);
	json_arena_end();
	buf_deinit(&src.folded);
	buf_deinit(&src.folded_key);
	buf_deinit(&src.login);
	buf_deinit(&src.login_key);
	*why = src.why;
	return e;
}

enum proto_error request_decode(struct request **out, struct span text, const struct config *cfg,
				const char **why)
{
	return decode(out, text, (struct request){0}, cfg, why, read_request);
}

enum proto_error request_decode_body(struct request **out, enum op op, struct span text,
				     const struct config *cfg, const char **why)
{
	return decode(out, text, (struct request){.op = op}, cfg, why, read_body);
}

void request_free(struct request *r)
{
	if (r != NULL && r->password.p != NULL)
		explicit_bzero((char *)r->password.p, r->password.len);
	if (r != NULL && r->new_password.p != NULL)
		explicit_bzero((char *)r->new_password.p, r->new_password.len);
	free(r);
}

bool op_is_write(enum op op)
{
	return op == OP_SEND || op == OP_EDIT || op == OP_DELETE || op == OP_REACT ||
	       op == OP_CREATE || op_is_change(op);
}

bool op_is_change(enum op op)
{
	return op >= OP_INVITE && op <= OP_KEEP;
}
