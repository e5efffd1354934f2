/*
 * `hubbub user`, `hubbub invite` and `hubbub audit`.
 */
#include "hubbub/chores.h"
#include "server/control_client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Where people would open the page: what an operator named, or else the address listened on. */
static void print_link(const struct config *cfg, const char *what, const json_t *answer)
{
	const char *token = json_string_value(json_object_get(answer, "token"));

	if (cfg->n_origins > 0)
		printf("%s/%s#%s\n", cfg->origins[0], what, token);
	else
		printf("http://%s:%u/%s#%s\n", cfg->listen_host, cfg->listen_port, what, token);
}

static void print_time(const json_t *ms)
{
	time_t s = (time_t)(json_integer_value(ms) / 1000);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", localtime_r(&s, &tm));
	fputs(text, stdout);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : "-";
}

static int list_users(struct control_client *ctl)
{
	json_t *answer = control_client_ask(ctl, "GET", "/users", NULL), *user;
	size_t i;

	if (answer == NULL)
		return EXIT_FAILURE;
	json_array_foreach(json_object_get(answer, "users"), i, user)
	{
		printf("%-8s %-7s %-8s ", text_of(user, "id"), text_of(user, "role"),
		       json_is_true(json_object_get(user, "disabled")) ? "disabled" : "");
		print_time(json_object_get(user, "seen"));
		printf("  %s  %s\n", text_of(user, "login"), text_of(user, "name"));
	}
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int add_user(struct control_client *ctl)
{
	const struct config *cfg = ctl->cfg;
	const char *login = cfg->args[1];
	json_t *answer =
		control_client_ask(ctl, "POST", "/users",
				   json_pack("{s:s, s:s, s:s}", "login", login, "name",
					     cfg->opt_name != NULL ? cfg->opt_name : login, "role",
					     cfg->opt_role != NULL ? cfg->opt_role : "member"));

	if (answer == NULL)
		return EXIT_FAILURE;
	printf("%s is to choose a password within a day, here:\n", login);
	print_link(cfg, "reset", answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}

/* The id of who signs in by @login, in @id. */
static bool find_user(struct control_client *ctl, const char *login, char id[32])
{
	json_t *answer = control_client_ask(ctl, "GET", "/users", NULL), *user;
	bool found = false;
	size_t i;

	json_array_foreach(json_object_get(answer, "users"), i, user)
	{
		if (strcasecmp(text_of(user, "login"), login) == 0) {
			snprintf(id, 32, "%s", text_of(user, "id"));
			found = true;
		}
	}
	if (answer != NULL && !found)
		fprintf(stderr, "hubbub: nobody signs in as %s\n", login);
	json_decref(answer);
	return found;
}

static int change_user(struct control_client *ctl)
{
	const char *verb = ctl->cfg->args[0], *login = ctl->cfg->args[1];
	bool resets = strcmp(verb, "reset-password") == 0;
	char id[32], path[80];

	if (!find_user(ctl, login, id))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "/users/%s/%s", id, resets ? "reset" : "disabled");
	json_t *answer = control_client_ask(
		ctl, "POST", path,
		resets ? json_object() : json_pack("{s:b}", "on", strcmp(verb, "disable") == 0));
	if (answer == NULL)
		return EXIT_FAILURE;
	if (resets)
		print_link(ctl->cfg, "reset", answer);
	else
		printf("%s is %sd\n", login, verb);
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int run_user(struct control_client *ctl)
{
	if (strcmp(ctl->cfg->args[0], "list") == 0)
		return list_users(ctl);
	return strcmp(ctl->cfg->args[0], "add") == 0 ? add_user(ctl) : change_user(ctl);
}

static int run_invite(struct control_client *ctl)
{
	const struct config *cfg = ctl->cfg;
	json_t *body = json_pack("{s:s, s:I, s:I}", "role",
				 cfg->opt_role != NULL ? cfg->opt_role : "member", "uses",
				 (json_int_t)cfg->opt_uses, "expires_ms",
				 (json_int_t)cfg->opt_days * 24 * 60 * 60 * 1000);

	if (cfg->opt_room != NULL)
		json_object_set_new(body, "room", json_string(cfg->opt_room));
	json_t *answer = control_client_ask(ctl, "POST", "/invites", body);
	if (answer == NULL)
		return EXIT_FAILURE;
	print_link(cfg, "join", answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int run_audit(struct control_client *ctl)
{
	char path[40];
	size_t i;
	json_t *entry;

	snprintf(path, sizeof(path), "/audit?limit=%u", ctl->cfg->opt_limit);
	json_t *answer = control_client_ask(ctl, "GET", path, NULL);
	if (answer == NULL)
		return EXIT_FAILURE;
	json_array_foreach(json_object_get(answer, "entries"), i, entry)
	{
		const json_t *actor = json_object_get(entry, "actor");

		print_time(json_object_get(entry, "ts"));
		printf("  %-16s %-18s %-20s %s\n",
		       json_is_object(actor) ? text_of(actor, "name") : "(shell)",
		       text_of(entry, "act"), text_of(entry, "object"), text_of(entry, "address"));
	}
	json_decref(answer);
	return EXIT_SUCCESS;
}

int chore_people(const struct config *cfg, enum config_verb verb)
{
	struct control_client ctl;

	if (control_client_open(&ctl, cfg) != 0)
		return EXIT_FAILURE;
	int status = verb == CONFIG_USER     ? run_user(&ctl)
		     : verb == CONFIG_INVITE ? run_invite(&ctl)
					     : run_audit(&ctl);
	control_client_close(&ctl);
	return status;
}
