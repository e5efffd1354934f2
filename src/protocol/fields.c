/*
 * The fields of requests: type, range and length of each, as the contract has them.
 *
 * A field that is there must be right, also where it is optional: null is not "absent".
 */
#include "field_value.h"

#include "hubbub/names.h"
#include <string.h>

static bool is_rid(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return s.len > 0 && s.len <= REQUEST_MAX_RID;
}

enum proto_error field_read_room(struct field_source *src)
{
	struct span s;

	if (!field_get_string(field_get(src, "room"), &s))
		return field_refuse(src, "room is a room's name, or ~ and its rid.");
	if (s.len > 0 && s.p[0] == '~') {
		s = (struct span){.p = s.p + 1, .len = s.len - 1};
		if (!is_rid(s))
			return field_refuse(src, "Behind ~ comes a rid: letters and digits.");
		src->req->rid = s;
		return PROTO_OK;
	}
	if (!name_fold_room(s, &src->folded))
		return field_refuse(src,
				    "A room's name is 1 to 80 letters, marks, digits, '-', '_' or "
				    "'.', and begins and ends with a letter, mark or digit.");
	src->req->room = buf_span(&src->folded);
	src->req->title = s;
	return PROTO_OK;
}

/* The same where it may be absent. */
enum proto_error field_read_room_if(struct field_source *src)
{
	return field_get(src, "room") != NULL ? field_read_room(src) : PROTO_OK;
}

enum proto_error field_read_key(struct field_source *src)
{
	if (!field_get_short_string(field_get(src, "key"), REQUEST_MAX_KEY, &src->req->key))
		return field_refuse(src, "key is a string of 1 to 64 bytes.");
	return PROTO_OK;
}

enum proto_error field_read_text(struct field_source *src)
{
	struct span s;

	if (!field_get_string(field_get(src, "text"), &s) || s.len == 0)
		return field_refuse(src, "text is a string that is not empty.");
	if (s.len > src->cfg->max_text) {
		src->why = "The text is longer than limits.text allows.";
		return PROTO_E_TOO_LARGE;
	}
	src->req->text = s;
	return PROTO_OK;
}

enum proto_error field_read_thread(struct field_source *src)
{
	const json_t *v = field_get(src, "thread");

	if (v != NULL && !field_get_integer(v, 1, &src->req->thread))
		return field_refuse(src, "thread is the seq of a message.");
	return PROTO_OK;
}

enum proto_error field_read_quote(struct field_source *src)
{
	const json_t *v = field_get(src, "quote");

	if (v != NULL && !field_get_integer(v, 1, &src->req->quote))
		return field_refuse(src, "quote is the seq of a message.");
	return PROTO_OK;
}

enum proto_error field_read_files(struct field_source *src)
{
	const json_t *v = field_get(src, "files");

	if (v != NULL && (!json_is_array(v) || json_array_size(v) > 0))
		return field_refuse(src, "This server takes no files: leave files out, or empty.");
	return PROTO_OK;
}

static void add_mention(struct request *r, int64_t id)
{
	for (unsigned i = 0; i < r->n_mentions; i++) {
		if (r->mentions[i] == id)
			return;
	}
	r->mentions[r->n_mentions++] = id;
}

enum proto_error field_read_ids(struct field_source *src, const json_t *v, const char *refusal)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct span s;
		int64_t id = 0;

		if (field_get_string(json_array_get(v, i), &s))
			id = user_id_parse(s);
		if (id == 0)
			return field_refuse(src, refusal);
		add_mention(src->req, id);
	}
	return PROTO_OK;
}

enum proto_error field_read_mentions(struct field_source *src)
{
	const json_t *v = field_get(src, "mentions");

	if (v == NULL)
		return PROTO_OK;
	if (!json_is_array(v) || json_array_size(v) > REQUEST_MAX_MENTIONS)
		return field_refuse(src, "mentions is an array of at most 50 user ids.");
	return field_read_ids(src, v, "mentions holds what is no user's id.");
}

enum proto_error field_read_target(struct field_source *src)
{
	if (!field_get_integer(field_get(src, "target"), 1, &src->req->target))
		return field_refuse(src, "target is the seq of a message.");
	return PROTO_OK;
}

enum proto_error field_read_emoji(struct field_source *src)
{
	if (!field_get_short_string(field_get(src, "emoji"), REQUEST_MAX_EMOJI, &src->req->emoji))
		return field_refuse(src, "emoji is a string of 1 to 64 bytes.");
	return PROTO_OK;
}

enum proto_error field_read_on(struct field_source *src)
{
	const json_t *v = field_get(src, "on");

	if (v == NULL || !field_get_flag(v, &src->req->on))
		return field_refuse(src, "on is true or false.");
	return PROTO_OK;
}

enum proto_error field_read_since(struct field_source *src)
{
	const json_t *v = field_get(src, "since");

	src->req->has_since = v != NULL;
	if (v != NULL && !field_get_integer(v, 0, &src->req->since))
		return field_refuse(src, "since is a seq, or 0.");
	return PROTO_OK;
}

enum proto_error field_read_epoch(struct field_source *src)
{
	const json_t *v = field_get(src, "epoch");

	src->req->has_epoch = v != NULL;
	if (v != NULL && !field_get_string(v, &src->req->epoch))
		return field_refuse(src, "epoch is the string that an earlier reply held.");
	return PROTO_OK;
}

enum proto_error field_read_limit(struct field_source *src)
{
	const json_t *v = field_get(src, "limit");
	uint64_t n = REQUEST_DEFAULT_LIMIT;

	/* Only its sign matters above the maximum, however large it is. */
	if (v != NULL && !field_get_integer(v, 1, &n)) {
		if (!json_is_integer(v) || json_integer_value(v) < 1)
			return field_refuse(src, "limit is a whole number from 1.");
		n = REQUEST_MAX_LIMIT;
	}
	src->req->limit = n < REQUEST_MAX_LIMIT ? (unsigned)n : REQUEST_MAX_LIMIT;
	return PROTO_OK;
}

enum proto_error field_read_bound(struct field_source *src)
{
	static const struct {
		const char *name;
		enum history_from from;
		uint64_t min;
	} bounds[] = {
		{"before", HISTORY_BEFORE, 0},
		{"after", HISTORY_AFTER, 0},
		{"around", HISTORY_AROUND, 1},
	};
	struct request *r = src->req;

	r->from = HISTORY_NEWEST;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		const json_t *v = field_get(src, bounds[i].name);

		if (v == NULL)
			continue;
		if (r->from != HISTORY_NEWEST)
			return field_refuse(src, "Only one of before, after and around goes.");
		if (!field_get_integer(v, bounds[i].min, &r->bound))
			return field_refuse(src, "before, after and around are a seq.");
		r->from = bounds[i].from;
	}
	return PROTO_OK;
}

enum proto_error field_read_fold(struct field_source *src)
{
	if (!field_get_flag(field_get(src, "fold"), &src->req->fold))
		return field_refuse(src, "fold is true or false.");
	return PROTO_OK;
}

enum proto_error field_read_seq(struct field_source *src)
{
	if (!field_get_integer(field_get(src, "seq"), 0, &src->req->seq))
		return field_refuse(src, "seq is the last one read, or 0.");
	return PROTO_OK;
}

enum proto_error field_read_forget(struct field_source *src)
{
	if (!field_get_flag(field_get(src, "forget"), &src->req->forget))
		return field_refuse(src, "forget is true or false.");
	return PROTO_OK;
}

enum proto_error field_read_query(struct field_source *src)
{
	const json_t *v = field_get(src, "query");
	struct span s;

	if (v == NULL)
		return PROTO_OK;
	if (!field_get_string(v, &s) || !name_fold_query(s, &src->folded))
		return field_refuse(src, "query is a part of a room's name.");
	src->req->query = buf_span(&src->folded);
	return PROTO_OK;
}

enum proto_error field_read_user_name(struct field_source *src)
{
	const json_t *v = field_get(src, "name");
	struct span s;

	if (v == NULL)
		return PROTO_OK;
	if (!field_get_string(v, &s) || !name_clean_user(s, &src->folded, &src->folded_key))
		return field_refuse(src, "A name is 1 to 40 characters without controls, format "
					 "characters or line separators.");
	src->req->name = buf_span(&src->folded);
	src->req->name_key = buf_span(&src->folded_key);
	return PROTO_OK;
}

enum proto_error field_read_token(struct field_source *src)
{
	const json_t *v = field_get(src, "token");

	if (v != NULL && !field_get_string(v, &src->req->token))
		return field_refuse(src, "token is the string that an earlier hello's reply held.");
	return PROTO_OK;
}

enum proto_error field_read_caps(struct field_source *src)
{
	const json_t *v = field_get(src, "caps");

	if (v != NULL && !json_is_object(v) && !json_is_array(v))
		return field_refuse(src, "caps is an object or an array.");
	return PROTO_OK;
}

enum proto_error field_read_team(struct field_source *src)
{
	struct span s;

	if (!field_get_string(field_get(src, "team"), &s) || !name_is_line(s, REQUEST_MAX_TEAM))
		return field_refuse(src,
				    "team is the team's name: 1 to 80 bytes without controls.");
	src->req->team = s;
	return PROTO_OK;
}

enum proto_error field_read_team_if(struct field_source *src)
{
	return field_get(src, "team") != NULL ? field_read_team(src) : PROTO_OK;
}

enum proto_error field_read_reason(struct field_source *src)
{
	const json_t *v = field_get(src, "reason");

	if (v != NULL && !field_get_short_string(v, REQUEST_MAX_REASON, &src->req->text))
		return field_refuse(src, "reason is a text of 1 to 1,000 bytes.");
	return PROTO_OK;
}

enum proto_error field_read_label(struct field_source *src)
{
	const json_t *v = field_get(src, "name");

	if (v != NULL && (!field_get_string(v, &src->req->text) ||
			  !name_is_line(src->req->text, REQUEST_MAX_LABEL)))
		return field_refuse(src, "name is a line of 1 to 60 bytes.");
	return PROTO_OK;
}

static enum proto_error read_base64(struct field_source *src, const char *name, struct span *out)
{
	if (!field_get_short_string(field_get(src, name), REQUEST_MAX_BASE64, out))
		return field_refuse(src,
				    "What the passkey says is base64url, 4,096 bytes at most.");
	return PROTO_OK;
}

enum proto_error field_read_credential(struct field_source *src)
{
	return read_base64(src, "id", &src->req->credential);
}

enum proto_error field_read_client_data(struct field_source *src)
{
	return read_base64(src, "client_data", &src->req->client_data);
}

enum proto_error field_read_authenticator_data(struct field_source *src)
{
	return read_base64(src, "authenticator_data", &src->req->authenticator_data);
}

enum proto_error field_read_signature(struct field_source *src)
{
	return read_base64(src, "signature", &src->req->signature);
}

enum proto_error field_read_delete(struct field_source *src)
{
	if (!field_get_flag(field_get(src, "delete"), &src->req->on))
		return field_refuse(src, "delete is true or false.");
	return PROTO_OK;
}

enum proto_error field_read_leavers(struct field_source *src)
{
	const json_t *v = field_get(src, "leavers");
	struct span s;

	if (v == NULL)
		return PROTO_OK;
	src->req->has_on = field_get_string(v, &s) &&
			   (span_equal(s, SPAN("keep")) || span_equal(s, SPAN("remove")));
	if (!src->req->has_on)
		return field_refuse(src, "leavers is keep or remove.");
	src->req->on = span_equal(s, SPAN("remove"));
	return PROTO_OK;
}

/* Where one is wanted, what acts on the request says so. */
enum proto_error field_read_login(struct field_source *src)
{
	const json_t *v = field_get(src, "login");
	struct span s;

	if (v == NULL)
		return PROTO_OK;
	if (!field_get_string(v, &s) || !name_clean_login(s, &src->login, &src->login_key))
		return field_refuse(
			src, "login is an e-mail address or a name to sign in with: 1 to 254 "
			     "bytes without spaces and controls.");
	src->req->login = buf_span(&src->login);
	src->req->login_key = buf_span(&src->login_key);
	return PROTO_OK;
}

enum proto_error field_read_password(struct field_source *src)
{
	const json_t *v = field_get(src, "password");

	if (v != NULL && !field_get_short_string(v, REQUEST_MAX_PASSWORD, &src->req->password))
		return field_refuse(src, "password is a string of 1 to 1,024 bytes.");
	return PROTO_OK;
}

enum proto_error field_read_new_password(struct field_source *src)
{
	if (!field_get_short_string(field_get(src, "new_password"), REQUEST_MAX_PASSWORD,
				    &src->req->new_password))
		return field_refuse(src, "new_password is a string of 1 to 1,024 bytes.");
	return PROTO_OK;
}

enum proto_error field_read_code(struct field_source *src)
{
	const json_t *v = field_get(src, "code");

	if (v != NULL && !field_get_short_string(v, REQUEST_MAX_CODE, &src->req->code))
		return field_refuse(src,
				    "code is what the second factor shows, or a recovery code.");
	return PROTO_OK;
}

enum proto_error field_read_role(struct field_source *src)
{
	struct span s;

	if (field_get_string(field_get(src, "role"), &s)) {
		for (int role = 0; role < N_TEAM_ROLES; role++) {
			src->req->role = (enum team_role)role;
			if (span_equal(s, span_of(team_role_name(src->req->role))))
				return PROTO_OK;
		}
	}
	return field_refuse(src, "role is guest, member, admin or owner.");
}

enum proto_error field_read_uses(struct field_source *src)
{
	const json_t *v = field_get(src, "uses");
	uint64_t n = 1;

	if (v != NULL && (!field_get_integer(v, 1, &n) || n > REQUEST_MAX_USES))
		return field_refuse(src, "uses is how often the link works: 1 to 1,000.");
	src->req->uses = (unsigned)n;
	return PROTO_OK;
}

enum proto_error field_read_expires(struct field_source *src)
{
	const json_t *v = field_get(src, "expires_ms");

	src->req->expires_ms = REQUEST_DEFAULT_EXPIRES_MS;
	if (v != NULL && (!field_get_integer(v, 1, &src->req->expires_ms) ||
			  src->req->expires_ms > REQUEST_MAX_EXPIRES_MS))
		return field_refuse(src, "expires_ms is how long the link works: a year at most.");
	return PROTO_OK;
}
