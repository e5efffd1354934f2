/*
 * The fields of what makes and administers rooms.
 */
#include "field_value.h"
#include "hubbub/names.h"

enum proto_error field_read_title(struct field_source *src)
{
	struct span s;

	if (!field_get_string(field_get(src, "name"), &s) || !name_clean_title(s, &src->login))
		return field_refuse(src, "name is 1 to 80 characters without controls, format "
					 "characters or line separators.");
	src->req->text = buf_span(&src->login);
	if (name_fold_room(s, &src->folded_key))
		src->req->title_key = buf_span(&src->folded_key);
	return PROTO_OK;
}

enum proto_error field_read_kind(struct field_source *src)
{
	struct span s;

	if (field_get_string(field_get(src, "kind"), &s)) {
		for (int kind = 0; kind < N_ROOM_KINDS; kind++) {
			src->req->kind = (enum room_kind)kind;
			if (kind != ROOM_DIRECT &&
			    span_equal(s, span_of(room_kind_name(src->req->kind))))
				return PROTO_OK;
		}
	}
	return field_refuse(src, "kind is public, private or announcement.");
}

enum proto_error field_read_topic(struct field_source *src)
{
	struct span s;

	if (!field_get_string(field_get(src, "topic"), &s) ||
	    (s.len > 0 && !name_is_line(s, REQUEST_MAX_TOPIC)))
		return field_refuse(src, "topic is a line of at most 500 bytes.");
	src->req->topic = s;
	return PROTO_OK;
}

enum proto_error field_read_topic_if(struct field_source *src)
{
	return field_get(src, "topic") != NULL ? field_read_topic(src) : PROTO_OK;
}

enum proto_error field_read_user(struct field_source *src)
{
	struct span s;
	int64_t id = 0;

	if (field_get_string(field_get(src, "user"), &s))
		id = user_id_parse(s);
	if (id == 0)
		return field_refuse(src, "user is a user's id.");
	src->req->target = (uint64_t)id;
	return PROTO_OK;
}

enum proto_error field_read_users(struct field_source *src)
{
	const json_t *v = field_get(src, "users");
	size_t n = json_is_array(v) ? json_array_size(v) : 0;

	if (n == 0 || n > REQUEST_MAX_DIRECT)
		return field_refuse(src, "users is an array of 1 to 9 user ids.");
	return field_read_ids(src, v, "users holds what is no user's id.");
}

enum proto_error field_read_after_user(struct field_source *src)
{
	const json_t *v = field_get(src, "after");
	struct span s;

	if (v == NULL)
		return PROTO_OK;
	if (field_get_string(v, &s))
		src->req->bound = (uint64_t)user_id_parse(s);
	if (src->req->bound == 0)
		return field_refuse(src, "after is a user's id.");
	return PROTO_OK;
}

enum proto_error field_read_people_query(struct field_source *src)
{
	const json_t *v = field_get(src, "query");
	struct span s;

	if (v == NULL)
		return PROTO_OK;
	if (!field_get_string(v, &s) || !name_fold_query(s, &src->folded))
		return field_refuse(src, "query is a part of a user's name.");
	src->req->query = buf_span(&src->folded);
	return PROTO_OK;
}

enum proto_error field_read_room_role(struct field_source *src)
{
	struct span s;

	if (field_get_string(field_get(src, "role"), &s)) {
		for (int role = ROOM_ROLE_MEMBER; role < N_ROOM_ROLES; role++) {
			src->req->room_role = (enum room_role)role;
			if (span_equal(s, span_of(room_role_name(src->req->room_role))))
				return PROTO_OK;
		}
	}
	return field_refuse(src, "role is member, moderator or owner.");
}

enum proto_error field_read_days(struct field_source *src)
{
	const json_t *v = field_get(src, "days");
	uint64_t days = 0;

	if (v == NULL || json_is_null(v))
		return PROTO_OK;
	if (!field_get_integer(v, 0, &days) || days > REQUEST_MAX_KEEP_DAYS)
		return field_refuse(src, "days is how long messages are kept: 0 is for ever, "
					 "36,500 the most.");
	src->req->keep = days + 1;
	return PROTO_OK;
}

enum proto_error field_read_for(struct field_source *src)
{
	if (!field_get_integer(field_get(src, "for_ms"), 0, &src->req->for_ms) ||
	    src->req->for_ms > REQUEST_MAX_MUTE_MS)
		return field_refuse(src, "for_ms is how long: 0 ends it, 30 days at most.");
	return PROTO_OK;
}
