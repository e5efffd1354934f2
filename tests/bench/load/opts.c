#include "opts.h"

#include "payload.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PUBLISHERS_MAX 0xffffff

static const char HELP[] =
	"  --kind KIND          hubbub, plain, nats or nchan\n"
	"  --connect HOST:PORT  the server\n"
	"  --pid PID[,PID...]   its processes, whose CPU and memory are measured\n"
	"  --rooms N            rooms (1)\n"
	"  --members N          members of each room (10)\n"
	"  --publishers N       of them publish (1)\n"
	"  --in-flight N        closed loop: messages of each publisher under way (1)\n"
	"  --rate N             open loop: messages a second of all publishers together\n"
	"  --size N             bytes of a payload (128)\n"
	"  --warmup S           seconds before measuring (1)\n"
	"  --seconds S          seconds of measuring (3)\n"
	"  --connections N      connections (1000)\n"
	"  --at-once N          connections being opened at a time (256)\n"
	"  --senders N          connections that send (64)\n"
	"  --readers N          connections that read history (16)\n"
	"  --limit N            events of a history request (50)\n";

enum option_id {
	OPT_KIND = 256,
	OPT_CONNECT,
	OPT_PID,
	OPT_ROOMS,
	OPT_MEMBERS,
	OPT_PUBLISHERS,
	OPT_IN_FLIGHT,
	OPT_RATE,
	OPT_SIZE,
	OPT_WARMUP,
	OPT_SECONDS,
	OPT_CONNECTIONS,
	OPT_AT_ONCE,
	OPT_SENDERS,
	OPT_READERS,
	OPT_LIMIT,
};

static const struct option OPTIONS[] = {
	{"kind", required_argument, NULL, OPT_KIND},
	{"connect", required_argument, NULL, OPT_CONNECT},
	{"pid", required_argument, NULL, OPT_PID},
	{"rooms", required_argument, NULL, OPT_ROOMS},
	{"members", required_argument, NULL, OPT_MEMBERS},
	{"publishers", required_argument, NULL, OPT_PUBLISHERS},
	{"in-flight", required_argument, NULL, OPT_IN_FLIGHT},
	{"rate", required_argument, NULL, OPT_RATE},
	{"size", required_argument, NULL, OPT_SIZE},
	{"warmup", required_argument, NULL, OPT_WARMUP},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"connections", required_argument, NULL, OPT_CONNECTIONS},
	{"at-once", required_argument, NULL, OPT_AT_ONCE},
	{"senders", required_argument, NULL, OPT_SENDERS},
	{"readers", required_argument, NULL, OPT_READERS},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{NULL, 0, NULL, 0},
};

static const char *const KIND_NAMES[] = {
	[KIND_HUBBUB] = "hubbub",
	[KIND_PLAIN] = "plain",
	[KIND_NATS] = "nats",
	[KIND_NCHAN] = "nchan",
};

static void misuse(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void misuse(const char *format, ...)
{
	va_list args;

	fputs("bench-load: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs(" (see --help)\n", stderr);
	exit(2);
}

void opts_help(void)
{
	fputs(HELP, stdout);
}

static uint32_t parse_count(const char *name, const char *text, uint32_t least, uint32_t most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < least || value > most)
		misuse("--%s wants a number from %u to %u", name, least, most);
	return (uint32_t)value;
}

static double parse_number(const char *name, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value < 1e9))
		misuse("--%s wants a number", name);
	return value;
}

static void parse_kind(struct opts *o, const char *text)
{
	for (size_t i = 0; i < sizeof(KIND_NAMES) / sizeof(KIND_NAMES[0]); i++) {
		if (strcmp(text, KIND_NAMES[i]) == 0) {
			o->kind = (enum kind)i;
			o->kind_name = KIND_NAMES[i];
			return;
		}
	}
	misuse("--kind wants hubbub, plain, nats or nchan");
}

static void parse_server(struct opts *o, const char *text)
{
	char ip[sizeof(o->host)];
	const char *colon = strrchr(text, ':');

	if (colon == NULL || strlen(text) >= sizeof(o->host))
		misuse("--connect wants HOST:PORT");
	strcpy(o->host, text);
	memcpy(ip, text, (size_t)(colon - text));
	ip[colon - text] = '\0';
	o->server.sin_family = AF_INET;
	o->server.sin_port = htons((uint16_t)parse_count("connect", colon + 1, 1, UINT16_MAX));
	if (inet_pton(AF_INET, strcmp(ip, "localhost") == 0 ? "127.0.0.1" : ip,
		      &o->server.sin_addr) != 1)
		misuse("--connect wants an IPv4 address");
}

static void parse_pids(struct opts *o, const char *text)
{
	while (*text != '\0') {
		char *end;
		long pid = strtol(text, &end, 10);

		if (end == text || pid <= 0 || (*end != ',' && *end != '\0'))
			misuse("--pid wants process ids with commas between them");
		if (o->n_pids == OPTS_PIDS_MAX)
			misuse("--pid takes %d processes at most", OPTS_PIDS_MAX);
		o->pids[o->n_pids++] = (pid_t)pid;
		text = *end == ',' ? end + 1 : end;
	}
}

static void parse_one(struct opts *o, int id, const char *name, const char *text)
{
	switch (id) {
	case OPT_KIND:
		parse_kind(o, text);
		break;
	case OPT_CONNECT:
		parse_server(o, text);
		break;
	case OPT_PID:
		parse_pids(o, text);
		break;
	case OPT_ROOMS:
		o->rooms = parse_count(name, text, 1, 100000);
		break;
	case OPT_MEMBERS:
		o->members = parse_count(name, text, 1, 100000);
		break;
	case OPT_PUBLISHERS:
		o->publishers = parse_count(name, text, 1, 100000);
		break;
	case OPT_IN_FLIGHT:
		o->in_flight = parse_count(name, text, 1, 100000);
		break;
	case OPT_RATE:
		o->rate = parse_number(name, text);
		break;
	case OPT_SIZE:
		o->size = parse_count(name, text, PAYLOAD_HEAD, 7000);
		break;
	case OPT_WARMUP:
		o->warmup = parse_number(name, text);
		break;
	case OPT_SECONDS:
		o->seconds = parse_number(name, text);
		break;
	case OPT_CONNECTIONS:
		o->connections = parse_count(name, text, 1, 1000000);
		break;
	case OPT_AT_ONCE:
		o->at_once = parse_count(name, text, 1, 4096);
		break;
	case OPT_SENDERS:
		o->senders = parse_count(name, text, 0, 100000);
		break;
	case OPT_READERS:
		o->readers = parse_count(name, text, 1, 100000);
		break;
	case OPT_LIMIT:
		o->limit = parse_count(name, text, 1, 200);
		break;
	default:
		exit(2); /* getopt has said what is wrong */
	}
}

void opts_need_hubbub(const struct opts *o)
{
	if (o->kind != KIND_HUBBUB)
		misuse("this scenario is for --kind hubbub alone");
}

uint32_t opts_per_room(const struct opts *o, const char *name, uint32_t n)
{
	if (n == 0 || n % o->rooms != 0)
		misuse("--%s wants a multiple of --rooms", name);
	return n / o->rooms;
}

void opts_parse(struct opts *o, int argc, char **argv)
{
	*o = (struct opts){
		.rooms = 1,
		.members = 10,
		.publishers = 1,
		.size = 128,
		.warmup = 1,
		.seconds = 3,
		.connections = 1000,
		.at_once = 256,
		.senders = 64,
		.readers = 16,
		.limit = 50,
	};

	int id;
	int at = 0;

	while ((id = getopt_long(argc, argv, "", OPTIONS, &at)) != -1)
		parse_one(o, id, id == '?' ? "" : OPTIONS[at].name, optarg);
	if (optind < argc)
		misuse("what is %s?", argv[optind]);
	if (o->kind_name == NULL)
		misuse("--kind is missing");
	if (o->server.sin_port == 0)
		misuse("--connect is missing");
	if (o->publishers > o->members)
		misuse("--publishers: there are only %u members in a room", o->members);
	if ((uint64_t)o->publishers * o->rooms > PUBLISHERS_MAX)
		misuse("--publishers: too many in all");
	if (o->in_flight > 0 && o->rate > 0)
		misuse("--in-flight and --rate exclude each other");
	if (o->in_flight == 0 && o->rate == 0)
		o->in_flight = 1;
}
