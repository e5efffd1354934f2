/*
 * The commands beside `serve`: backup, restore and check.
 */
#include "hubbub/chores.h"
#include "hubbub/clock.h"
#include "hubbub/upkeep.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	BAR_WIDTH = 30,
	BAR_EVERY_MS = 100,   /* on a terminal */
	LINE_EVERY_MS = 10000 /* elsewhere: a line for each step, and now and then one more */
};

struct teller {
	bool is_terminal;
	bool has_bar;
	const char *step;
	int64_t told_ms;
};

static volatile sig_atomic_t cancelled;

static void on_signal(int number)
{
	(void)number;
	cancelled = 1;
}

static void watch_signals(void)
{
	/* The second of a kind ends it at once. */
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* A limit on the size of files is a full disk, which is told and cleaned up after. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static bool is_cancelled(void *ctx)
{
	(void)ctx;
	return cancelled != 0;
}

static void clear_bar(struct teller *t)
{
	if (t->has_bar)
		fputs("\r\033[K", stderr);
	t->has_bar = false;
}

static void draw_bar(struct teller *t, const char *step, uint64_t done, uint64_t all)
{
	clear_bar(t);
	t->has_bar = true;
	if (all == 0) {
		fprintf(stderr, "%-18s ...", step);
		return;
	}
	int full = (int)(done * BAR_WIDTH / all);
	fprintf(stderr, "%-18s [%.*s%*s] %3d %%", step, full, "##############################",
		BAR_WIDTH - full, "", (int)(done * 100 / all));
}

static void on_progress(void *ctx, const char *step, uint64_t done, uint64_t all)
{
	struct teller *t = ctx;
	bool is_new = t->step == NULL || strcmp(t->step, step) != 0;
	int64_t now = (int64_t)(clock_mono_ns() / 1000000);

	if (!is_new && now - t->told_ms < (t->is_terminal ? BAR_EVERY_MS : LINE_EVERY_MS))
		return;
	t->step = step;
	t->told_ms = now;
	if (t->is_terminal)
		draw_bar(t, step, done, all);
	else if (all == 0)
		fprintf(stderr, "%s\n", step);
	else
		fprintf(stderr, "%s: %d %%\n", step, (int)(done * 100 / all));
}

static void on_found(void *ctx, const char *line)
{
	clear_bar(ctx);
	puts(line);
	fflush(stdout);
}

struct chore {
	struct teller teller;
	struct buf why;
	struct upkeep upkeep;
};

static void begin(struct chore *c)
{
	watch_signals();
	*c = (struct chore){.teller = {.is_terminal = isatty(STDERR_FILENO)}};
	c->upkeep = (struct upkeep){
		.progress = on_progress,
		.is_cancelled = is_cancelled,
		.found = on_found,
		.ctx = &c->teller,
		.why = &c->why,
	};
}

/* The exit status. */
static int end(struct chore *c, int err)
{
	if (err < 0)
		fprintf(stderr, "hubbub: %.*s\n", (int)c->why.len,
			c->why.p != NULL ? c->why.p : "");
	buf_deinit(&c->why);
	return err == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int chore_backup(const struct config *cfg)
{
	struct chore c;

	begin(&c);
	int err = upkeep_backup(cfg->data_dir, cfg->file, cfg->force, &c.upkeep);
	clear_bar(&c.teller);
	if (err == 0)
		printf("backed up to %s\n", cfg->file);
	return end(&c, err);
}

int chore_restore(const struct config *cfg)
{
	struct chore c;
	struct buf kept = {0};

	begin(&c);
	int err = upkeep_restore(cfg->data_dir, cfg->file, &c.upkeep, &kept);
	clear_bar(&c.teller);
	if (err == 0)
		printf("restored %s into %s\n", cfg->file, cfg->data_dir);
	if (err == 0 && kept.len != 0)
		printf("what was there before is %.*s\n"
		       "remove it and what begins with its name when it is needed no more\n",
		       (int)kept.len, kept.p);
	buf_deinit(&kept);
	return end(&c, err);
}

int chore_check(const struct config *cfg)
{
	struct upkeep_summary sum;
	struct chore c;

	begin(&c);
	int err = upkeep_check(cfg->data_dir, &c.upkeep, &sum);
	clear_bar(&c.teller);
	if (err >= 0) {
		printf("checked %" PRIu64 " rooms, %" PRIu64 " events, %" PRIu64 " users: ",
		       sum.rooms, sum.events, sum.users);
		if (sum.problems == 0)
			puts("nothing is wrong");
		else
			printf("%" PRIu64 " things are wrong\n", sum.problems);
	}
	return end(&c, err);
}
