/*
 * What the command line says.
 */
#ifndef BENCH_LOAD_OPTS_H
#define BENCH_LOAD_OPTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OPTS_PIDS_MAX 16

enum kind {
	KIND_HUBBUB,
	KIND_PLAIN,
	KIND_NATS,
	KIND_NCHAN,
};

struct opts {
	enum kind kind;
	const char *kind_name;
	struct sockaddr_in server;
	char host[64]; /* as given, for the Host field */
	pid_t pids[OPTS_PIDS_MAX];
	uint32_t n_pids;

	uint32_t rooms;
	uint32_t members;    /* of each room */
	uint32_t publishers; /* in each room */
	uint32_t in_flight;  /* of each publisher; 0: open loop */
	double rate;         /* messages a second of all publishers together */
	uint32_t size;       /* of a payload, in bytes */
	double warmup;       /* s */
	double seconds;      /* of measuring */

	uint32_t connections;
	uint32_t at_once; /* connections being opened at a time */
	uint32_t senders;
	uint32_t readers;
	uint32_t limit; /* of a history request */
};

/** Read the options after the scenario's name.  Ends the program with 2 where they are wrong. */
void opts_parse(struct opts *o, int argc, char **argv);

/** End the program with 2 where the server is not hubbub: the scenario needs its replies. */
void opts_need_hubbub(const struct opts *o);

/**
 * End the program with 2 where @n connections do not fill the rooms evenly; else the number of
 * them in each.  @name is the option that gave @n.
 */
uint32_t opts_per_room(const struct opts *o, const char *name, uint32_t n);

/** Print what the options are. */
void opts_help(void);

#endif
