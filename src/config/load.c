/*
 * Reading the settings: defaults first, then the file, the environment and the flags, each over
 * what came before.  A list, such as the origins, is replaced by the next source as a whole.
 */
#include "config/settings.h"

#include "config/chores.h"
#include "hubbub/mem.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_SETTINGS_MAX 64
#define ENV_PREFIX "HUBBUB_"

/* One place that settings come from, and the lists that it has replaced already. */
struct source {
	struct config *cfg;
	struct buf *text;
	bool list_begun[N_SETTINGS_MAX];
};

static int set(struct source *src, const struct setting *s, struct span value)
{
	bool *begun = &src->list_begun[s - settings_table];

	if (!*begun)
		value_clear_list(s, src->cfg);
	*begun = true;
	return value_parse(s, value, src->cfg, src->text);
}

static void append_suggestion(struct buf *text, const char *prefix, struct span name)
{
	const char *nearest = settings_nearest(name);

	if (nearest != NULL)
		buf_printf(text, "; did you mean %s%s?", prefix, nearest);
}

static int apply_defaults(struct source *src)
{
	for (size_t i = 0; i < settings_count; i++) {
		int err = set(src, &settings_table[i], span_of(settings_table[i].fallback));

		if (err != 0)
			return err;
	}
	return 0;
}

static int apply_line(struct source *src, const char *path, unsigned line_no, struct span line)
{
	const char *equals = memchr(line.p, '=', line.len);
	const struct setting *s;
	struct span name, value;

	buf_printf(src->text, "%s:%u: ", path, line_no);
	if (equals == NULL) {
		buf_append_str(src->text, "a line must be `name = value`");
		return -EINVAL;
	}
	name = value_trim((struct span){line.p, (size_t)(equals - line.p)});
	s = settings_find(name);
	if (s == NULL) {
		buf_printf(src->text, "unknown setting %.*s", (int)name.len, name.p);
		append_suggestion(src->text, "", name);
		return -EINVAL;
	}
	buf_printf(src->text, "%s ", s->name);
	value = value_trim((struct span){equals + 1, line.len - (size_t)(equals + 1 - line.p)});
	if (set(src, s, value) != 0)
		return -EINVAL;
	src->text->len = 0;
	return 0;
}

static int apply_file(struct source *src, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	int err = 0;

	if (file == NULL) {
		buf_printf(src->text, "%s: cannot read the settings: %s", path, strerror(errno));
		return -EINVAL;
	}
	errno = 0;
	for (unsigned n = 1; err == 0 && (len = getline(&line, &cap, file)) >= 0; n++) {
		struct span text = value_trim((struct span){line, (size_t)len});

		if (text.len > 0 && text.p[0] != '#')
			err = apply_line(src, path, n, text);
	}
	if (err == 0 && ferror(file)) {
		buf_printf(src->text, "%s: cannot read the settings: %s", path, strerror(errno));
		err = -EINVAL;
	}
	free(line);
	fclose(file);
	return err;
}

static int apply_env(struct source *src)
{
	for (size_t i = 0; i < settings_count; i++) {
		char *name = settings_env_name(&settings_table[i]);
		const char *value = getenv(name);
		int err = 0;

		/* An empty variable is how a unit file or a container unsets one. */
		if (value != NULL && value[0] != '\0') {
			buf_printf(src->text, "%s ", name);
			err = set(src, &settings_table[i], span_of(value));
		}
		free(name);
		if (err != 0)
			return err;
		src->text->len = 0;
	}
	return 0;
}

/* Whether the variable is one of ours, or one that our tests and scripts use for themselves. */
static bool is_known_env(struct span name)
{
	bool known = span_equal(name, SPAN(ENV_PREFIX "CONFIG")) ||
		     span_equal(name, SPAN(ENV_PREFIX "BIN")) ||
		     strncmp(name.p, ENV_PREFIX "TEST_", strlen(ENV_PREFIX "TEST_")) == 0;

	for (size_t i = 0; i < settings_count && !known; i++) {
		char *own = settings_env_name(&settings_table[i]);

		known = span_equal(span_of(own), name);
		free(own);
	}
	return known;
}

static void warn_of_unknown_env(void)
{
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		struct span name = {*entry, strcspn(*entry, "=")};

		if (strncmp(*entry, ENV_PREFIX, strlen(ENV_PREFIX)) == 0 && !is_known_env(name))
			log_warn("%.*s in the environment is no setting", (int)name.len, name.p);
	}
}

/* A flag of the command line, taken apart. */
struct flag {
	struct span name;
	struct span value; /* p is NULL if none was given */
	int n_args;        /* how many arguments it takes up */
};

static int read_flag(char *const *args, int n_args, struct flag *flag, struct buf *text)
{
	const char *arg = args[0];
	const char *equals = strchr(arg, '=');

	if (strncmp(arg, "--", 2) != 0 || arg[2] == '\0') {
		buf_printf(text, "unexpected argument `%s`: settings are --name VALUE", arg);
		return -EINVAL;
	}
	*flag = (struct flag){.name = span_of(arg + 2), .n_args = 1};
	if (equals != NULL) {
		flag->name.len = (size_t)(equals - arg) - 2;
		flag->value = span_of(equals + 1);
	}
	if (settings_find(flag->name) == NULL && !span_equal(flag->name, SPAN("config"))) {
		buf_printf(text, "unknown flag --%.*s", (int)flag->name.len, flag->name.p);
		append_suggestion(text, "--", flag->name);
		return -EINVAL;
	}
	if (flag->value.p == NULL && settings_takes_value(flag->name)) {
		if (n_args < 2) {
			buf_printf(text, "--%.*s needs a value", (int)flag->name.len, flag->name.p);
			return -EINVAL;
		}
		flag->value = span_of(args[1]);
		flag->n_args = 2;
	}
	return 0;
}

static int apply_flags(struct source *src, int argc, char *const *argv)
{
	struct flag flag;

	for (int i = 0; i < argc; i += flag.n_args) {
		const struct setting *s;
		int err = read_flag(argv + i, argc - i, &flag, src->text);

		if (err != 0)
			return err;
		s = settings_find(flag.name);
		if (s == NULL)
			continue; /* --config, which was read before */
		if (flag.value.p == NULL)
			flag.value = SPAN("true");
		buf_printf(src->text, "--%s ", s->name);
		err = set(src, s, flag.value);
		if (err != 0)
			return err;
		src->text->len = 0;
	}
	return 0;
}

/* The file that --config or HUBBUB_CONFIG names; NULL if neither does. */
static int find_file(int argc, char *const *argv, const char **path, struct buf *text)
{
	struct flag flag;

	*path = getenv(ENV_PREFIX "CONFIG");
	if (*path != NULL && (*path)[0] == '\0')
		*path = NULL;
	for (int i = 0; i < argc; i += flag.n_args) {
		int err = read_flag(argv + i, argc - i, &flag, text);

		if (err != 0)
			return err;
		if (span_equal(flag.name, SPAN("config")))
			*path = flag.value.p; /* ends where its argument ends */
	}
	return 0;
}

bool config_has_tls(const struct config *cfg)
{
	return cfg->tls_cert[0] != '\0';
}

bool config_has_oidc(const struct config *cfg)
{
	return cfg->oidc_issuer[0] != '\0';
}

static int check_oidc(const struct config *cfg, struct buf *text)
{
	bool has_client = cfg->oidc_client_id[0] != '\0';

	if (config_has_oidc(cfg) != has_client)
		buf_printf(text, "oidc-%s is set and oidc-%s is not: single sign-on needs both",
			   has_client ? "client-id" : "issuer",
			   has_client ? "issuer" : "client-id");
	else if (!has_client && (cfg->oidc_only || cfg->oidc_create))
		buf_printf(text, "oidc-%s needs oidc-issuer", cfg->oidc_only ? "only" : "create");
	else if (has_client && cfg->open)
		buf_append_str(text, "oidc-issuer is for accounts, and open mode has none");
	else
		return 0;
	return -EINVAL;
}

static int check_mail(const struct config *cfg, struct buf *text)
{
	bool has_url = cfg->smtp_url[0] != '\0', has_from = cfg->mail_from[0] != '\0';

	if (has_url != has_from)
		buf_printf(text, "%s is set and %s is not: mail needs both",
			   has_url ? "smtp-url" : "mail-from", has_url ? "mail-from" : "smtp-url");
	else if (has_url && strpbrk(cfg->mail_from, "<>\" ,;\r\n") != NULL)
		buf_append_str(text, "mail-from must be a plain address, as in chat@example.org");
	else if (has_url && cfg->n_origins == 0)
		buf_append_str(text, "smtp-url needs origin: the links in mails begin with it");
	else if ((cfg->smtp_user[0] != '\0') != (cfg->smtp_password_file[0] != '\0'))
		buf_append_str(text, "smtp-user and smtp-password-file go together");
	else
		return 0;
	return -EINVAL;
}

static int check_tls(const struct config *cfg, struct buf *text)
{
	bool has_key = cfg->tls_key[0] != '\0';

	if (config_has_tls(cfg) != has_key)
		buf_printf(text, "tls-%s is set and tls-%s is not: TLS needs both",
			   has_key ? "key" : "cert", has_key ? "cert" : "key");
	else if (cfg->redirect_host != NULL && !has_key)
		buf_append_str(text, "http-redirect sends browsers to https, which needs tls-cert "
				     "and tls-key");
	else
		return 0;
	return -EINVAL;
}

/* JSON may write a byte of text as six (\u0000), and the rest of a request has to fit too. */
static int check_together(const struct config *cfg, struct buf *text)
{
	size_t need = 6 * cfg->max_text + 500;

	if (need <= cfg->max_frame)
		return 0;
	buf_printf(text,
		   "max-text %zu does not fit in max-frame %zu: 6 * %zu + 500 is %zu; raise "
		   "max-frame to that, or lower max-text to %zu",
		   cfg->max_text, cfg->max_frame, cfg->max_text, need, (cfg->max_frame - 500) / 6);
	return -EINVAL;
}

static int load_all(struct config *cfg, int argc, char *const *argv, struct buf *text)
{
	struct source defaults = {.cfg = cfg, .text = text}, file = defaults, env = defaults,
		      flags = defaults;
	const char *path;
	int err;

	assert(settings_count <= N_SETTINGS_MAX);
	err = find_file(argc, argv, &path, text);

	if (err == 0)
		err = apply_defaults(&defaults);
	if (err == 0 && path != NULL)
		err = apply_file(&file, path);
	if (err == 0)
		err = apply_env(&env);
	if (err == 0)
		err = apply_flags(&flags, argc, argv);
	if (err == 0)
		err = check_tls(cfg, text);
	if (err == 0)
		err = check_oidc(cfg, text);
	if (err == 0)
		err = check_mail(cfg, text);
	return err == 0 ? check_together(cfg, text) : err;
}

static int load_chore(struct config *cfg, int argc, char *const *argv, struct buf *text)
{
	char **args = mem_alloc((size_t)(argc + 1) * sizeof(*args));
	int n = argc, err;

	memcpy(args, argv, (size_t)argc * sizeof(*args));
	err = chores_take_args(cfg, argv[-1], &n, args, text);
	if (err == 0)
		err = load_all(cfg, n, args, text);
	free(args);
	return err;
}

static bool asks_for(const char *arg, const char *word)
{
	return strcmp(arg, word) == 0 || (strncmp(arg, "--", 2) == 0 && strcmp(arg + 2, word) == 0);
}

int config_load(struct config *cfg, int argc, char *const *argv, struct buf *text)
{
	const char *verb = argc >= 2 ? argv[1] : NULL;
	int err;

	*cfg = (struct config){0};
	text->len = 0;
	if (verb == NULL) {
		buf_append_str(text, "say what to do: `hubbub serve` runs the server, `hubbub "
				     "--help` tells the rest");
		return -EINVAL;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
		    (i == 1 && asks_for(argv[i], "help"))) {
			if (chores_find(verb) != 0)
				chores_append_help(verb, text);
			else
				settings_append_help(text);
			return CONFIG_HELP;
		}
	}
	if (asks_for(verb, "version")) {
		buf_append_str(text, "hubbub " HUBBUB_VERSION "\n");
		return CONFIG_VERSION;
	}
	if (strcmp(verb, "settings") == 0) {
		settings_append_markdown(text);
		return CONFIG_HELP;
	}
	int chore = chores_find(verb);
	if (chore == 0 && strcmp(verb, "serve") != 0 && strcmp(verb, "check-config") != 0) {
		buf_printf(text,
			   "`%s` is nothing it can do: `hubbub serve` runs the server, `hubbub "
			   "--help` tells the rest",
			   verb);
		return -EINVAL;
	}

	err = chore != 0 ? load_chore(cfg, argc - 2, argv + 2, text)
			 : load_all(cfg, argc - 2, argv + 2, text);
	if (err != 0) {
		config_deinit(cfg);
		return err;
	}
	warn_of_unknown_env();
	if (chore != 0)
		return chore;
	return strcmp(verb, "serve") == 0 ? CONFIG_SERVE : CONFIG_CHECK;
}

int config_reload(struct config *cfg, const struct config *old, int argc, char *const *argv,
		  struct buf *text)
{
	int err;

	*cfg = (struct config){0};
	text->len = 0;
	err = load_all(cfg, argc - 2, argv + 2, text);
	if (err != 0) {
		config_deinit(cfg);
		return err;
	}
	/* Another certificate may come at any time, but the port's protocol stays. */
	bool keeps_tls = config_has_tls(cfg) == config_has_tls(old);

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];
		bool is_live = s->is_live && (s->type != SETTING_OPTION || keeps_tls);

		if (is_live || value_equal(s, cfg, old))
			continue;
		value_copy(s, cfg, old);
		buf_printf(text, "%s%s", text->len > 0 ? ", " : "", s->name);
	}
	return 0;
}

bool config_equal(const struct config *a, const struct config *b)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (!value_equal(&settings_table[i], a, b))
			return false;
	}
	return true;
}

void config_deinit(struct config *cfg)
{
	for (size_t i = 0; i < cfg->n_origins; i++)
		free(cfg->origins[i]);
	free(cfg->origins);
	free(cfg->trusted_proxies);
	free(cfg->data_dir);
	free(cfg->file);
	free(cfg->args[0]);
	free(cfg->args[1]);
	free(cfg->opt_name);
	free(cfg->opt_role);
	free(cfg->opt_room);
	free(cfg->listen_host);
	free(cfg->redirect_host);
	free(cfg->tls_cert);
	free(cfg->tls_key);
	free(cfg->oidc_issuer);
	free(cfg->oidc_client_id);
	free(cfg->oidc_secret_file);
	free(cfg->oidc_name);
	free(cfg->smtp_url);
	free(cfg->smtp_user);
	free(cfg->smtp_password_file);
	free(cfg->mail_from);
	*cfg = (struct config){0};
}
