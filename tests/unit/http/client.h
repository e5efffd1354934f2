#pragma once
/* A connection with a scripted client: what it says goes in, what it is told is gathered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hubbub/buf.h"
#include "hubbub/http.h"
#include <stdlib.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct client {
	struct http *http;
	struct buf out;      /* what the server sent */
	struct buf requests; /* "GET /path?query body\n"... */
	unsigned n_requests;
	bool is_closed;
	bool is_upgraded;
	size_t n_taken; /* bytes that http_receive() took */
	struct ws_params params;
	char *const *origins;
	size_t n_origins;
	/* What the handler does; NULL answers 200 "ok". */
	void (*answer)(struct client *client, struct http *h, const struct http_request *req);
};

static inline void client_on_request(struct http *h, const struct http_request *req, void *owner)
{
	struct client *client = owner;

	client->n_requests++;
	buf_append_str(&client->requests, req->method);
	buf_append_char(&client->requests, ' ');
	buf_append_span(&client->requests, req->path);
	if (req->query.p != NULL) {
		buf_append_char(&client->requests, '?');
		buf_append_span(&client->requests, req->query);
	}
	assert_int_equal(req->path.p[req->path.len], '\0');
	if (req->body.len > 0) {
		buf_append_char(&client->requests, ' ');
		buf_append_span(&client->requests, req->body);
	}
	buf_append_char(&client->requests, '\n');
	if (client->answer != NULL)
		client->answer(client, h, req);
	else
		http_respond(h, 200, "text/plain", SPAN("ok"), NULL);
}

static inline void client_on_send(void *owner, struct chunk *c)
{
	struct client *client = owner;

	assert_false(client->is_closed);
	buf_append(&client->out, chunk_bytes(c), chunk_len(c));
	chunk_unref(c);
}

static inline void client_on_close(void *owner)
{
	struct client *client = owner;

	assert_false(client->is_closed);
	client->is_closed = true;
}

static const struct http_handler client_handler = {
	.on_request = client_on_request,
	.send = client_on_send,
	.close = client_on_close,
};

static inline void client_init(struct client *client, const struct http_limits *limits)
{
	*client = (struct client){0};
	client->http = http_new(limits, &client_handler, client);
}

static inline void client_deinit(struct client *client)
{
	http_free(client->http);
	buf_deinit(&client->out);
	buf_deinit(&client->requests);
}

/* Say @bytes in runs of @step, each in memory of its own. */
static inline void client_say_in(struct client *client, struct span bytes, size_t step)
{
	for (size_t at = 0; at < bytes.len && !client->is_upgraded; at += step) {
		size_t n = bytes.len - at < step ? bytes.len - at : step;
		uint8_t *copy = malloc(n);
		memcpy(copy, bytes.p + at, n);
		client->n_taken += http_receive(client->http, copy, n);
		free(copy);
	}
}

static inline void client_say(struct client *client, const char *text)
{
	client_say_in(client, span_of(text), strlen(text) + 1);
}

/* All that was heard, as a string; forgets it with client_forget(). */
static inline const char *client_heard(struct client *client)
{
	buf_append_char(&client->out, '\0');
	client->out.len--;
	return client->out.p;
}

static inline void client_forget(struct client *client)
{
	client->out.len = 0;
}

static inline int client_status(struct client *client)
{
	const char *heard = client_heard(client);

	return strncmp(heard, "HTTP/1.1 ", 9) == 0 ? atoi(heard + 9) : 0;
}

/* The value of the first response's header field, up to the line's end; "" if it is not there. */
static inline const char *client_header(struct client *client, const char *name)
{
	static char value[1024];
	char line[64];
	const char *end = strstr(client_heard(client), "\r\n\r\n");

	assert_non_null(end);
	buf_append_char(&client->out, '\0');
	client->out.len--;
	strcpy(line, "\r\n");
	strcat(strcat(line, name), ": ");
	const char *at = strcasestr(client->out.p, line);
	if (at == NULL || at > strstr(client->out.p, "\r\n\r\n"))
		return "";
	at += strlen(line);
	size_t n = (size_t)(strstr(at, "\r\n") - at);
	assert_true(n < sizeof(value));
	memcpy(value, at, n);
	value[n] = '\0';
	return value;
}

static inline struct span client_body(struct client *client)
{
	const char *end = strstr(client_heard(client), "\r\n\r\n");

	assert_non_null(end);
	size_t n_head = (size_t)(end + 4 - client->out.p);
	return (struct span){.p = end + 4, .len = client->out.len - n_head};
}
