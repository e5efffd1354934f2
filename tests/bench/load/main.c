/*
 * The load generator: one scenario per run, its result as one JSON object on standard output.
 *
 * One thread and one epoll instance drive all clients.  It is meant to be pinned to another core
 * than the server, and tells what share of its own it used: near 1, it is the bottleneck.
 */
#include "opts.h"
#include "scenarios.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct scenario {
	const char *name;
	const char *what;
	json_t *(*run)(const struct opts *o);
} SCENARIOS[] = {
	{"fanout", "messages to all members of rooms", scenario_fanout},
	{"idle", "connections that say nothing", scenario_idle},
	{"connect", "connections that come back", scenario_connect},
	{"sends", "durable sends, closed on the reply (hubbub)", scenario_sends},
	{"history", "history read alone and during sends (hubbub)", scenario_history},
	{"joins", "joins while rooms are talking (hubbub)", scenario_joins},
	{"resume", "clients back after the server was cut off (hubbub)", scenario_resume},
};

#define N_SCENARIOS (sizeof(SCENARIOS) / sizeof(SCENARIOS[0]))

static void print_help(void)
{
	puts("usage: bench-load SCENARIO [OPTION...]\n\nScenarios:");
	for (size_t i = 0; i < N_SCENARIOS; i++)
		printf("  %-10s %s\n", SCENARIOS[i].name, SCENARIOS[i].what);
	puts("\nOptions (and what they are by default):");
	opts_help();
	puts("\nThe exit code is 0, or 1 if a check or the run failed, or 2 for wrong usage.");
}

static const struct scenario *find_scenario(const char *name)
{
	for (size_t i = 0; i < N_SCENARIOS; i++) {
		if (strcmp(name, SCENARIOS[i].name) == 0)
			return &SCENARIOS[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct opts opts;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			print_help();
			return 0;
		}
	}
	const struct scenario *scenario = argc > 1 ? find_scenario(argv[1]) : NULL;

	if (scenario == NULL) {
		fprintf(stderr, "bench-load: which scenario? (see --help)\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	opts_parse(&opts, argc - 1, argv + 1);

	json_t *result = scenario->run(&opts);

	if (result == NULL || json_dumpf(result, stdout, JSON_REAL_PRECISION(6)) != 0) {
		fprintf(stderr, "bench-load: no result\n");
		return 1;
	}
	putchar('\n');
	bool ok = !json_is_false(json_object_get(result, "ok"));

	json_decref(result);
	if (!ok)
		fprintf(stderr, "bench-load: a check failed\n");
	return ok ? 0 : 1;
}
