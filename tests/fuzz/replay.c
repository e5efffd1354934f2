/*
 * Runs a fuzz target over the files of a folder: the corpus, in every test run.
 *
 *   fuzz_TARGET FOLDER
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static void replay(const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	static uint8_t bytes[1 << 20];
	size_t n = fread(bytes, 1, sizeof(bytes), f);

	fclose(f);
	/* As long as the input and no longer, so that a sanitizer sees what reads past it. */
	uint8_t *input = malloc(n != 0 ? n : 1);

	MUST(input != NULL);
	memcpy(input, bytes, n);
	fprintf(stderr, "%s\n", name); /* the last one is the one that fails */
	LLVMFuzzerTestOneInput(input, n);
	free(input);
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int n = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1;
	int n_run = 0;

	if (n < 0) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			replay(argv[1], names[i]->d_name);
			n_run++;
		}
		free(names[i]);
	}
	free(names);
	/* An empty corpus shows nothing. */
	return n_run > 0 ? 0 : 1;
}
