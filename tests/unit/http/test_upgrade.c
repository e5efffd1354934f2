/* The opening handshake: RFC 6455, 4.2, the Origin, and RFC 7692's negotiation. */
#include "client.h"
#include <stdio.h>

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ALL UPGRADE CONNECTION KEY VERSION

static void upgrade(struct client *client, struct http *h, const struct http_request *req)
{
	client->is_upgraded =
		http_upgrade(h, req, client->origins, client->n_origins, &client->params);
}

static void begin(struct client *client)
{
	client_init(client, NULL);
	client->answer = upgrade;
}

static void ask(struct client *client, const char *lines)
{
	char text[2048];

	snprintf(text, sizeof(text), "GET /ws HTTP/1.1\r\nHost: chat.example:8080\r\n%s\r\n",
		 lines);
	client_say(client, text);
}

static void the_key_of_the_rfc_is_accepted(void **state)
{
	(void)state;
	struct client client;

	begin(&client);
	ask(&client, ALL);
	assert_true(client.is_upgraded);
	assert_int_equal(client_status(&client), 101);
	assert_string_equal(client_header(&client, "Sec-WebSocket-Accept"),
			    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_string_equal(client_header(&client, "Upgrade"), "websocket");
	assert_string_equal(client_header(&client, "Connection"), "Upgrade");
	assert_string_equal(client_header(&client, "Sec-WebSocket-Protocol"), "");
	assert_string_equal(client_header(&client, "Sec-WebSocket-Extensions"), "");
	assert_string_equal(client_header(&client, "X-Content-Type-Options"), "nosniff");
	assert_int_equal(client_body(&client).len, 0);
	assert_false(client.params.deflate);
	assert_false(client.params.has_subprotocol);
	client_deinit(&client);
}

static void frames_that_come_with_the_handshake_are_left(void **state)
{
	(void)state;
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n" ALL "\r\n";
	size_t n_head = sizeof(text) - 1;
	char bytes[sizeof(text) + 6];

	memcpy(bytes, text, n_head);
	memcpy(bytes + n_head, "\x81\x80\0\0\0\0", 6);
	for (size_t split = 0; split <= n_head + 5; split++) {
		struct client client;
		begin(&client);
		client_say_in(&client, (struct span){.p = bytes, .len = split}, 1000);
		if (!client.is_upgraded)
			client_say_in(&client,
				      (struct span){.p = bytes + split, .len = n_head + 6 - split},
				      1000);
		assert_true(client.is_upgraded);
		assert_int_equal(client.n_taken, n_head);
		assert_int_equal(client_status(&client), 101);
		client_deinit(&client);
	}
}

static void tokens_are_found_in_lists_whatever_their_case(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"Upgrade: WebSocket\r\nConnection: keep-alive, UPGRADE\r\n" KEY VERSION,
		"Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n"
		"Connection: upgrade\r\n" KEY VERSION,
		"Upgrade: foo, websocket\r\n" CONNECTION KEY VERSION "Content-Length: 0\r\n",
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct client client;
		begin(&client);
		ask(&client, cases[i]);
		assert_int_equal(client_status(&client), 101);
		client_deinit(&client);
	}
}

static void a_bad_handshake_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *lines;
		int status;
	} cases[] = {
		{"", 426},
		{CONNECTION KEY VERSION, 426},
		{"Upgrade: websockets\r\n" CONNECTION KEY VERSION, 426},
		{UPGRADE KEY VERSION, 400},
		{UPGRADE "Connection: keep-alive\r\n" KEY VERSION, 400},
		{UPGRADE CONNECTION VERSION, 400},
		{UPGRADE CONNECTION VERSION KEY KEY, 400},
		{UPGRADE CONNECTION VERSION "Sec-WebSocket-Key:\r\n", 400},
		{UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n", 400},
		{UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n", 400},
		{UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n", 400},
		{UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhl*HNhbXBsZSBub25jZQ==\r\n", 400},
		{UPGRADE CONNECTION KEY, 426},
		{UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 12\r\n", 426},
		{UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 8, 13\r\n", 426},
		{UPGRADE CONNECTION KEY VERSION VERSION, 400},
		{ALL "Content-Length: 1\r\n\r\nx", 400},
		{ALL "Origin: http://evil.example\r\n", 403},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct client client;
		begin(&client);
		print_message("# case %zu\n", i);
		ask(&client, cases[i].lines);
		assert_false(client.is_upgraded);
		assert_int_equal(client_status(&client), cases[i].status);
		if (cases[i].status == 426)
			assert_string_equal(client_header(&client, "Sec-WebSocket-Version"), "13");
		client_deinit(&client);
	}
}

static void only_get_and_only_http_1_1(void **state)
{
	(void)state;
	struct client client;

	begin(&client);
	client_say(&client, "POST /ws HTTP/1.1\r\nHost: a\r\n" ALL "\r\n");
	assert_int_equal(client_status(&client), 405);
	assert_string_equal(client_header(&client, "Allow"), "GET");
	client_forget(&client);
	client_say(&client, "GET /ws HTTP/1.0\r\nHost: a\r\n" ALL "\r\n");
	assert_int_equal(client_status(&client), 400);
	client_deinit(&client);
}

static void the_subprotocol_is_echoed_when_offered(void **state)
{
	(void)state;
	static const struct {
		const char *lines;
		bool is_echoed;
	} cases[] = {
		{ALL "Sec-WebSocket-Protocol: hubbub.v1\r\n", true},
		{ALL "Sec-WebSocket-Protocol: a, hubbub.v1,b\r\n", true},
		{ALL "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: hubbub.v1\r\n", true},
		{ALL "Sec-WebSocket-Protocol: Hubbub.v1\r\n", false},
		{ALL "Sec-WebSocket-Protocol: hubbub.v2\r\n", false},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct client client;
		begin(&client);
		ask(&client, cases[i].lines);
		assert_int_equal(client_status(&client), 101);
		assert_int_equal(client.params.has_subprotocol, cases[i].is_echoed);
		assert_string_equal(client_header(&client, "Sec-WebSocket-Protocol"),
				    cases[i].is_echoed ? "hubbub.v1" : "");
		client_deinit(&client);
	}
}

static void deflate_is_agreed_on_a_lawful_offer_of_the_largest_window(void **state)
{
	(void)state;
#define PMD "permessage-deflate"
#define AGREED PMD "; server_no_context_takeover; client_no_context_takeover"
	static const struct {
		const char *offers;
		const char *answer;
		int server_bits; /* 0: 15 */
	} cases[] = {
		{PMD, AGREED},
		{"PerMessage-Deflate", AGREED},
		{PMD "; client_max_window_bits", AGREED},
		{PMD "; client_max_window_bits=8", AGREED},
		{PMD ";client_max_window_bits = \"15\" ; server_no_context_takeover", AGREED},
		{PMD "; client_no_context_takeover; server_no_context_takeover", AGREED},
		{PMD "; server_max_window_bits=15", AGREED "; server_max_window_bits=15"},
		{PMD "; server_max_window_bits=10", AGREED "; server_max_window_bits=10", 10},
		{PMD "; server_max_window_bits=10, " PMD, AGREED},
		{PMD "; server_max_window_bits=8, " PMD "; server_max_window_bits=9",
		 AGREED "; server_max_window_bits=8", 8},
		{PMD "; server_max_window_bits=7, " PMD, AGREED},
		{PMD "; server_max_window_bits", ""},
		{PMD "; server_max_window_bits=16", ""},
		{PMD "; server_max_window_bits=015", ""},
		{PMD "; client_max_window_bits=7", ""},
		{PMD "; client_max_window_bits=16", ""},
		{PMD "; client_max_window_bits=08", ""},
		{PMD "; client_max_window_bits=abc", ""},
		{PMD "; client_max_window_bits; client_max_window_bits", ""},
		{PMD "; server_no_context_takeover=1", ""},
		{PMD "; client_no_context_takeover=true", ""},
		{PMD "; server_no_context_takeover; server_no_context_takeover", ""},
		{PMD "; unknown", ""},
		{PMD "; unknown, x-other, " PMD "; client_max_window_bits", AGREED},
		{"x-webkit-deflate-frame", ""},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct client client;
		char lines[512];
		begin(&client);
		print_message("# %s\n", cases[i].offers);
		snprintf(lines, sizeof(lines), ALL "Sec-WebSocket-Extensions: %s\r\n",
			 cases[i].offers);
		ask(&client, lines);
		assert_int_equal(client_status(&client), 101);
		assert_string_equal(client_header(&client, "Sec-WebSocket-Extensions"),
				    cases[i].answer);
		assert_int_equal(client.params.deflate, cases[i].answer[0] != '\0');
		assert_int_equal(client.params.server_window_bits,
				 cases[i].server_bits != 0 ? cases[i].server_bits : 15);
		assert_int_equal(client.params.client_window_bits, 15);
		client_deinit(&client);
	}
}

static void what_is_no_list_of_extensions_fails_the_handshake(void **state)
{
	(void)state;
	static const char *const lists[] = {
		"",
		",,",
		";",
		PMD ";",
		PMD ";;x",
		PMD " x",
		PMD "; x=",
		PMD "; =1",
		PMD "; x=\"\"",
		PMD "; x=\"1",
		PMD "; x=\"1\\",
		PMD "; x=\"a b\"",
		PMD "; x=1=2",
		PMD ", (x)",
		"\"" PMD "\"",
	};

	for (size_t i = 0; i < N(lists); i++) {
		struct client client;
		char lines[512];
		begin(&client);
		print_message("# %s\n", lists[i]);
		snprintf(lines, sizeof(lines), ALL "Sec-WebSocket-Extensions: %s\r\n", lists[i]);
		ask(&client, lines);
		assert_int_equal(client_status(&client), 400);
		client_deinit(&client);
	}
}

static void an_origin_is_our_own_or_on_the_list(void **state)
{
	(void)state;
	static char *const origins[] = {
		(char *)"https://other.example",
		(char *)"bare.example",
		(char *)"http://slash.example:81/",
		(char *)"app://desktop",
	};
	static const struct {
		const char *host, *origin;
		bool is_allowed;
	} cases[] = {
		{"a:8080", "http://a:8080", true},
		{"a:8080", "https://a:8080", true},
		{"A:8080", "http://a:8080", true},
		{"a", "http://a", true},
		{"a:80", "http://a", true},
		{"a", "https://a:443", true},
		{"[::1]:80", "http://[::1]", true},
		{"a:8080", "http://a", false},
		{"a", "http://a:8080", false},
		{"a:443", "http://a", false},
		{"a:8080", "http://b:8080", false},
		{"a", "http://aa", false},
		{"a", "http://a.evil", false},
		{"a", "ftp://a", false},
		{"a", "null", false},
		{"null", "null", false},
		{"a", "", false},
		{"a", "a", false},
		{"a", "http://", false},
		{"a", "://a", false},
		{"a", "https://other.example", true},
		{"a", "https://OTHER.example:443", true},
		{"a", "http://other.example", false},
		{"a", "http://bare.example", true},
		{"a", "https://bare.example", true},
		{"a", "http://slash.example:81", true},
		{"a", "http://slash.example", false},
		{"a", "app://desktop", true},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct http_request req = {
			.host = span_of(cases[i].host),
			.origin = span_of(cases[i].origin),
		};
		print_message("# case %zu\n", i);
		assert_int_equal(http_origin_allowed(&req, origins, N(origins)),
				 cases[i].is_allowed);
	}
	struct http_request req = {.host = SPAN("a")};
	assert_true(http_origin_allowed(&req, NULL, 0));
}

static void a_page_that_came_by_http_is_foreign_to_https(void **state)
{
	(void)state;
	static char listed[] = "http://old.example";
	static char *const origins[] = {listed};
	static const struct {
		const char *host, *origin;
		bool is_allowed;
	} cases[] = {
		{"a:8443", "https://a:8443", true}, {"a:8443", "http://a:8443", false},
		{"a", "https://a", true},           {"a:443", "https://a", true},
		{"a", "http://a", false},           {"a", "HTTPS://a", true},
		{"a", "http://old.example", true},  {"old.example", "https://old.example", true},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct http_request req = {
			.is_tls = true,
			.host = span_of(cases[i].host),
			.origin = span_of(cases[i].origin),
		};
		print_message("# case %zu\n", i);
		assert_int_equal(http_origin_allowed(&req, origins, 1), cases[i].is_allowed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_of_the_rfc_is_accepted),
		cmocka_unit_test(frames_that_come_with_the_handshake_are_left),
		cmocka_unit_test(tokens_are_found_in_lists_whatever_their_case),
		cmocka_unit_test(a_bad_handshake_is_refused),
		cmocka_unit_test(only_get_and_only_http_1_1),
		cmocka_unit_test(the_subprotocol_is_echoed_when_offered),
		cmocka_unit_test(deflate_is_agreed_on_a_lawful_offer_of_the_largest_window),
		cmocka_unit_test(what_is_no_list_of_extensions_fails_the_handshake),
		cmocka_unit_test(an_origin_is_our_own_or_on_the_list),
		cmocka_unit_test(a_page_that_came_by_http_is_foreign_to_https),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
