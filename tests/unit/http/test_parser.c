/* Requests: what is understood, what is refused and how, split at every byte. */
#include "client.h"
#include <stdio.h>

#define HOST "Host: a\r\n"
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

static const struct http_limits small = {.max_target = 40, .max_header = 100, .max_body = 20};

/* What @input brings: requests understood, the last answer's status, whether it was closed. */
struct outcome {
	unsigned n_requests;
	int status;
	bool is_closed;
};

static void expect(struct span input, size_t step, struct outcome want)
{
	struct client client;

	client_init(&client, &small);
	client_say_in(&client, input, step);
	assert_int_equal(client.n_requests, want.n_requests);
	assert_int_equal(client.is_closed, want.is_closed);
	if (want.status == 0)
		assert_int_equal(client.out.len, 0);
	else
		assert_int_equal(client_status(&client), want.status);
	client_deinit(&client);
}

static void expect_any_split(struct span input, struct outcome want)
{
	struct client client;

	expect(input, input.len, want);
	for (size_t step = 1; step < 8; step++)
		expect(input, step, want);
	for (size_t split = 1; split < input.len; split++) {
		client_init(&client, &small);
		client_say_in(&client, (struct span){.p = input.p, .len = split}, split);
		client_say_in(&client,
			      (struct span){.p = input.p + split, .len = input.len - split},
			      input.len);
		assert_int_equal(client.n_requests, want.n_requests);
		assert_int_equal(client.is_closed, want.is_closed);
		client_deinit(&client);
	}
}

static void what_is_broken_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		int status;
		struct span input;
	} cases[] = {
		{"no host", 400, SPAN("GET / HTTP/1.1\r\n\r\n")},
		{"two hosts", 400, SPAN("GET / HTTP/1.1\r\n" HOST HOST "\r\n")},
		{"empty host", 400, SPAN("GET / HTTP/1.1\r\nHost: \r\n\r\n")},
		{"host with a slash", 400, SPAN("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
		{"host with a user", 400, SPAN("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n")},
		{"host with a space", 400, SPAN("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")},
		{"bare LF after the line", 400, SPAN("GET / HTTP/1.1\n" HOST "\r\n")},
		{"bare LF after a field", 400, SPAN("GET / HTTP/1.1\r\nHost: a\n\r\n")},
		{"bare LF at the end", 400, SPAN("GET / HTTP/1.1\r\n" HOST "\n")},
		{"bare CR in a line", 400, SPAN("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n")},
		{"CR CR LF", 400, SPAN("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n")},
		{"folded line", 400, SPAN("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n")},
		{"folded by a tab", 400, SPAN("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n")},
		{"space before a field", 400, SPAN("GET / HTTP/1.1\r\n Host: a\r\n\r\n")},
		{"space before the colon", 400, SPAN("GET / HTTP/1.1\r\nHost : a\r\n\r\n")},
		{"no colon", 400, SPAN("GET / HTTP/1.1\r\n" HOST "X\r\n\r\n")},
		{"no name", 400, SPAN("GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n")},
		{"NUL in a value", 400, SPAN("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n")},
		{"control in a value", 400, SPAN("GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n")},
		{"DEL in a value", 400, SPAN("GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n")},
		{"NUL in the target", 400, SPAN("GET /\0 HTTP/1.1\r\n" HOST "\r\n")},
		{"tab in the line", 400, SPAN("GET\t/ HTTP/1.1\r\n" HOST "\r\n")},
		{"two spaces", 400, SPAN("GET  / HTTP/1.1\r\n" HOST "\r\n")},
		{"space in the target", 400, SPAN("GET /a b HTTP/1.1\r\n" HOST "\r\n")},
		{"space behind the version", 400, SPAN("GET / HTTP/1.1 \r\n" HOST "\r\n")},
		{"no version", 400, SPAN("GET /\r\n" HOST "\r\n")},
		{"no target", 400, SPAN("GET HTTP/1.1\r\n" HOST "\r\n")},
		{"other protocol", 400, SPAN("GET / RTSP/1.0\r\n" HOST "\r\n")},
		{"lower case version", 400, SPAN("GET / http/1.1\r\n" HOST "\r\n")},
		{"long version", 400, SPAN("GET / HTTP/1.10\r\n" HOST "\r\n")},
		{"no dot", 400, SPAN("GET / HTTP/1,1\r\n" HOST "\r\n")},
		{"version 2.0", 505, SPAN("GET / HTTP/2.0\r\n" HOST "\r\n")},
		{"version 1.2", 505, SPAN("GET / HTTP/1.2\r\n" HOST "\r\n")},
		{"version 0.9", 505, SPAN("GET / HTTP/0.9\r\n" HOST "\r\n")},
		{"the preface of HTTP/2", 505, SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
		{"unknown method", 501, SPAN("BREW / HTTP/1.1\r\n" HOST "\r\n")},
		{"lower case method", 501, SPAN("get / HTTP/1.1\r\n" HOST "\r\n")},
		{"CONNECT", 501, SPAN("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n")},
		{"no token for a method", 400, SPAN("G(T / HTTP/1.1\r\n" HOST "\r\n")},
		{"TLS", 400, SPAN("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
		{"one long word", 400, SPAN("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")},
		{"empty lines", 400, SPAN("\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n")},
		{"bad percent", 400, SPAN("GET /%zz HTTP/1.1\r\n" HOST "\r\n")},
		{"cut percent", 400, SPAN("GET /%4 HTTP/1.1\r\n" HOST "\r\n")},
		{"percent alone", 400, SPAN("GET /% HTTP/1.1\r\n" HOST "\r\n")},
		{"encoded NUL", 400, SPAN("GET /%00 HTTP/1.1\r\n" HOST "\r\n")},
		{"encoded LF", 400, SPAN("GET /%0a HTTP/1.1\r\n" HOST "\r\n")},
		{"no UTF-8", 400, SPAN("GET /%ff HTTP/1.1\r\n" HOST "\r\n")},
		{"raw byte above ASCII", 400, SPAN("GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n")},
		{"fragment", 400, SPAN("GET /#a HTTP/1.1\r\n" HOST "\r\n")},
		{"dots", 400, SPAN("GET /../etc HTTP/1.1\r\n" HOST "\r\n")},
		{"encoded dots", 400, SPAN("GET /%2e%2E/etc HTTP/1.1\r\n" HOST "\r\n")},
		{"encoded slash and dots", 400, SPAN("GET /..%2fetc HTTP/1.1\r\n" HOST "\r\n")},
		{"dots at the end", 400, SPAN("GET /a/.. HTTP/1.1\r\n" HOST "\r\n")},
		{"one dot", 400, SPAN("GET /./a HTTP/1.1\r\n" HOST "\r\n")},
		{"relative target", 400, SPAN("GET a HTTP/1.1\r\n" HOST "\r\n")},
		{"star for GET", 400, SPAN("GET * HTTP/1.1\r\n" HOST "\r\n")},
		{"foreign scheme", 400, SPAN("GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n")},
		{"no authority", 400, SPAN("GET http:/// HTTP/1.1\r\n" HOST "\r\n")},
		{"user in the authority", 400, SPAN("GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n")},
		{"two origins", 400,
		 SPAN("GET / HTTP/1.1\r\n" HOST "Origin: x\r\nOrigin: x\r\n\r\n")},
		{"both lengths", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST
		      "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")},
		{"both, the other way", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n")},
		{"two lengths", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n")},
		{"the same length twice", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n")},
		{"a list of lengths", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n")},
		{"signed length", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n")},
		{"hexadecimal length", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n")},
		{"empty length", 400, SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n")},
		{"chunked under 1.0", 400,
		 SPAN("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n")},
		{"unknown coding", 501,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n")},
		{"coding without chunks", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n")},
		{"chunked twice", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")},
		{"bad chunk size", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxx\r\n")},
		{"bare LF in chunks", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n")},
		{"no CRLF behind a chunk", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n")},
		{"unknown expectation", 417,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n")},
		{"long body", 413, SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 21\r\n\r\n")},
		{"very long body", 413,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 999999999999999\r\n\r\n")},
		{"a chunk that says it is too long", 413, SPAN(CHUNKED "15\r\nx")},
		{"a chunk of 16 digits", 413, SPAN(CHUNKED "ffffffffffffffff\r\nx")},
		{"folded trailer", 400, SPAN(CHUNKED "0\r\nX: a\r\n b\r\n\r\n")},
		{"trailer without a name", 400, SPAN(CHUNKED "0\r\n: a\r\n\r\n")},
		{"bare LF behind a trailer", 400, SPAN(CHUNKED "0\r\nX: a\n\r\n")},
		{"bare LF behind the trailer", 400, SPAN(CHUNKED "0\r\n\n")},
		{"NUL in a trailer", 400, SPAN(CHUNKED "0\r\nX: a\0b\r\n\r\n")},
		{"empty coding", 400,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n0\r\n\r\n")},
		{"port of letters", 400, SPAN("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n")},
		{"two ports", 400, SPAN("GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n")},
		{"open bracket", 400, SPAN("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n")},
		{"name in brackets", 400, SPAN("GET / HTTP/1.1\r\nHost: [a.b]\r\n\r\n")},
		{"host with a cut percent", 400, SPAN("GET / HTTP/1.1\r\nHost: a%2\r\n\r\n")},
		{"port alone", 400, SPAN("GET / HTTP/1.1\r\nHost: :80\r\n\r\n")},
		{"long chunks", 413,
		 SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		      "14\r\naaaaaaaaaaaaaaaaaaaa\r\n1\r\nb\r\n")},
		{"long target", 414,
		 SPAN("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n" HOST "\r\n")},
		{"long header", 431,
		 SPAN("GET / HTTP/1.1\r\n" HOST
		      "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n")},
	};

	for (size_t i = 0; i < N(cases); i++) {
		print_message("# %s\n", cases[i].what);
		expect_any_split(cases[i].input,
				 (struct outcome){0, cases[i].status, .is_closed = true});
	}
}

static void what_is_whole_is_understood(void **state)
{
	(void)state;
	static const struct {
		struct span input;
		const char *requests;
		bool is_closed;
	} cases[] = {
		{SPAN("GET / HTTP/1.1\r\n" HOST "\r\n"), "GET /\n", false},
		{SPAN("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), "GET /\n", false},
		{SPAN("HEAD /a?b=%zz&c HTTP/1.1\r\nhost:a\r\n\r\n"), "HEAD /a?b=%zz&c\n", false},
		{SPAN("GET /? HTTP/1.1\r\n" HOST "\r\n"), "GET /?\n", false},
		{SPAN("GET /r/gr%C3%BC%c3%9fe HTTP/1.1\r\n" HOST "\r\n"),
		 "GET /r/gr\xc3\xbc\xc3\x9f"
		 "e\n",
		 false},
		{SPAN("GET /%2525 HTTP/1.1\r\n" HOST "\r\n"), "GET /%25\n", false},
		{SPAN("GET /a..b/...c HTTP/1.1\r\n" HOST "\r\n"), "GET /a..b/...c\n", false},
		{SPAN("GET http://b:80/x?y HTTP/1.1\r\n" HOST "\r\n"), "GET /x?y\n", false},
		{SPAN("GET HTTPS://b HTTP/1.1\r\n" HOST "\r\n"), "GET /\n", false},
		{SPAN("GET http://b?y HTTP/1.1\r\n" HOST "\r\n"), "GET /?y\n", false},
		{SPAN("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), "OPTIONS *\n", false},
		{SPAN("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), "GET /\n", false},
		{SPAN("GET / HTTP/1.1\r\n" HOST "X:\r\nY: \xff\t b \r\n\r\n"), "GET /\n", false},
		{SPAN("GET / HTTP/1.0\r\n\r\n"), "GET /\n", true},
		{SPAN("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "GET /\n", false},
		{SPAN("GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n"), "GET /\n", true},
		{SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), "POST /\n", false},
		{SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"),
		 "POST / hello\n", false},
		{SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
		      "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nHost: b\r\n\r\n"),
		 "POST / hello\n", false},
		{SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\tchunked \t\r\n\r\n"
		      "1\r\na\r\n0\r\nX: a\r\nContent-Length: 9\r\n\r\nGET /2 HTTP/1.1\r\n" HOST
		      "\r\n"),
		 "POST / a\nGET /2\n", false},
		{SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length:\t2\t \r\n\r\nab"), "POST / ab\n",
		 false},
		{SPAN("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), "GET /\n", false},
		{SPAN("GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
		      "Content-Length: 2\r\n\r\nhiPUT /3 HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /4 "
		      "HTTP/1.1\r\n" HOST "\r\n"),
		 "GET /1\nPOST /2 hi\nPUT /3 x\nGET /4\n", false},
		{SPAN("GET /1 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n"),
		 "GET /1\n", true},
		{SPAN("GET /1 HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: x\r\n\r\n"
		      "GET /2 HTTP/1.1\r\n" HOST "\r\n"),
		 "GET /1\nGET /2\n", false},
		{SPAN("POST /1 HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n"
		      "Content-Length: 1\r\n\r\nxGET /2 HTTP/1.1\r\n" HOST "\r\n"),
		 "POST /1 x\nGET /2\n", false},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct span input = cases[i].input;
		for (size_t split = 0; split < input.len; split++) {
			struct client client;
			client_init(&client, NULL);
			client_say_in(&client, (struct span){.p = input.p, .len = split}, 1000);
			client_say_in(&client,
				      (struct span){.p = input.p + split, .len = input.len - split},
				      split == 0 ? 1 : 1000);
			buf_append_char(&client.requests, '\0');
			assert_string_equal(client.requests.p, cases[i].requests);
			assert_int_equal(client.is_closed, cases[i].is_closed);
			assert_int_equal(client_status(&client), 200);
			assert_int_equal(client.n_taken, input.len);
			client_deinit(&client);
		}
	}
}

static void a_bound_is_kept_to_the_byte(void **state)
{
	(void)state;
	char text[400];
	char fill[200];

	memset(fill, 'a', sizeof(fill));
	for (int over = 0; over < 2; over++) {
		struct outcome fits = {1, 200, false};
		snprintf(text, sizeof(text), "GET /%.*s HTTP/1.1\r\n" HOST "\r\n",
			 (int)small.max_target - 1 + over, fill);
		expect_any_split(span_of(text), over ? (struct outcome){0, 414, true} : fits);
		/* "Host: a", "X: " and two line ends are 14 bytes. */
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "X: %.*s\r\n\r\n",
			 (int)small.max_header - 14 + over, fill);
		expect_any_split(span_of(text), over ? (struct outcome){0, 431, true} : fits);
		snprintf(text, sizeof(text),
			 "PUT / HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%.*s",
			 small.max_body + (size_t)over, (int)small.max_body + over, fill);
		expect_any_split(span_of(text), over ? (struct outcome){0, 413, true} : fits);
	}
}

static void too_many_fields_are_refused(void **state)
{
	(void)state;
	struct client client;
	struct buf b = {0};

	buf_append_str(&b, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 100; i++)
		buf_append_str(&b, "X: y\r\n");
	buf_append_str(&b, "\r\n");
	client_init(&client, NULL);
	client_say_in(&client, buf_span(&b), b.len);
	assert_int_equal(client_status(&client), 431);
	client_deinit(&client);
	buf_deinit(&b);
}

static void chunks_of_nothing_but_framing_are_refused(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, &small);
	client_say(&client, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1;");
	for (int i = 0; i < 1000 && !client.is_closed; i++)
		client_say(&client, "aaaa");
	assert_int_equal(client_status(&client), 413);
	client_deinit(&client);
}

static void echo_fields(struct client *client, struct http *h, const struct http_request *req)
{
	struct buf b = {0};
	const struct span fields[] = {
		req->host,   req->origin,        req->if_none_match, req->accept_encoding,
		req->cookie, req->authorization, req->ws_protocol,
	};

	(void)client;
	for (size_t i = 0; i < N(fields); i++) {
		if (fields[i].p == NULL)
			buf_append_char(&b, '-');
		buf_append_span(&b, fields[i]);
		buf_append_char(&b, '|');
	}
	http_respond(h, 200, "text/plain", buf_span(&b), NULL);
	buf_deinit(&b);
}

static void repeated_lists_are_joined(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = echo_fields;
	client_say(&client, "GET / HTTP/1.1\r\nHost: h\r\nACCEPT-encoding:gzip \r\nCookie: a=1\r\n"
			    "If-None-Match: \"x\"\r\nAccept-Encoding: br\r\nCookie: b=2\r\n"
			    "If-None-Match:\r\nSec-WebSocket-Protocol: p\r\nCookie: c=3\r\n\r\n");
	assert_true(
		span_equal(client_body(&client), SPAN("h|-|\"x\", |gzip, br|a=1; b=2; c=3|-|p|")));
	client_forget(&client);
	client_say(&client, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\n"
			    "Origin: http://h\r\n\r\n");
	assert_true(span_equal(client_body(&client), SPAN("h|http://h|-|-|-|Bearer x|-|")));
	client_deinit(&client);
}

static void the_absolute_form_names_the_host(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = echo_fields;
	client_say(&client, "GET http://b:81/ HTTP/1.1\r\n" HOST "\r\n");
	assert_true(span_equal(client_body(&client), SPAN("b:81|-|-|-|-|-|-|")));
	client_forget(&client);
	client_say(&client, "GET http://b|/ HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(client_status(&client), 400);
	client_deinit(&client);
}

static void an_expected_continue_is_sent_once_and_only_for_a_body(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client_say(&client,
		   "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
	assert_string_equal(client_heard(&client), "HTTP/1.1 100 Continue\r\n\r\n");
	client_forget(&client);
	client_say(&client, "hi");
	assert_int_equal(client_status(&client), 200);
	client_forget(&client);
	client_say(&client, "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n");
	assert_int_equal(client_status(&client), 200);
	client_deinit(&client);
}

static void a_slow_request_is_told_408(void **state)
{
	(void)state;
	static const struct span begun[] = {
		SPAN("G"),
		SPAN("GET / HTTP/1.1\r\nHo"),
		SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nx"),
	};

	for (size_t i = 0; i < N(begun); i++) {
		struct client client;
		client_init(&client, NULL);
		assert_false(http_is_mid_request(client.http));
		client_say_in(&client, begun[i], 100);
		assert_true(http_is_mid_request(client.http));
		http_timed_out(client.http);
		assert_int_equal(client_status(&client), 408);
		assert_true(client.is_closed);
		assert_false(http_is_mid_request(client.http));
		client_forget(&client);
		http_timed_out(client.http);
		client_say(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
		assert_int_equal(client.out.len, 0);
		client_deinit(&client);
	}
}

static void a_request_that_is_answered_is_over(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client_say(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_false(http_is_mid_request(client.http));
	client_say(&client, "\r\n");
	assert_false(http_is_mid_request(client.http));
	client_deinit(&client);
}

static void answer_later(struct client *client, struct http *h, const struct http_request *req)
{
	(void)client;
	(void)req;
	http_defer(h);
}

static void a_deferred_answer_holds_up_what_is_behind_it(void **state)
{
	(void)state;
	static const char two[] = "POST /a HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi"
				  "GET /b HTTP/1.1\r\n" HOST "\r\n";
	struct client client;

	client_init(&client, NULL);
	client.answer = answer_later;
	size_t taken = http_receive(client.http, (const uint8_t *)two, sizeof(two) - 1);
	assert_string_equal(strstr(two, "GET /b"), two + taken);
	assert_true(http_is_deferred(client.http));
	assert_false(http_is_mid_request(client.http));
	http_keep(client.http, (const uint8_t *)two + taken, sizeof(two) - 1 - taken);
	http_timed_out(client.http);
	assert_int_equal(client.out.len, 0);
	assert_int_equal(client.n_requests, 1);

	client.answer = NULL;
	http_respond(client.http, 201, "text/plain", SPAN("made"), NULL);
	assert_int_equal(client_status(&client), 201);
	assert_false(http_is_deferred(client.http));
	client_forget(&client);
	struct buf kept = http_take_kept(client.http);
	http_receive(client.http, (const uint8_t *)kept.p, kept.len);
	buf_deinit(&kept);
	assert_int_equal(client_status(&client), 200);
	assert_int_equal(client.n_requests, 2);
	client_deinit(&client);
}

static void a_deferred_answer_may_be_the_last(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = answer_later;
	client_say(&client, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	assert_false(client.is_closed);
	http_respond(client.http, 200, "text/plain", SPAN("late"), NULL);
	assert_true(client.is_closed);
	assert_int_equal(client_status(&client), 200);
	client_deinit(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_broken_is_refused),
		cmocka_unit_test(what_is_whole_is_understood),
		cmocka_unit_test(a_bound_is_kept_to_the_byte),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(chunks_of_nothing_but_framing_are_refused),
		cmocka_unit_test(the_absolute_form_names_the_host),
		cmocka_unit_test(repeated_lists_are_joined),
		cmocka_unit_test(an_expected_continue_is_sent_once_and_only_for_a_body),
		cmocka_unit_test(a_slow_request_is_told_408),
		cmocka_unit_test(a_request_that_is_answered_is_over),
		cmocka_unit_test(a_deferred_answer_holds_up_what_is_behind_it),
		cmocka_unit_test(a_deferred_answer_may_be_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
