#pragma once
/* Private to store/. */
#include <stddef.h>

/** One thing that must not be. */
struct check_rule {
	const char *step; /* for the progress */
	/* For people, behind the number; %s is where the first one is. */
	const char *what;
	/* Yields a row for each room that it is wrong in: the room's id (NULL: no room's business),
	 * how many there are, and where the first one is. */
	const char *sql;
};

extern const struct check_rule check_rules[];
extern const size_t check_n_rules;
