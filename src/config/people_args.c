/*
 * The command lines of `hubbub user`, `invite` and `audit`: what to do, to whom, and options.
 */
#include "config/chores.h"
#include "hubbub/mem.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static const struct option {
	const char *name;
	size_t offset;
	unsigned max, fallback; /* of a number; 0: text */
} options[] = {
	{"name", offsetof(struct config, opt_name), 0, 0},
	{"role", offsetof(struct config, opt_role), 0, 0},
	{"room", offsetof(struct config, opt_room), 0, 0},
	{"uses", offsetof(struct config, opt_uses), 1000, 1},
	{"days", offsetof(struct config, opt_days), 365, 7},
	{"limit", offsetof(struct config, opt_limit), 200, 50},
};

static const struct option *find(const char *allowed, struct span name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (span_equal(span_of(options[i].name), name) &&
		    memmem(allowed, strlen(allowed), name.p, name.len) != NULL)
			return &options[i];
	}
	return NULL;
}

static void *field_of(struct config *cfg, const struct option *o)
{
	return (char *)cfg + o->offset;
}

static int set(struct config *cfg, const struct option *o, const char *value, struct buf *text)
{
	char *end;

	if (o->max == 0) {
		char **field = field_of(cfg, o);

		free(*field);
		*field = mem_strdup(value);
		return 0;
	}
	errno = 0;
	unsigned long n = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || value[0] < '0' || value[0] > '9' || n < 1 || n > o->max) {
		buf_printf(text, "--%s `%s` is no number from 1 to %u", o->name, value, o->max);
		return -EINVAL;
	}
	*(unsigned *)field_of(cfg, o) = (unsigned)n;
	return 0;
}

static int take_word(struct config *cfg, const char *name, const char *arg, struct buf *text)
{
	for (size_t i = 0; i < sizeof(cfg->args) / sizeof(cfg->args[0]); i++) {
		if (cfg->args[i] == NULL) {
			cfg->args[i] = mem_strdup(arg);
			return 0;
		}
	}
	buf_printf(text, "unexpected argument `%s`: see `hubbub %s --help`", arg, name);
	return -EINVAL;
}

/* The words of `hubbub user`; the others have none. */
static int check_words(const struct config *cfg, const char *name, struct buf *text)
{
	static const char *const verbs[] = {"add", "disable", "enable", "reset-password"};
	const char *verb = cfg->args[0];

	if (strcmp(name, "user") != 0) {
		if (verb == NULL)
			return 0;
		buf_printf(text, "unexpected argument `%s`: see `hubbub %s --help`", verb, name);
		return -EINVAL;
	}
	if (verb != NULL && strcmp(verb, "list") == 0 && cfg->args[1] == NULL)
		return 0;
	for (size_t i = 0; verb != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i]) != 0)
			continue;
		if (cfg->args[1] != NULL)
			return 0;
		buf_printf(text, "say whom: `hubbub user %s LOGIN`", verb);
		return -EINVAL;
	}
	buf_append_str(text, "say what to do: `hubbub user list`, or add, disable, enable or "
			     "reset-password and a LOGIN");
	return -EINVAL;
}

int people_take_args(struct config *cfg, const char *name, const char *allowed, int *argc,
		     char **argv, struct buf *text)
{
	int n = 0, err = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (options[i].max != 0)
			*(unsigned *)field_of(cfg, &options[i]) = options[i].fallback;
	}
	for (int i = 0; err == 0 && i < *argc; i++) {
		char *arg = argv[i], *equals = strchr(arg, '=');
		const struct option *o;

		if (strncmp(arg, "--", 2) != 0) {
			err = take_word(cfg, name, arg, text);
			continue;
		}
		size_t len = equals != NULL ? (size_t)(equals - arg) - 2 : strlen(arg + 2);
		o = find(allowed, (struct span){.p = arg + 2, .len = len});
		if (o != NULL && equals == NULL && i + 1 == *argc) {
			buf_printf(text, "%s needs a value", arg);
			err = -EINVAL;
		} else if (o != NULL) {
			err = set(cfg, o, equals != NULL ? equals + 1 : argv[++i], text);
		} else { /* a setting */
			argv[n++] = arg;
			if (equals == NULL && settings_takes_value(span_of(arg + 2)) &&
			    i + 1 < *argc)
				argv[n++] = argv[++i];
		}
	}
	*argc = n;
	return err == 0 ? check_words(cfg, name, text) : err;
}
