/* The settings: where they come from, which goes first, and what is said about a wrong one. */
#include "hubbub/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_ARGS 12

static struct config cfg;
static struct buf text;
static char file_path[64];

static int forget(void **state)
{
	(void)state;
	config_deinit(&cfg);
	buf_deinit(&text);
	if (file_path[0] != '\0')
		unlink(file_path);
	file_path[0] = '\0';
	unsetenv("HUBBUB_CONFIG");
	unsetenv("HUBBUB_MAX_FRAME");
	unsetenv("HUBBUB_HEARTBEAT_MS");
	unsetenv("HUBBUB_OPEN");
	unsetenv("HUBBUB_ORIGIN");
	return 0;
}

/* Load the words of @line, which follow the program's name. */
static int load(const char *line)
{
	char program[] = "hubbub";
	char words[512];
	char *argv[MAX_ARGS + 1] = {program};
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w != NULL && argc < MAX_ARGS; w = strtok(NULL, " "))
		argv[argc++] = w;
	config_deinit(&cfg);
	return config_load(&cfg, argc, argv, &text);
}

static void write_file(const char *content)
{
	int fd;
	FILE *file;

	snprintf(file_path, sizeof(file_path), "/tmp/hubbub-test-config-XXXXXX");
	fd = mkstemp(file_path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(content, file);
	fclose(file);
	setenv("HUBBUB_CONFIG", file_path, 1);
}

static bool says(const char *part)
{
	return memmem(text.p, text.len, part, strlen(part)) != NULL;
}

static void without_settings_the_defaults_hold(void **state)
{
	(void)state;
	assert_int_equal(load("serve"), CONFIG_SERVE);
	assert_string_equal(cfg.listen_host, "127.0.0.1");
	assert_int_equal(cfg.listen_port, 8080);
	assert_string_equal(cfg.data_dir, "./hubbub-data");
	assert_false(cfg.open);
	assert_false(cfg.no_limits);
	assert_int_equal(cfg.workers, 0);
	assert_int_equal(cfg.log_level, LOG_INFO);
	assert_int_equal(cfg.n_origins, 0);
	assert_int_equal(cfg.max_frame, 65536);
	assert_int_equal(cfg.max_text, 8000);
	assert_int_equal(cfg.heartbeat_ms, 25000);
	assert_int_equal(cfg.max_output, 1 << 20);
	assert_int_equal(cfg.max_connections, 0);
	assert_int_equal(cfg.send_limit.n, 50);
	assert_int_equal(cfg.send_limit.per_ms, 5000);
	assert_int_equal(cfg.request_timeout_ms, 10000);
}

static void flags_take_their_value_either_way(void **state)
{
	(void)state;
	assert_int_equal(load("serve --listen [::1]:0 --data=/var/lib/hubbub --open --workers 4 "
			      "--send-limit 5/1000 --log-level=debug --no-limits=false"),
			 CONFIG_SERVE);
	assert_string_equal(cfg.listen_host, "::1");
	assert_int_equal(cfg.listen_port, 0);
	assert_string_equal(cfg.data_dir, "/var/lib/hubbub");
	assert_true(cfg.open);
	assert_int_equal(cfg.workers, 4);
	assert_int_equal(cfg.send_limit.n, 5);
	assert_int_equal(cfg.send_limit.per_ms, 1000);
	assert_int_equal(cfg.log_level, LOG_DEBUG);
	assert_false(cfg.no_limits);
}

static void a_flag_goes_before_the_environment_and_that_before_the_file(void **state)
{
	(void)state;
	write_file("# a comment\n\n  max-frame = 100000  \nheartbeat-ms=111\nopen = true\n"
		   "data = /srv/a b#c\n");
	setenv("HUBBUB_MAX_FRAME", "200000", 1);
	setenv("HUBBUB_HEARTBEAT_MS", "222", 1);
	assert_int_equal(load("serve --max-frame 300000"), CONFIG_SERVE);
	assert_int_equal(cfg.max_frame, 300000);
	assert_int_equal(cfg.heartbeat_ms, 222);
	assert_true(cfg.open);
	assert_string_equal(cfg.data_dir, "/srv/a b#c");
}

static void the_files_name_may_stand_on_the_command_line(void **state)
{
	char line[128];
	(void)state;

	write_file("heartbeat-ms = 333\n");
	setenv("HUBBUB_CONFIG", "/nonexistent", 1);
	snprintf(line, sizeof(line), "serve --config %s", file_path);
	assert_int_equal(load(line), CONFIG_SERVE);
	assert_int_equal(cfg.heartbeat_ms, 333);
}

static void an_empty_variable_sets_nothing(void **state)
{
	(void)state;
	setenv("HUBBUB_HEARTBEAT_MS", "", 1);
	setenv("HUBBUB_CONFIG", "", 1);
	assert_int_equal(load("serve"), CONFIG_SERVE);
	assert_int_equal(cfg.heartbeat_ms, 25000);
}

static void origins_add_up_within_a_source_and_replace_another_source(void **state)
{
	(void)state;
	setenv("HUBBUB_ORIGIN", "https://a.example, http://b.example:8080", 1);
	assert_int_equal(load("serve"), CONFIG_SERVE);
	assert_int_equal(cfg.n_origins, 2);
	assert_string_equal(cfg.origins[0], "https://a.example");
	assert_string_equal(cfg.origins[1], "http://b.example:8080");
	assert_int_equal(load("serve --origin https://c.example --origin http://d.example"),
			 CONFIG_SERVE);
	assert_int_equal(cfg.n_origins, 2);
	assert_string_equal(cfg.origins[0], "https://c.example");
	assert_string_equal(cfg.origins[1], "http://d.example");
}

static void an_origin_is_kept_as_a_browser_writes_it(void **state)
{
	(void)state;
	assert_int_equal(load("serve --origin HTTPS://Chat.Example:443/ --origin "
			      "http://x.example:80 --origin http://y.example:443"),
			 CONFIG_SERVE);
	assert_string_equal(cfg.origins[0], "https://chat.example");
	assert_string_equal(cfg.origins[1], "http://x.example");
	assert_string_equal(cfg.origins[2], "http://y.example:443");
}

static void what_is_wrong_is_named_with_what_is_allowed(void **state)
{
	static const struct {
		const char *line;
		const char *parts[2];
	} cases[] = {
		{"", {"hubbub serve", "--help"}},
		{"start", {"`start`", "hubbub serve"}},
		{"--open serve", {"`--open`", "hubbub serve"}},
		{"serve now", {"`now`", "--name"}},
		{"serve -x", {"`-x`", "--name"}},
		{"serve --", {"`--`", "--name"}},
		{"serve --opne", {"--opne", "did you mean --open?"}},
		{"serve --max-txt 5", {"--max-txt", "did you mean --max-text?"}},
		{"serve --heartbeat 5", {"--heartbeat", "did you mean --heartbeat-ms?"}},
		{"serve --data", {"--data", "needs a value"}},
		{"serve --config", {"--config", "needs a value"}},
		{"serve --data=", {"--data", "must not be empty"}},
		{"serve --open=maybe", {"--open", "true or false"}},
		{"serve --workers -1", {"--workers", "from 0 to 256"}},
		{"serve --workers 257", {"--workers", "from 0 to 256"}},
		{"serve --workers=", {"--workers", "from 0 to 256"}},
		{"serve --max-frame 64K", {"--max-frame", "from 1000 to 67108864"}},
		{"serve --max-frame 99999999999999999999999", {"--max-frame", "from 1000"}},
		{"serve --log-level loud", {"--log-level", "error, warn, info or debug"}},
		{"serve --send-limit 50", {"--send-limit", "N/MS"}},
		{"serve --send-limit 0/50", {"--send-limit", "N/MS"}},
		{"serve --send-limit 5/50/5", {"--send-limit", "N/MS"}},
		{"serve --listen 8080", {"--listen", "ADDR:PORT"}},
		{"serve --listen 127.0.0.1:65536", {"--listen", "0 to 65535"}},
		{"serve --listen 127.0.0.1:", {"--listen", "0 to 65535"}},
		{"serve --listen ::1:80", {"--listen", "brackets"}},
		{"serve --listen [::1:80", {"--listen", "brackets"}},
		{"serve --listen [127.0.0.1]:80", {"--listen", "numeric address"}},
		{"serve --listen chat.example:80", {"--listen", "numeric address or localhost"}},
		{"serve --listen :80", {"--listen", "numeric address or localhost"}},
		{"serve --origin chat.example", {"--origin", "https://chat.example.org"}},
		{"serve --origin https://", {"--origin", "https://chat.example.org"}},
		{"serve --origin https://a.example/path", {"--origin", "without a path"}},
		{"serve --config /nonexistent/file", {"/nonexistent/file", "No such file"}},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(load(cases[i].line), -EINVAL);
		for (int k = 0; k < 2; k++) {
			if (!says(cases[i].parts[k]))
				fail_msg("`%s` lacks %s: %.*s", cases[i].line, cases[i].parts[k],
					 (int)text.len, text.p);
		}
		assert_null(memchr(text.p, '\n', text.len));
		assert_null(cfg.listen_host);
	}
}

static void a_wrong_line_of_the_file_is_named_by_its_number(void **state)
{
	char place[160];
	(void)state;

	write_file("# one\nopen = true\nmax-frmae = 5\n");
	snprintf(place, sizeof(place), "%s:3: unknown setting max-frmae; did you mean max-frame?",
		 file_path);
	assert_int_equal(load("serve"), -EINVAL);
	assert_true(says(place));
	unlink(file_path);

	write_file("max-frame 5\n");
	snprintf(place, sizeof(place), "%s:1: a line must be", file_path);
	assert_int_equal(load("serve"), -EINVAL);
	assert_true(says(place));
	unlink(file_path);

	write_file("\nmax-frame = 5\n");
	snprintf(place, sizeof(place), "%s:2: max-frame must be", file_path);
	assert_int_equal(load("serve"), -EINVAL);
	assert_true(says(place));
}

static void a_wrong_variable_is_named(void **state)
{
	(void)state;
	setenv("HUBBUB_OPEN", "perhaps", 1);
	assert_int_equal(load("serve"), -EINVAL);
	assert_true(says("HUBBUB_OPEN must be true or false"));
}

static void a_text_must_fit_in_a_frame(void **state)
{
	(void)state;
	assert_int_equal(load("serve --max-text 20000"), -EINVAL);
	assert_true(says("max-text 20000"));
	assert_true(says("max-frame 65536"));
	assert_true(says("120500"));
	assert_int_equal(load("serve --max-text 20000 --max-frame 120499"), -EINVAL);
	assert_int_equal(load("serve --max-text 20000 --max-frame 120500"), CONFIG_SERVE);
	assert_int_equal(load("serve --max-text 10839"), CONFIG_SERVE);
	assert_int_equal(load("serve --max-text 10840"), -EINVAL);
	assert_true(says("lower max-text to 10839"));
}

static void help_tells_each_setting_with_its_default(void **state)
{
	static const char *const lines[] = {"help", "--help", "-h", "serve --help",
					    "serve --open --help"};
	(void)state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(load(lines[i]), CONFIG_HELP);
		assert_true(says("hubbub serve"));
		assert_true(says("--listen ADDR:PORT"));
		assert_true(says("(default 65536)"));
		assert_true(says("--config FILE"));
		assert_int_equal(text.p[text.len - 1], '\n');
	}
}

static void the_version_is_the_projects(void **state)
{
	(void)state;
	assert_int_equal(load("--version"), CONFIG_VERSION);
	assert_true(says("hubbub " HUBBUB_VERSION "\n"));
}

static void the_table_is_there_for_the_documentation(void **state)
{
	(void)state;
	assert_int_equal(load("settings"), CONFIG_HELP);
	assert_true(says("| `--max-frame` | `HUBBUB_MAX_FRAME` | 1000 to 67108864 | `65536` |"));
}

/* Read the file once more, as `serve --config FILE` does. */
static int reload(struct config *newer)
{
	char program[] = "hubbub", verb[] = "serve", flag[] = "--config";
	char *argv[] = {program, verb, flag, file_path};

	return config_reload(newer, &cfg, 4, argv, &text);
}

static void load_file(const char *content)
{
	char line[128];

	write_file(content);
	snprintf(line, sizeof(line), "serve --config %s", file_path);
	assert_int_equal(load(line), CONFIG_SERVE);
}

static void overwrite_file(const char *content)
{
	FILE *file = fopen(file_path, "we");

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static void a_reload_changes_what_a_running_server_can_change(void **state)
{
	(void)state;
	struct config newer;

	load_file("send-limit = 7/100\norigin = https://a.example\n");
	overwrite_file("send-limit = 9/200\nlog-level = debug\nmax-connections = 12\n"
		       "max-output = 4096\nno-limits = true\norigin = https://b.example\n");
	assert_int_equal(reload(&newer), 0);
	assert_int_equal(text.len, 0);
	assert_int_equal(newer.send_limit.n, 9);
	assert_int_equal(newer.send_limit.per_ms, 200);
	assert_int_equal(newer.log_level, LOG_DEBUG);
	assert_int_equal(newer.max_connections, 12);
	assert_int_equal(newer.max_output, 4096);
	assert_true(newer.no_limits);
	assert_int_equal(newer.n_origins, 1);
	assert_string_equal(newer.origins[0], "https://b.example");
	assert_int_equal(cfg.send_limit.n, 7);
	assert_false(config_equal(&newer, &cfg));
	config_deinit(&newer);
}

static void tls_wants_certificate_and_key_together(void **state)
{
	(void)state;
	assert_int_equal(load("serve --tls-cert a --tls-key b --http-redirect [::]:80"),
			 CONFIG_SERVE);
	assert_true(config_has_tls(&cfg));
	assert_string_equal(cfg.tls_key, "b");
	assert_string_equal(cfg.redirect_host, "::");
	assert_int_equal(cfg.redirect_port, 80);
	assert_int_equal(load("serve --tls-cert a"), -EINVAL);
	assert_true(says("tls-cert is set and tls-key is not"));
	assert_int_equal(load("serve --tls-key b"), -EINVAL);
	assert_true(says("tls-key is set and tls-cert is not"));
	assert_int_equal(load("serve --http-redirect 127.0.0.1:80"), -EINVAL);
	assert_true(says("needs tls-cert and tls-key"));
	assert_int_equal(load("serve"), CONFIG_SERVE);
	assert_false(config_has_tls(&cfg));
	assert_null(cfg.redirect_host);
}

static void a_reload_changes_a_certificate_but_not_whether_there_is_one(void **state)
{
	(void)state;
	struct config newer;

	load_file("tls-cert = a\ntls-key = b\nhttp-redirect = 127.0.0.1:1\n");
	overwrite_file("tls-cert = c\ntls-key = b\nhttp-redirect = 127.0.0.1:2\n");
	assert_int_equal(reload(&newer), 0);
	assert_string_equal(newer.tls_cert, "c");
	assert_int_equal(newer.redirect_port, 1);
	assert_true(says("http-redirect"));
	config_deinit(&newer);
	overwrite_file("hsts-max-age = 5\n");
	assert_int_equal(reload(&newer), 0);
	assert_string_equal(newer.tls_cert, "a");
	assert_string_equal(newer.tls_key, "b");
	assert_string_equal(newer.redirect_host, "127.0.0.1");
	assert_int_equal(newer.hsts_max_age, 5);
	assert_true(says("tls-cert, tls-key, http-redirect"));
	config_deinit(&newer);
	load_file("");
	overwrite_file("tls-cert = a\ntls-key = b\n");
	assert_int_equal(reload(&newer), 0);
	assert_false(config_has_tls(&newer));
	config_deinit(&newer);
}

static void a_reload_keeps_and_names_the_rest(void **state)
{
	(void)state;
	struct config newer;

	load_file("max-text = 100\n");
	overwrite_file("max-text = 200\nlisten = 127.0.0.1:1\ndata = /elsewhere\nopen = true\n"
		       "workers = 3\nmax-frame = 70000\nsend-limit = 9/200\n");
	assert_int_equal(reload(&newer), 0);
	buf_append_char(&text, '\0');
	assert_string_equal(text.p, "listen, data, open, workers, max-frame, max-text");
	assert_int_equal(newer.max_text, 100);
	assert_int_equal(newer.listen_port, 8080);
	assert_string_equal(newer.data_dir, "./hubbub-data");
	assert_false(newer.open);
	assert_int_equal(newer.workers, 0);
	assert_int_equal(newer.max_frame, 65536);
	assert_int_equal(newer.send_limit.n, 9);
	config_deinit(&newer);
}

static void a_reload_of_what_is_the_same_is_equal(void **state)
{
	(void)state;
	struct config newer;

	load_file("send-limit = 7/100\norigin = https://a.example\nopen = true\n");
	assert_int_equal(reload(&newer), 0);
	assert_int_equal(text.len, 0);
	assert_true(config_equal(&newer, &cfg));
	config_deinit(&newer);
}

static void a_reload_of_what_is_wrong_yields_nothing(void **state)
{
	(void)state;
	struct config newer;

	load_file("max-text = 100\n");
	overwrite_file("max-text = many\n");
	assert_int_equal(reload(&newer), -EINVAL);
	assert_true(text.len > 0);
	assert_null(newer.listen_host);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_teardown(name, forget)
	const struct CMUnitTest tests[] = {
		CLAIM(without_settings_the_defaults_hold),
		CLAIM(flags_take_their_value_either_way),
		CLAIM(a_flag_goes_before_the_environment_and_that_before_the_file),
		CLAIM(the_files_name_may_stand_on_the_command_line),
		CLAIM(an_empty_variable_sets_nothing),
		CLAIM(origins_add_up_within_a_source_and_replace_another_source),
		CLAIM(an_origin_is_kept_as_a_browser_writes_it),
		CLAIM(what_is_wrong_is_named_with_what_is_allowed),
		CLAIM(a_wrong_line_of_the_file_is_named_by_its_number),
		CLAIM(a_wrong_variable_is_named),
		CLAIM(a_text_must_fit_in_a_frame),
		CLAIM(help_tells_each_setting_with_its_default),
		CLAIM(the_version_is_the_projects),
		CLAIM(the_table_is_there_for_the_documentation),
		CLAIM(a_reload_changes_what_a_running_server_can_change),
		CLAIM(tls_wants_certificate_and_key_together),
		CLAIM(a_reload_changes_a_certificate_but_not_whether_there_is_one),
		CLAIM(a_reload_keeps_and_names_the_rest),
		CLAIM(a_reload_of_what_is_the_same_is_equal),
		CLAIM(a_reload_of_what_is_wrong_yields_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
