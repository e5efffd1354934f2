#pragma once
/* What the files of config/ share: the table of settings and how a value is read. */
#include "hubbub/config.h"
#include "hubbub/span.h"

enum setting_type {
	SETTING_ADDRESS,  /* ADDR:PORT into listen_host and listen_port */
	SETTING_REDIRECT, /* ADDR:PORT into redirect_host and redirect_port; empty: none */
	SETTING_TEXT,     /* char *, not empty */
	SETTING_OPTION,   /* char *, empty: none */
	SETTING_URL,      /* char *, https or of this machine, or with min 1 smtp; empty: none */
	SETTING_BOOL,     /* bool */
	SETTING_NUMBER,   /* unsigned, from min to max */
	SETTING_SIZE,     /* size_t, from min to max */
	SETTING_LEVEL,    /* enum log_level */
	SETTING_ORIGINS,  /* origins and n_origins; each value adds to them */
	SETTING_RATE,     /* N/MS into a struct rate, each from 1 to max; 0 is no limit */
	SETTING_PROXIES,  /* trusted_proxies; each value adds to them */
};

struct setting {
	const char *name; /* as on the command line, without the dashes */
	enum setting_type type;
	size_t offset; /* of the field in struct config, where the type has one field */
	uint64_t min, max;
	const char *fallback; /* the default, written as a value */
	const char *value;    /* what the help calls the value */
	const char *help;
	bool is_live; /* a reload changes it */
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/** The setting called @name; NULL if none is. */
const struct setting *settings_find(struct span name);
/** Whether the flag --@name has a value behind it, as --config has too. */
bool settings_takes_value(struct span name);
/** The name nearest to @name by edits, if it is near enough to be a slip; else NULL. */
const char *settings_nearest(struct span name);
/** @s in the environment: HUBBUB_MAX_FRAME.  The caller frees it. */
char *settings_env_name(const struct setting *s);
/** The text of --help. */
void settings_append_help(struct buf *out);
/** The table as Markdown, for the documentation. */
void settings_append_markdown(struct buf *out);

/**
 * Read @value into @cfg.  0, or -EINVAL with what is allowed appended to @why: the end of a
 * sentence that began with the setting's name.
 */
int value_parse(const struct setting *s, struct span value, struct config *cfg, struct buf *why);
/** Whether @a and @b have the same value of @s. */
bool value_equal(const struct setting *s, const struct config *a, const struct config *b);
/** Give @to what @from has of @s. */
void value_copy(const struct setting *s, struct config *to, const struct config *from);
/** Forget what a list holds, so that one source of settings replaces another's; else nothing. */
void value_clear_list(const struct setting *s, struct config *cfg);
/** @s without the white space around it. */
struct span value_trim(struct span s);
