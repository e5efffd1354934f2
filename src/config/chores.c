/*
 * The command lines of backup, restore and check: a file and --force among the settings.
 */
#include "config/chores.h"
#include "hubbub/mem.h"
#include <errno.h>
#include <stdlib.h>

struct chore {
	const char *name;
	enum config_verb verb;
	bool takes_file;
	bool takes_force;
	const char *options; /* of user, invite and audit: which they take; else "" */
	const char *help;
};

static const struct chore chores[] = {
	{"backup", CONFIG_BACKUP, true, true, "",
	 "hubbub backup FILE [--force] [--data DIR] [--config FILE]\n"
	 "\n"
	 "Copies the database, as of one moment, into the one file FILE; the server may go on\n"
	 "serving.  FILE is there whole and on the disk, or not at all: what is being made is\n"
	 "FILE.partial.  The copy holds everything that was said and who may log in: keep it "
	 "safe.\n"
	 "\n"
	 "  --force        replace FILE if it is there\n"},
	{"restore", CONFIG_RESTORE, true, false, "",
	 "hubbub restore FILE [--data DIR] [--config FILE]\n"
	 "\n"
	 "Puts the backup FILE in the place of the database; the server must be stopped.  FILE is\n"
	 "verified first and never changed.  What was there is kept as\n"
	 "hubbub.db.before-restore-DATE in the same directory.  Clients start over by themselves.\n"
	 "\n"},
	{"check", CONFIG_CHECK_DATA, false, false, "",
	 "hubbub check [--data DIR] [--config FILE]\n"
	 "\n"
	 "Looks for damage, holes and leftovers in the database and changes nothing; the server "
	 "may\n"
	 "go on serving.  What is wrong is told on standard output, a line for each kind and "
	 "room.\n"
	 "\n"},
	{"user", CONFIG_USER, false, false, "name role ",
	 "hubbub user add LOGIN [--name NAME] [--role guest|member|admin|owner]\n"
	 "hubbub user list | disable LOGIN | enable LOGIN | reset-password LOGIN\n"
	 "\n"
	 "People and their accounts, whether or not the server runs.  `add` and `reset-password`\n"
	 "print a link, good for a day, where a password is chosen; `disable` ends what the\n"
	 "person has open at once.\n"
	 "\n"},
	{"invite", CONFIG_INVITE, false, false, "role uses days room ",
	 "hubbub invite [--role guest|member|admin] [--uses N] [--days N] [--room NAME]\n"
	 "\n"
	 "Prints a link by which somebody joins the team: once unless --uses says more often, for\n"
	 "7 days unless --days says otherwise.  A guest comes into the one --room.\n"
	 "\n"},
	{"audit", CONFIG_AUDIT, false, false, "limit ",
	 "hubbub audit [--limit N]\n"
	 "\n"
	 "Prints the newest N (50) acts of administration: when, by whom, what, on whom, from "
	 "where.\n"
	 "\n"},
};

static const char common_help[] =
	"  --data DIR     the directory that `hubbub serve` keeps everything in (./hubbub-data)\n"
	"  --config FILE  the settings of `hubbub serve`; all others may be given, and do nothing\n"
	"\n"
	"HUBBUB_DATA and HUBBUB_CONFIG in the environment hold as well.  Exit status: 0 all is "
	"well,\n"
	"1 it failed or something is wrong, 2 the command line is.\n";

static const struct chore *find(const char *name)
{
	for (size_t i = 0; i < sizeof(chores) / sizeof(chores[0]); i++) {
		if (strcmp(chores[i].name, name) == 0)
			return &chores[i];
	}
	return NULL;
}

int chores_find(const char *name)
{
	const struct chore *chore = find(name);

	return chore != NULL ? (int)chore->verb : 0;
}

void chores_append_help(const char *name, struct buf *out)
{
	buf_append_str(out, find(name)->help);
	buf_append_str(out, common_help);
}

static int take_file(struct config *cfg, const struct chore *chore, const char *arg,
		     struct buf *text)
{
	if (!chore->takes_file || cfg->file != NULL) {
		buf_printf(text, "unexpected argument `%s`: see `hubbub %s --help`", arg,
			   chore->name);
		return -EINVAL;
	}
	cfg->file = mem_strdup(arg);
	return 0;
}

int chores_take_args(struct config *cfg, const char *name, int *argc, char **argv, struct buf *text)
{
	const struct chore *chore = find(name);
	int n = 0, err = 0;

	if (chore->options[0] != '\0')
		return people_take_args(cfg, name, chore->options, argc, argv, text);
	for (int i = 0; err == 0 && i < *argc; i++) {
		char *arg = argv[i];

		if (chore->takes_force && strcmp(arg, "--force") == 0) {
			cfg->force = true;
		} else if (strncmp(arg, "--", 2) != 0) {
			err = take_file(cfg, chore, arg, text);
		} else {
			argv[n++] = arg;
			if (strchr(arg, '=') == NULL && settings_takes_value(span_of(arg + 2)) &&
			    i + 1 < *argc)
				argv[n++] = argv[++i];
		}
	}
	*argc = n;
	if (err == 0 && chore->takes_file && cfg->file == NULL) {
		buf_printf(text, "say which file: `hubbub %s FILE`", name);
		err = -EINVAL;
	}
	return err;
}
