/*
 * The command line, the environment and the settings file.  What is accepted keeps its bounds; what
 * is refused is refused in one line that says why; what is read again changes only what may change
 * while the server runs.
 *
 * Input: lines; the first byte of each says where it goes: 'a' an argument, 'e' NAME=VALUE of a
 * HUBBUB_ variable, 'r' a line of the settings file when it is read again, anything else a line of
 * the file that --config names.
 */
#include "fuzz.h"

#include "hubbub/config.h"
#include "hubbub/mem.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_ARGS 32
#define MAX_VARS 16

struct input {
	char *args[MAX_ARGS];
	int n_args;
	char *vars[MAX_VARS];
	int n_vars;
	struct buf file, reread;
};

static void add_var(struct input *in, const char *line, size_t len)
{
	const char *equals = memchr(line, '=', len);

	if (equals == NULL || equals == line || in->n_vars == MAX_VARS)
		return;
	struct buf name = {0};

	buf_append_str(&name, "HUBBUB_");
	buf_append(&name, line, (size_t)(equals - line));
	char *value = mem_dup(equals + 1, len - (size_t)(equals + 1 - line));

	in->vars[in->n_vars] = buf_take(&name, NULL);
	if (setenv(in->vars[in->n_vars], value, 1) == 0)
		in->n_vars++;
	else
		free(in->vars[in->n_vars]);
	free(value);
}

static void add_line(struct input *in, const char *line, size_t len)
{
	if (len > 0 && line[0] == 'a' && in->n_args < MAX_ARGS) {
		in->args[in->n_args++] = mem_dup(line + 1, len - 1);
	} else if (len > 0 && line[0] == 'e') {
		add_var(in, line + 1, len - 1);
	} else if (len > 0 && line[0] == 'r') {
		buf_append(&in->reread, line + 1, len - 1);
		buf_append_char(&in->reread, '\n');
	} else {
		buf_append(&in->file, line, len);
		buf_append_char(&in->file, '\n');
	}
}

static void check(const struct config *cfg)
{
	MUST(cfg->listen_host != NULL && cfg->data_dir != NULL);
	MUST(config_has_tls(cfg) == (cfg->tls_key[0] != '\0'));
	MUST(cfg->redirect_host == NULL || config_has_tls(cfg));
	MUST(cfg->workers <= 256);
	MUST(cfg->max_text >= 1 && 6 * cfg->max_text + 500 <= cfg->max_frame);
	MUST(cfg->gather_ms <= 5);
	MUST(cfg->heartbeat_ms >= 10);
	MUST(cfg->send_limit.per_ms >= 1 && cfg->http_limit.per_ms >= 1);
	MUST((cfg->trusted_proxies == NULL) == (cfg->n_trusted_proxies == 0));
	for (size_t i = 0; i < cfg->n_origins; i++)
		MUST(cfg->origins[i] != NULL && cfg->origins[i][0] != '\0');
}

static void fill(int fd, const struct buf *text)
{
	MUST(ftruncate(fd, 0) == 0);
	MUST(text->len == 0 || pwrite(fd, text->p, text->len, 0) == (ssize_t)text->len);
}

/* What a running server cannot change stays as it was. */
static void reload(const struct config *old, int argc, char *const *argv)
{
	struct config cfg = {0}, again = {0};
	struct buf text = {0};
	int err = config_reload(&cfg, old, argc, argv, &text);

	if (err != 0) {
		MUST(err == -EINVAL && text.len > 0);
		buf_deinit(&text);
		return;
	}
	check(&cfg);
	MUST(strcmp(cfg.data_dir, old->data_dir) == 0 && cfg.workers == old->workers);
	MUST(strcmp(cfg.listen_host, old->listen_host) == 0);
	MUST(cfg.listen_port == old->listen_port && cfg.open == old->open);
	MUST(config_has_tls(&cfg) == config_has_tls(old));
	/* Once more there is the same to say: those settings have not changed. */
	struct buf said = {0};
	MUST(config_reload(&again, &cfg, argc, argv, &said) == 0);
	MUST(span_equal(buf_span(&said), buf_span(&text)));
	MUST(config_equal(&again, &cfg));
	MUST(config_equal(&cfg, old) == config_equal(old, &cfg));
	config_deinit(&again);
	config_deinit(&cfg);
	buf_deinit(&said);
	buf_deinit(&text);
}

static bool is_filled(int verb)
{
	return verb == CONFIG_SERVE || verb == CONFIG_CHECK || verb == CONFIG_BACKUP ||
	       verb == CONFIG_RESTORE || verb == CONFIG_CHECK_DATA;
}

static void load(struct input *in)
{
	char path[64];
	char program[] = "hubbub", flag[] = "--config";
	char *argv[MAX_ARGS + 4] = {program};
	int argc = 1;
	int fd = memfd_create("settings", MFD_CLOEXEC);

	MUST(fd >= 0);
	fill(fd, &in->file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < in->n_args; i++)
		argv[argc++] = in->args[i];
	if (in->file.len > 0 || in->reread.len > 0) {
		argv[argc++] = flag;
		argv[argc++] = path;
	}

	struct config cfg = {0};
	struct buf text = {0};
	int verb = config_load(&cfg, argc, argv, &text);

	if (is_filled(verb)) {
		check(&cfg);
		MUST((cfg.file != NULL) == (verb == CONFIG_BACKUP || verb == CONFIG_RESTORE));
		fill(fd, &in->reread);
		if (verb == CONFIG_SERVE)
			reload(&cfg, argc, argv);
		config_deinit(&cfg);
	} else {
		MUST(text.len > 0);
	}
	buf_deinit(&text);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {0};
	const char *p = (const char *)data, *end = p + size;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline != NULL ? newline : end;

		add_line(&in, p, (size_t)(stop - p));
		p = newline != NULL ? newline + 1 : end;
	}
	load(&in);
	for (int i = 0; i < in.n_args; i++)
		free(in.args[i]);
	for (int i = 0; i < in.n_vars; i++) {
		unsetenv(in.vars[i]);
		free(in.vars[i]);
	}
	buf_deinit(&in.file);
	buf_deinit(&in.reread);
	return 0;
}
