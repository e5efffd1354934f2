/* The other servers that this one asks, and the secrets that it shows them. */
#include "hubbub/fetch.h"
#include "hubbub/log.h"
#include "hubbub/mail.h"
#include "server/server_internal.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAX_SECRET 1024

/* The first line of the file, without what ends it. */
static int read_secret(const char *setting, const char *path, char secret[MAX_SECRET])
{
	FILE *file = fopen(path, "re");
	const char *problem = NULL;

	if (file == NULL)
		problem = strerror(errno);
	else if (fgets(secret, MAX_SECRET, file) == NULL)
		problem = ferror(file) ? strerror(errno) : "there is no secret in it";
	else if (strlen(secret) == MAX_SECRET - 1)
		problem = "its first line is too long for a secret";
	if (file != NULL)
		fclose(file);
	secret[strcspn(secret, "\r\n")] = '\0';
	if (problem == NULL && secret[0] == '\0')
		problem = "its first line is empty";
	if (problem != NULL)
		log_error("%s: %s: %s", setting, path, problem);
	return problem != NULL ? -EINVAL : 0;
}

static int load_oidc(const struct config *cfg, struct oidc **out)
{
	char secret[MAX_SECRET] = "";
	int err = 0;

	*out = NULL;
	if (!config_has_oidc(cfg))
		return 0;
	if (cfg->oidc_secret_file[0] != '\0')
		err = read_secret("oidc-client-secret-file", cfg->oidc_secret_file, secret);
	if (err == 0)
		*out = oidc_new(cfg->oidc_issuer, cfg->oidc_client_id, secret);
	sodium_memzero(secret, sizeof(secret));
	return err;
}

static int load_mailer(const struct config *cfg, struct mailer **out)
{
	char secret[MAX_SECRET] = "";
	int err = 0;

	*out = NULL;
	if (cfg->smtp_url[0] == '\0')
		return 0;
	if (cfg->smtp_password_file[0] != '\0')
		err = read_secret("smtp-password-file", cfg->smtp_password_file, secret);
	if (err == 0)
		*out = mailer_new(cfg->smtp_url, cfg->mail_from, cfg->smtp_user, secret);
	sodium_memzero(secret, sizeof(secret));
	return err;
}

int server_load_others(const struct config *cfg, struct oidc **oidc, struct mailer **mailer)
{
	char why[FETCH_WHY_SIZE];
	int err = load_oidc(cfg, oidc);

	*mailer = NULL;
	if (err == 0)
		err = load_mailer(cfg, mailer);
	if (err != 0 || (*oidc == NULL && *mailer == NULL))
		return err;
	err = fetch_init(why);
	if (err != 0)
		log_error("single sign-on and mail: %s", why);
	return err;
}
