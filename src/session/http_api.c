/*
 * The API over HTTP: what cannot go over the WebSocket, since it decides who one is there.
 *
 * Bodies and answers are JSON.  What changes something wants that as its content type, which no
 * form of another site can send unasked, beside the check of Origin that every request has.
 */
#include "session/api.h"

#include "hubbub/utf8.h"
#include <stdlib.h>
#include <strings.h>

#define JSON "application/json; charset=utf-8"
#define PREFIX "/api/v1"

/* A `*` in a path stands for a number, `u*` for a user's id: the request's target. */
static const struct route {
	const char *method, *path;
	enum op op;
	api_starter *start;
} routes[] = {
	{"GET", "/server", OP_SERVER, api_start_server},
	{"POST", "/setup", OP_SETUP, api_start_setup},
	{"POST", "/session", OP_SIGN_IN, api_start_sign_in},
	{"DELETE", "/session", OP_SIGN_OUT, api_start_sign_out},
	{"GET", "/me", OP_ME, api_start_list},
	{"POST", "/me/name", OP_SET_NAME, api_start_op},
	{"POST", "/me/password", OP_SET_PASSWORD, api_start_checked},
	{"POST", "/me/totp", OP_TOTP_BEGIN, api_start_checked},
	{"POST", "/me/totp/confirm", OP_TOTP_CONFIRM, api_start_op},
	{"DELETE", "/me/totp", OP_TOTP_END, api_start_checked},
	{"GET", "/me/sessions", OP_SESSIONS, api_start_list},
	{"DELETE", "/me/sessions/*", OP_SESSION_END, api_start_op},
	{"DELETE", "/me/sessions", OP_SESSIONS_END, api_start_op},
	{"POST", "/invites/look", OP_INVITE_LOOK, api_start_list},
	{"POST", "/invites/accept", OP_INVITE_ACCEPT, api_start_new_password},
	{"GET", "/invites", OP_INVITES, api_start_list},
	{"POST", "/invites", OP_INVITE_NEW, api_start_op},
	{"DELETE", "/invites/*", OP_INVITE_END, api_start_op},
	{"GET", "/users", OP_USERS, api_start_list},
	{"POST", "/users", OP_USER_NEW, api_start_op},
	{"POST", "/users/u*/role", OP_USER_ROLE, api_start_op},
	{"POST", "/users/u*/disabled", OP_USER_DISABLED, api_start_op},
	{"GET", "/users/u*/sessions", OP_USER_SESSIONS, api_start_list},
	{"DELETE", "/users/u*/sessions", OP_USER_SIGN_OUT, api_start_op},
	{"POST", "/users/u*/reset", OP_USER_RESET, api_start_op},
	{"POST", "/reset", OP_RESET, api_start_new_password},
	{"GET", "/audit", OP_AUDIT, api_start_list},
	{"DELETE", "/me", OP_LEAVE_TEAM, api_start_leave_team},
	{"GET", "/me/export", OP_EXPORT, api_start_list},
	{"GET", "/me/export/messages", OP_EXPORT_MESSAGES, api_start_list},
	{"GET", "/me/passkeys", OP_PASSKEYS, api_start_list},
	{"POST", "/me/passkeys/begin", OP_PASSKEY_BEGIN, api_start_checked},
	{"POST", "/me/passkeys", OP_PASSKEY_NEW, api_start_passkey_new},
	{"DELETE", "/me/passkeys/*", OP_PASSKEY_END, api_start_op},
	{"POST", "/session/passkey/challenge", OP_PASSKEY_CHALLENGE, api_start_passkey_challenge},
	{"POST", "/session/passkey", OP_PASSKEY_ENTER, api_start_passkey_enter},
	{"GET", "/me/blocks", OP_BLOCKS, api_start_list},
	{"POST", "/me/blocks", OP_BLOCK, api_start_op},
	{"POST", "/reports", OP_REPORT, api_start_op},
	{"GET", "/reports", OP_REPORTS, api_start_list},
	{"POST", "/reports/*", OP_REPORT_CLOSE, api_start_op},
	{"POST", "/reset/mail", OP_RESET_MAIL, api_start_reset_mail},
	{"GET", "/team", OP_TEAM, api_start_list},
	{"GET", "/team/rooms", OP_TEAM_ROOMS, api_start_list},
	{"POST", "/team", OP_TEAM_SET, api_start_op},
	{"GET", "/figures", OP_FIGURES, api_start_list},
	{"POST", "/oidc/start", OP_OIDC_START, api_start_oidc},
	{"GET", "/oidc/callback", OP_OIDC_CALLBACK, api_start_oidc_callback},
	{"POST", "/me/oidc", OP_OIDC_LINK, api_start_checked},
	{"DELETE", "/me/oidc", OP_OIDC_UNLINK, api_start_checked},
};

static int status_of(enum proto_error e)
{
	switch (e) {
	case PROTO_E_BAD_REQUEST:
		return 400;
	case PROTO_E_UNAUTHORIZED:
	case PROTO_E_SECOND_FACTOR:
		return 401;
	case PROTO_E_FORBIDDEN:
		return 403;
	case PROTO_E_NOT_FOUND:
		return 404;
	case PROTO_E_NAME_TAKEN:
	case PROTO_E_KEY_CONFLICT:
		return 409;
	case PROTO_E_TOO_LARGE:
		return 413;
	case PROTO_E_RATE_LIMITED:
		return 429;
	case PROTO_E_UNAVAILABLE:
		return 503;
	default:
		return 500;
	}
}

void api_answer(struct conn *c, int status, struct buf *json, const char *headers)
{
	bool was_deferred = http_is_deferred(c->http);

	http_respond(c->http, status, JSON, buf_span(json), headers);
	buf_deinit(json);
	if (was_deferred)
		conn_http_answered(c);
}

void api_refuse(struct conn *c, enum proto_error e, const char *why, unsigned retry_ms)
{
	struct buf json = {0}, headers = {0};

	buf_printf(&json, "{\"err\":{\"code\":\"%s\",\"msg\":", proto_error_name(e));
	buf_append_json(&json, span_of(why));
	if (retry_ms != 0) {
		buf_printf(&json, ",\"retry_ms\":%u", retry_ms);
		buf_printf(&headers, "Retry-After: %u\r\n", (retry_ms + 999) / 1000);
	}
	buf_append_str(&json, "}}");
	buf_append_char(&headers, '\0');
	api_answer(c, status_of(e), &json, headers.p);
	buf_deinit(&headers);
}

/* Digits of a number from 1 up to 2^53. */
static bool take_number(struct span *path, uint64_t *out)
{
	uint64_t n = 0;

	for (; path->len > 0 && *path->p >= '0' && *path->p <= '9'; path->p++, path->len--) {
		n = n * 10 + (uint64_t)(*path->p - '0');
		if (n > REQUEST_MAX_SEQ)
			return false;
	}
	*out = n;
	return n > 0;
}

static bool matches(const char *pattern, struct span path, uint64_t *target)
{
	*target = 0;
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '*') {
			if (!take_number(&path, target))
				return false;
		} else {
			if (path.len == 0 || *path.p != *pattern)
				return false;
			path.p++;
			path.len--;
		}
	}
	return path.len == 0;
}

/* Of the query's pairs those that lists go by. */
static void read_query(struct span query, struct request *req)
{
	req->limit = REQUEST_DEFAULT_LIMIT;
	while (query.len > 0) {
		const char *end = memchr(query.p, '&', query.len);
		struct span pair = {.p = query.p,
				    .len = end != NULL ? (size_t)(end - query.p) : query.len};
		uint64_t n;

		query.p += pair.len + (end != NULL);
		query.len -= pair.len + (end != NULL);
		if (matches("room=*", pair, &n))
			req->target = n;
		else if (matches("after=*", pair, &n))
			req->seq = n;
		else if (matches("before=*", pair, &n))
			req->bound = n;
		else if (matches("limit=*", pair, &n))
			req->limit = n < REQUEST_MAX_LIMIT ? (unsigned)n : REQUEST_MAX_LIMIT;
	}
}

static bool is_json(const struct http_request *http)
{
	static const char type[] = "application/json";
	size_t n = sizeof(type) - 1;

	return http->content_type.p != NULL && http->content_type.len >= n &&
	       strncasecmp(http->content_type.p, type, n) == 0 &&
	       (http->content_type.len == n || strchr("; \t", http->content_type.p[n]) != NULL);
}

static void start(struct conn *c, const struct http_request *http, const struct route *route,
		  uint64_t target)
{
	bool has_body = http->body.len > 0 || strcmp(route->method, "POST") == 0;
	struct span body = http->body.len > 0 ? http->body : SPAN("{}");
	struct buf none = {0};
	struct request *req;
	const char *why = NULL;

	if (has_body && !is_json(http)) {
		api_answer(c, 415, &none, NULL);
		return;
	}
	if (!utf8_is_valid(body.p, body.len)) {
		api_refuse(c, PROTO_E_BAD_REQUEST, "The body is not UTF-8.", 0);
		return;
	}
	enum proto_error e = request_decode_body(&req, route->op, body, conn_hub(c)->cfg, &why);
	if (e != PROTO_OK) {
		api_refuse(c, e, why, 0);
		request_free(req);
		return;
	}
	if (target != 0)
		req->target = target;
	read_query(http->query, req);
	http_defer(c->http);
	route->start(c, req);
}

void api_on_request(struct conn *c, const struct http_request *http)
{
	struct span path = {.p = http->path.p + strlen(PREFIX),
			    .len = http->path.len - strlen(PREFIX)};
	uint64_t target;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(http->method, routes[i].method) != 0 ||
		    !matches(routes[i].path, path, &target))
			continue;
		if (conn_hub(c)->cfg->open && routes[i].op != OP_SERVER)
			break;
		start(c, http, &routes[i], target);
		return;
	}
	api_refuse(c, PROTO_E_NOT_FOUND,
		   conn_hub(c)->cfg->open ? "In open mode there are no accounts."
					  : "There is nothing here.",
		   0);
}
