/* The log, read back from a pipe in the place of standard error. */
#include "hubbub/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int saved_stderr, read_end;

static void begin_capture(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	read_end = fds[0];
}

static const char *end_capture(void)
{
	static char text[8192];
	ssize_t n;
	size_t len = 0;

	dup2(saved_stderr, STDERR_FILENO); /* closes the pipe's last write end */
	close(saved_stderr);
	while ((n = read(read_end, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(read_end);
	return text;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, text, 0, NULL, 0) != 0)
		fail_msg("%s does not match %s", text, pattern);
	regfree(&re);
}

static void a_line_has_time_level_and_text(void **state)
{
	(void)state;
	begin_capture();
	log_info("worker %d started", 3);
	assert_matches(end_capture(), "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\."
				      "[0-9]{3}Z info worker 3 started\n$");
}

static void input_cannot_forge_a_line_or_speak_to_the_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\nb", "info a\\x0ab\n"},
		{"a\r\tb", "info a\\x0d\\x09b\n"},
		{"\x1b[31m", "info \\x1b[31m\n"},
		{"\x7f", "info \\x7f\n"},
		{"\xc2\x9b", "info \\xc2\\x9b\n"},
		{"\xe2\x80\xa8", "info \\xe2\\x80\\xa8\n"},
		{"bad \xff\xc3", "info bad \\xff\\xc3\n"},
		{"grüße 🎉", "info grüße 🎉\n"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text;

		begin_capture();
		log_info("%s", cases[i].in);
		text = end_capture();
		assert_string_equal(strstr(text, "info"), cases[i].out);
	}
}

static void a_long_line_is_cut_between_characters(void **state)
{
	(void)state;
	/* Four offsets, so that the cut falls on each byte of a character once. */
	for (int shift = 0; shift < 4; shift++) {
		char in[4096];
		const char *text;

		memset(in, 'x', (size_t)shift);
		for (int i = 0; i < 500; i++)
			memcpy(in + shift + i * 4, "🎉", 4);
		in[shift + 2000] = '\0';
		begin_capture();
		log_info("%s", in);
		text = end_capture();
		assert_null(strstr(text, "\\x"));
		assert_string_equal(text + strlen(text) - 4, "...\n");
	}
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	begin_capture();
	log_debug("not shown");
	log_set_level(LOG_ERROR);
	log_warn("not shown");
	log_error("shown");
	log_set_level(LOG_DEBUG);
	log_debug("shown too");
	log_set_level(LOG_INFO);
	assert_matches(end_capture(), "^[^ ]+ error shown\n[^ ]+ debug shown too\n$");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_and_text),
		cmocka_unit_test(input_cannot_forge_a_line_or_speak_to_the_terminal),
		cmocka_unit_test(a_long_line_is_cut_between_characters),
		cmocka_unit_test(what_is_below_the_level_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
