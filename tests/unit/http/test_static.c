/* Responses: the embedded client's files, caching, encodings, the headers that all have. */
#include "assets_fixture.h"
#include "client.h"
#include <stdio.h>

static void serve(struct client *client, struct http *h, const struct http_request *req)
{
	(void)client;
	http_serve_asset(h, req, req->path.p);
}

/* Ask for @path with more header lines; what came is in @client. */
static void ask(struct client *client, const char *method, const char *path, const char *lines)
{
	char text[1024];

	client_forget(client);
	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, path, lines);
	client_say(client, text);
}

static void expect_header(struct client *client, const char *name, const char *value)
{
	assert_string_equal(client_header(client, name), value);
}

static void the_best_encoding_is_chosen(void **state)
{
	(void)state;
	static const struct {
		const char *accept;
		const char *encoding;
	} cases[] = {
		{"", ""},
		{"Accept-Encoding:\r\n", ""},
		{"Accept-Encoding: gzip\r\n", "gzip"},
		{"Accept-Encoding: x-gzip\r\n", "gzip"},
		{"Accept-Encoding: br\r\n", "br"},
		{"Accept-Encoding: GZIP, deflate, BR, zstd\r\n", "br"},
		{"Accept-Encoding: gzip;q=1.0, br;q=0.9\r\n", "gzip"},
		{"Accept-Encoding: gzip;q=0.001,br;q=0\r\n", "gzip"},
		{"Accept-Encoding: gzip;q=0\r\n", ""},
		{"Accept-Encoding: gzip ; Q=0.5 , br ;q=0.501\r\n", "br"},
		{"Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", "br"},
		{"Accept-Encoding: *\r\n", "br"},
		{"Accept-Encoding: *;q=0.5, br;q=0\r\n", "gzip"},
		{"Accept-Encoding: *;q=0, gzip\r\n", "gzip"},
		{"Accept-Encoding: identity, gzip;q=0.5\r\n", ""},
		{"Accept-Encoding: identity;q=0.2, gzip;q=0.5\r\n", "gzip"},
		{"Accept-Encoding: identity;q=0, *\r\n", "br"},
		{"Accept-Encoding: br;q=2\r\n", ""},
		{"Accept-Encoding: br;q=x, gzip\r\n", "gzip"},
		{"Accept-Encoding: br;q=\r\n", ""},
		{"Accept-Encoding: ,;,br;;q=1,,\r\n", "br"},
		{"Accept-Encoding: deflate, zstd\r\n", ""},
	};
	struct client client;

	client_init(&client, NULL);
	client.answer = serve;
	for (size_t i = 0; i < N(cases); i++) {
		print_message("# %s\n", cases[i].encoding);
		ask(&client, "GET", "/index.html", cases[i].accept);
		assert_int_equal(client_status(&client), 200);
		expect_header(&client, "Content-Encoding", cases[i].encoding);
		expect_header(&client, "Vary", "Accept-Encoding");
		expect_header(&client, "Content-Type", "text/html; charset=utf-8");
		bool is_br = strcmp(cases[i].encoding, "br") == 0;
		bool is_gzip = strcmp(cases[i].encoding, "gzip") == 0;
		assert_true(span_equal(client_body(&client), is_br     ? SPAN("BR")
							     : is_gzip ? SPAN("GZ")
								       : SPAN("<html>")));
		expect_header(&client, "ETag",
			      is_br     ? "\"i1-br\""
			      : is_gzip ? "\"i1-gz\""
					: "\"i1\"");
	}
	client_deinit(&client);
}

static void nothing_acceptable_is_told_406(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = serve;
	ask(&client, "GET", "/logo.png", "Accept-Encoding: br, identity;q=0\r\n");
	assert_int_equal(client_status(&client), 406);
	ask(&client, "GET", "/logo.png", "Accept-Encoding: *;q=0\r\n");
	assert_int_equal(client_status(&client), 406);
	ask(&client, "GET", "/only.br", "Accept-Encoding: gzip\r\n");
	expect_header(&client, "Content-Encoding", "");
	assert_int_equal(client_status(&client), 200);
	client_deinit(&client);
}

static void a_known_tag_is_answered_with_304(void **state)
{
	(void)state;
	static const struct {
		const char *lines;
		int status;
	} cases[] = {
		{"If-None-Match: \"i1\"\r\n", 304},
		{"If-None-Match: W/\"i1\"\r\n", 304},
		{"If-None-Match: \"x\", \"a,b\" ,\"i1\"\r\n", 304},
		{"If-None-Match: \"x\"\r\nIf-None-Match: \"i1\"\r\n", 304},
		{"If-None-Match: *\r\n", 304},
		{"If-None-Match: \"i2\"\r\n", 200},
		{"If-None-Match: i1\r\n", 200},
		{"If-None-Match: \"i1-br\"\r\n", 200},
		{"If-None-Match: \"i1-br\"\r\nAccept-Encoding: br\r\n", 304},
		{"If-None-Match: \"i1\"\r\nAccept-Encoding: br\r\n", 200},
		{"If-None-Match:\r\n", 200},
		{"If-None-Match: \"\\\r\n", 200},
	};
	struct client client;

	client_init(&client, NULL);
	client.answer = serve;
	for (size_t i = 0; i < N(cases); i++) {
		ask(&client, "GET", "/index.html", cases[i].lines);
		assert_int_equal(client_status(&client), cases[i].status);
		if (cases[i].status == 200)
			continue;
		assert_int_equal(client_body(&client).len, 0);
		expect_header(&client, "Content-Length", "");
		expect_header(&client, "Cache-Control", "no-cache");
		expect_header(&client, "Vary", "Accept-Encoding");
		assert_string_not_equal(client_header(&client, "ETag"), "");
	}
	client_deinit(&client);
}

static void only_hashed_names_are_kept_for_ever(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = serve;
	ask(&client, "GET", "/assets/app-1a2b.js", "");
	expect_header(&client, "Cache-Control", "public, max-age=31536000, immutable");
	ask(&client, "GET", "/index.html", "");
	expect_header(&client, "Cache-Control", "no-cache");
	client_deinit(&client);
	assert_true(http_has_asset(SPAN("/logo.png")));
	assert_false(http_has_asset(SPAN("/logo.pn")));
}

static void head_has_the_length_and_no_body(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = serve;
	ask(&client, "HEAD", "/index.html", "");
	assert_int_equal(client_status(&client), 200);
	expect_header(&client, "Content-Length", "6");
	assert_int_equal(client_body(&client).len, 0);
	ask(&client, "HEAD", "/index.html", "Accept-Encoding: gzip\r\n");
	expect_header(&client, "Content-Length", "2");
	ask(&client, "HEAD", "/nowhere", "");
	assert_int_equal(client_status(&client), 404);
	expect_header(&client, "Content-Length", "10");
	assert_int_equal(client_body(&client).len, 0);
	client_deinit(&client);
}

static void other_methods_are_told_what_is_allowed(void **state)
{
	(void)state;
	static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"};
	struct client client;

	client_init(&client, NULL);
	client.answer = serve;
	for (size_t i = 0; i < N(methods); i++) {
		ask(&client, methods[i], "/index.html", "");
		assert_int_equal(client_status(&client), 405);
		expect_header(&client, "Allow", "GET, HEAD");
	}
	assert_false(client.is_closed);
	client_deinit(&client);
}

static void expect_security(struct client *client)
{
	const char *policy = client_header(client, "Content-Security-Policy");

	assert_non_null(strstr(policy, "default-src 'self'"));
	assert_non_null(strstr(policy, "frame-ancestors 'none'"));
	assert_null(strstr(policy, "unsafe"));
	expect_header(client, "X-Content-Type-Options", "nosniff");
	expect_header(client, "Referrer-Policy", "no-referrer");
	expect_header(client, "Cross-Origin-Opener-Policy", "same-origin");
	assert_string_not_equal(client_header(client, "Permissions-Policy"), "");
}

static void every_response_has_the_security_headers(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = serve;
	ask(&client, "GET", "/index.html", "");
	expect_security(&client);
	ask(&client, "GET", "/index.html", "If-None-Match: *\r\n");
	expect_security(&client);
	ask(&client, "GET", "/nowhere", "");
	expect_security(&client);
	ask(&client, "PUT", "/index.html", "");
	expect_security(&client);
	ask(&client, "GET", "/", "Host: b\r\n");
	assert_int_equal(client_status(&client), 400);
	expect_security(&client);
	client_deinit(&client);
}

static void answer_in_own_words(struct client *client, struct http *h,
				const struct http_request *req)
{
	(void)client;
	if (span_equal(req->path, SPAN("/empty")))
		http_respond(h, 204, NULL, SPAN(""), NULL);
	else
		http_respond(h, 200, "application/json", SPAN("{}"),
			     "Cache-Control: private\r\nX-Own: 1\r\n");
}

static void a_plain_answer_is_not_stored_unless_it_says_so(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client.answer = answer_in_own_words;
	ask(&client, "GET", "/", "");
	expect_header(&client, "Cache-Control", "private");
	expect_header(&client, "X-Own", "1");
	expect_header(&client, "Content-Type", "application/json");
	expect_header(&client, "Connection", "");
	ask(&client, "GET", "/empty", "Connection: close\r\n");
	assert_int_equal(client_status(&client), 204);
	expect_header(&client, "Cache-Control", "no-store");
	expect_header(&client, "Content-Length", "");
	expect_header(&client, "Connection", "close");
	assert_true(client.is_closed);
	client_deinit(&client);
}

static void an_old_client_is_told_that_the_connection_stays(void **state)
{
	(void)state;
	struct client client;

	client_init(&client, NULL);
	client_say(&client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect_header(&client, "Connection", "keep-alive");
	assert_false(client.is_closed);
	client_forget(&client);
	client_say(&client, "GET / HTTP/1.0\r\n\r\n");
	expect_header(&client, "Connection", "close");
	assert_true(client.is_closed);
	client_deinit(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_encoding_is_chosen),
		cmocka_unit_test(nothing_acceptable_is_told_406),
		cmocka_unit_test(a_known_tag_is_answered_with_304),
		cmocka_unit_test(only_hashed_names_are_kept_for_ever),
		cmocka_unit_test(head_has_the_length_and_no_body),
		cmocka_unit_test(other_methods_are_told_what_is_allowed),
		cmocka_unit_test(every_response_has_the_security_headers),
		cmocka_unit_test(a_plain_answer_is_not_stored_unless_it_says_so),
		cmocka_unit_test(an_old_client_is_told_that_the_connection_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
