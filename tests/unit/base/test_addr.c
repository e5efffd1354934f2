/* Addresses: what is one, what a range holds, and how they are written. */
#include "hubbub/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_true(addr_parse(&a, span_of(text)));
	return a;
}

static void an_address_is_written_as_people_do(void **state)
{
	(void)state;
	static const char *const same[] = {"127.0.0.1", "255.255.255.255", "::1", "2001:db8::5",
					   "::"};
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct addr a = addr_of(same[i]);

		assert_string_equal(addr_format(&a, text), same[i]);
	}
	struct addr mapped = addr_of("::ffff:192.0.2.1");

	assert_string_equal(addr_format(&mapped, text), "192.0.2.1");
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",      "1.2.3",      "1.2.3.4.5", "256.1.1.1",  " 1.2.3.4", "1.2.3.4 ",
		"[::1]", "fe80::1%lo", "localhost", "1.2.3.4:80", "::g",      "01.2.3.4x",
	};
	struct addr a;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(addr_parse(&a, span_of(wrong[i])));
	assert_false(addr_parse(&a, SPAN("1.2.3.4\0")));
}

static void a_range_holds_what_begins_like_it(void **state)
{
	(void)state;
	static const struct {
		const char *range, *addr;
		bool is_in;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.1.2.3/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.0/8", "::ffff:10.0.0.1", true},
		{"::ffff:10.0.0.0/104", "10.9.9.9", true},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.255", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "203.0.113.9", true},
		{"fd00::/8", "fdff::1", true},
		{"fd00::/8", "fe00::1", false},
		{"2001:db8::1/128", "2001:db8::1", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr_range range;
		struct addr a = addr_of(cases[i].addr);

		assert_true(addr_range_parse(&range, span_of(cases[i].range)));
		assert_int_equal(addr_is_in(&a, &range, 1), cases[i].is_in);
	}
	struct addr any = addr_of("::1");

	assert_false(addr_is_in(&any, NULL, 0));
}

static void what_is_no_range_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",       "/8",          "10.0.0.0/",    "10.0.0.0/33",
		"::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/0008",
		"proxy/8"};
	struct addr_range range;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(addr_range_parse(&range, span_of(wrong[i])));
}

static void a_socket_of_either_kind_has_one(void **state)
{
	(void)state;
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(0xc0000201)}};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr other = {.sa_family = AF_UNIX};
	char text[ADDR_TEXT_SIZE];
	struct addr a;

	assert_true(addr_from_socket(&a, (struct sockaddr *)&four));
	assert_string_equal(addr_format(&a, text), "192.0.2.1");
	assert_true(addr_is_ipv4(&a));
	assert_true(addr_from_socket(&a, (struct sockaddr *)&six));
	assert_string_equal(addr_format(&a, text), "::1");
	assert_false(addr_is_ipv4(&a));
	assert_false(addr_from_socket(&a, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_written_as_people_do),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_range_holds_what_begins_like_it),
		cmocka_unit_test(what_is_no_range_is_refused),
		cmocka_unit_test(a_socket_of_either_kind_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
