/*
 * SQLite alone: what it costs to store a message, with the server's own schema, statements and
 * settings, in transactions of a given number of messages, and nothing else.
 *
 * Each message is inserted, numbered among its author's, unless its key is there already; a
 * transaction ends with the rows of the rooms that it changed, and the commit waits for the disk.
 * That is what the server's writer does for a message.  Checkpoints are left out, as the server
 * has a thread of their own for them.
 */
#include "statements.h"

#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH_MAX 100000
#define N_BATCHES_MAX 16
#define WARM_UP_SHARE 0.2

struct options {
	int batches[N_BATCHES_MAX];
	int n_batches;
	uint32_t rooms, authors;
	double seconds; /* for each size of a batch */
	const char *data;
};

static double clock_s(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/** Batches for @seconds; {"batch","messages","cpu_us_per_message","per_second"}. */
static json_t *measure(struct statements *st, int batch, double seconds)
{
	double end = clock_s(CLOCK_MONOTONIC) + seconds;
	double cpu = 0, wall = 0;
	uint64_t n = 0;

	for (double now = clock_s(CLOCK_MONOTONIC); now < end || n == 0;) {
		double cpu_before = clock_s(CLOCK_THREAD_CPUTIME_ID);

		statements_store(st, (uint32_t)batch);
		cpu += clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
		wall += clock_s(CLOCK_MONOTONIC) - now;
		n += (uint64_t)batch;
		statements_checkpoint(st);
		now = clock_s(CLOCK_MONOTONIC);
	}
	return json_pack("{s:i,s:I,s:f,s:f}", "batch", batch, "messages", (json_int_t)n,
			 "cpu_us_per_message", cpu * 1e6 / (double)n, "per_second",
			 (double)n / wall);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void usage(FILE *to)
{
	fputs("usage: bench-sqlite [--batch N[,N...]] [--rooms N] [--authors N] [--seconds S]\n"
	      "                    [--data DIR]\n"
	      "Stores messages as the server does, N in each transaction (1,10,100), of so many\n"
	      "authors (64, a multiple of the rooms) in so many rooms (16), for S seconds (2) of\n"
	      "each size, in a new folder below DIR (/tmp), and prints the CPU of each.\n",
	      to);
}

/** The number at the start of *@text, from 1 to @most, or 0; *@text is then what follows it. */
static long parse_count(const char **text, long most)
{
	char *end;
	long value = strtol(*text, &end, 10);

	*text = end;
	return value <= most && value > 0 ? value : 0;
}

static bool parse_batches(struct options *o, const char *text)
{
	o->n_batches = 0;
	for (;;) {
		long value = parse_count(&text, BATCH_MAX);

		if (value == 0 || o->n_batches == N_BATCHES_MAX)
			return false;
		o->batches[o->n_batches++] = (int)value;
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

static bool parse_one(struct options *o, const char *name, const char *text)
{
	if (strcmp(name, "--batch") == 0)
		return parse_batches(o, text);
	if (strcmp(name, "--rooms") == 0) {
		o->rooms = (uint32_t)parse_count(&text, 100000);
		return o->rooms > 0 && *text == '\0';
	}
	if (strcmp(name, "--authors") == 0) {
		o->authors = (uint32_t)parse_count(&text, 100000);
		return o->authors > 0 && *text == '\0';
	}
	if (strcmp(name, "--seconds") == 0) {
		char *end;

		o->seconds = strtod(text, &end);
		return end != text && *end == '\0' && o->seconds >= 0;
	}
	o->data = text;
	return strcmp(name, "--data") == 0;
}

static void parse(struct options *o, int argc, char **argv)
{
	bool is_good = argc % 2 == 1;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		exit(0);
	}
	for (int i = 1; is_good && i < argc; i += 2)
		is_good = parse_one(o, argv[i], argv[i + 1]);
	if (!is_good || o->authors % o->rooms != 0) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options o = {
		.batches = {1, 10, 100},
		.n_batches = 3,
		.rooms = 16,
		.authors = 64,
		.seconds = 2,
		.data = "/tmp",
	};
	static struct statements st;
	char folder[4096];
	char path[4200];

	parse(&o, argc, argv);
	snprintf(folder, sizeof(folder), "%s/sqlite-XXXXXX", o.data);
	if (mkdtemp(folder) == NULL)
		fail(o.data, "no folder can be made in it");
	snprintf(path, sizeof(path), "%s/hubbub.db", folder);
	statements_open(&st, path, o.rooms, o.authors);

	json_t *list = json_array();

	for (int i = 0; i < o.n_batches; i++) {
		json_decref(measure(&st, o.batches[i], o.seconds * WARM_UP_SHARE));
		json_array_append_new(list, measure(&st, o.batches[i], o.seconds));
	}
	statements_close(&st);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	/* The first size's figures stand outside as well. */
	json_t *j = json_copy(json_array_get(list, 0));

	json_object_set_new(j, "scenario", json_string("sqlite"));
	json_object_set_new(j, "rooms", json_integer(o.rooms));
	json_object_set_new(j, "authors", json_integer(o.authors));
	json_object_set_new(j, "batches", list);
	json_dumpf(j, stdout, JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(j);
	return 0;
}
