/* Whom a proxy speaks for: X-Forwarded-For, and Forwarded (RFC 7239). */
#include "hubbub/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct addr_range ours[2]; /* 10.0.0.0/8, fd00::/8 */

static int set_up(void **state)
{
	(void)state;
	return addr_range_parse(&ours[0], SPAN("10.0.0.0/8")) &&
			       addr_range_parse(&ours[1], SPAN("fd00::/8"))
		       ? 0
		       : 1;
}

/* NULL: nobody was found. */
static void check(const char *x_forwarded_for, const char *forwarded, const char *client)
{
	struct http_request req = {.x_forwarded_for = span_of(x_forwarded_for),
				   .forwarded = span_of(forwarded)};
	char text[ADDR_TEXT_SIZE];
	struct addr addr;
	bool found = http_find_client(&req, ours, 2, &addr);

	if (found != (client != NULL))
		fail_msg("%s | %s", x_forwarded_for, forwarded);
	if (found)
		assert_string_equal(addr_format(&addr, text), client);
}

static void the_entry_farthest_right_that_is_no_proxy_of_ours_counts(void **state)
{
	(void)state;
	check("192.0.2.1", NULL, "192.0.2.1");
	check("1.1.1.1, 192.0.2.1", NULL, "192.0.2.1");
	check("1.1.1.1, 192.0.2.1, 10.0.0.7", NULL, "192.0.2.1");
	check("1.1.1.1,192.0.2.1,10.0.0.7,10.9.9.9", NULL, "192.0.2.1");
	check("10.0.0.7, 10.0.0.8", NULL, "10.0.0.7");
	check("2001:db8::5, fd00::1", NULL, "2001:db8::5");
	check("::ffff:192.0.2.1", NULL, "192.0.2.1");
}

static void ports_and_brackets_are_read_past(void **state)
{
	(void)state;
	check("192.0.2.1:1234", NULL, "192.0.2.1");
	check("[2001:db8::5]", NULL, "2001:db8::5");
	check("[2001:db8::5]:443", NULL, "2001:db8::5");
	check(NULL, "for=\"[2001:db8::5]:443\"", "2001:db8::5");
	check(NULL, "for=\"192.0.2.1:80\"", "192.0.2.1");
}

static void forwarded_is_read_as_rfc_7239_has_it(void **state)
{
	(void)state;
	check(NULL, "for=192.0.2.1", "192.0.2.1");
	check(NULL, "For=192.0.2.1;proto=http;by=10.0.0.1", "192.0.2.1");
	check(NULL, "proto=http; FOR=192.0.2.1", "192.0.2.1");
	check(NULL, "for=1.1.1.1, for=192.0.2.1, for=10.0.0.1", "192.0.2.1");
	check(NULL, "for=\"a,b\", for=192.0.2.1", "192.0.2.1");
}

static void what_anybody_may_have_written_on_the_left_is_not_looked_at(void **state)
{
	(void)state;
	check("nonsense, 192.0.2.1", NULL, "192.0.2.1");
	check("\", 192.0.2.1", NULL, "192.0.2.1");
	check(", , 192.0.2.1", NULL, "192.0.2.1");
	check("10.0.0.1, 192.0.2.1", NULL, "192.0.2.1");
	check("nonsense, 10.0.0.1, 192.0.2.1, 10.0.0.2", NULL, "192.0.2.1");
}

static void an_entry_that_decides_and_is_no_address_says_nothing(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"unknown",
		"192.0.2.1, ",
		"192.0.2.1, unknown",
		"192.0.2.256",
		"[2001:db8::5",
		"[2001:db8::5]x",
		"192.0.2.1, x, 10.0.0.1",
		"localhost:80",
		"192.0.2.1 8.8.8.8",
		"[192.0.2.1.1]:5",
		"2001:db8::5]:443",
	};
	static const char *const wrong_forwarded[] = {
		"",           "for=unknown", "for=_hidden",     "by=192.0.2.1",
		"for",        "for=",        "for=\"192.0.2.1", "for=192.0.2.1, proto=http",
		"=192.0.2.1", ";;",          "for=\"[::1\"",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check(wrong[i], NULL, NULL);
	for (size_t i = 0; i < sizeof(wrong_forwarded) / sizeof(wrong_forwarded[0]); i++)
		check(NULL, wrong_forwarded[i], NULL);
	check(NULL, NULL, NULL);
}

/* A proxy that keeps one of the headers may pass the other on as the client sent it. */
static void two_headers_that_differ_say_nothing(void **state)
{
	(void)state;
	check("192.0.2.1", "for=192.0.2.1", "192.0.2.1");
	check("192.0.2.1", "for=192.0.2.2", NULL);
	check("192.0.2.1", "for=unknown", NULL);
	check("unknown", "for=192.0.2.1", NULL);
}

static bool is_https(const char *proto, const char *forwarded)
{
	struct http_request req = {.x_forwarded_proto = span_of(proto),
				   .forwarded = span_of(forwarded)};

	return http_is_forwarded_https(&req);
}

static void the_last_proxy_says_whether_it_was_https(void **state)
{
	(void)state;
	assert_true(is_https("https", NULL));
	assert_true(is_https("HTTPS", NULL));
	assert_true(is_https("http, https", NULL));
	assert_true(is_https(NULL, "for=192.0.2.1;proto=https"));
	assert_true(is_https(NULL, "proto=http, Proto=\"https\";for=192.0.2.1"));
	assert_true(is_https("https", "proto=https"));
	assert_true(is_https("https", "for=192.0.2.1"));
	assert_false(is_https(NULL, NULL));
	assert_false(is_https("", NULL));
	assert_false(is_https("http", NULL));
	assert_false(is_https("https, http", NULL));
	assert_false(is_https("https,", NULL));
	assert_false(is_https("httpsx", NULL));
	assert_false(is_https(NULL, "for=192.0.2.1"));
	assert_false(is_https(NULL, "proto=https, for=192.0.2.1"));
	assert_false(is_https("https", "proto=http"));
	assert_false(is_https("http", "proto=https"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_proxy_says_whether_it_was_https),
		cmocka_unit_test(the_entry_farthest_right_that_is_no_proxy_of_ours_counts),
		cmocka_unit_test(ports_and_brackets_are_read_past),
		cmocka_unit_test(forwarded_is_read_as_rfc_7239_has_it),
		cmocka_unit_test(what_anybody_may_have_written_on_the_left_is_not_looked_at),
		cmocka_unit_test(an_entry_that_decides_and_is_no_address_says_nothing),
		cmocka_unit_test(two_headers_that_differ_say_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
