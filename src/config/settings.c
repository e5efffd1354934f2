/*
 * The one table of settings.  Flags, environment, file, --help and the documentation are read from
 * it, so that none of them can say something else than the others.
 */
#include "config/settings.h"

#include "hubbub/mem.h"
#include <ctype.h>
#include <stddef.h>

#define FIELD(name) offsetof(struct config, name)

const struct setting settings_table[] = {
	{"listen", SETTING_ADDRESS, 0, 0, 65535, "127.0.0.1:8080", "ADDR:PORT",
	 "where to listen; [::1]:80 for IPv6, port 0 takes a free one"},
	{"tls-cert", SETTING_OPTION, FIELD(tls_cert), 0, 0, "", "FILE",
	 "serve https with this certificate (PEM, the chain behind it); SIGHUP reads it again",
	 .is_live = true},
	{"tls-key", SETTING_OPTION, FIELD(tls_key), 0, 0, "", "FILE",
	 "the certificate's private key (PEM, without a passphrase)", .is_live = true},
	{"http-redirect", SETTING_REDIRECT, 0, 0, 65535, "", "ADDR:PORT",
	 "where to listen besides, without TLS, only to send browsers on to https"},
	{"hsts-max-age", SETTING_NUMBER, FIELD(hsts_max_age), 0, 100000000, "31536000", "SECONDS",
	 "with TLS: for how long browsers must come by https only; 0 has them forget that",
	 .is_live = true},
	{"data", SETTING_TEXT, FIELD(data_dir), 0, 0, "./hubbub-data", "DIR",
	 "the directory that keeps everything"},
	{"open", SETTING_BOOL, FIELD(open), 0, 0, "false", NULL,
	 "open mode: a name is enough, there are no accounts"},
	{"origin", SETTING_ORIGINS, 0, 0, 0, "", "URL",
	 "a further origin whose pages may connect; may be repeated, elsewhere separated by "
	 "commas",
	 .is_live = true},
	{"oidc-issuer", SETTING_URL, FIELD(oidc_issuer), 0, 0, "", "URL",
	 "single sign-on by OpenID Connect with this provider; register "
	 "ORIGIN/api/v1/oidc/callback there"},
	{"oidc-client-id", SETTING_OPTION, FIELD(oidc_client_id), 0, 0, "", "ID",
	 "what the provider calls this server"},
	{"oidc-client-secret-file", SETTING_OPTION, FIELD(oidc_secret_file), 0, 0, "", "FILE",
	 "holds the secret that the provider gave this server, if it gave one"},
	{"oidc-name", SETTING_TEXT, FIELD(oidc_name), 0, 0, "single sign-on", "NAME",
	 "what the button to sign in with the provider calls it"},
	{"oidc-create", SETTING_BOOL, FIELD(oidc_create), 0, 0, "false", NULL,
	 "whoever the provider knows becomes a member; else only who is invited, or linked it"},
	{"oidc-only", SETTING_BOOL, FIELD(oidc_only), 0, 0, "false", NULL,
	 "nobody signs in by a password, only by the provider"},
	{"smtp-url", SETTING_URL, FIELD(smtp_url), 1, 0, "", "URL",
	 "send mail (links for new passwords) by this server: smtp://HOST:587 with STARTTLS, or "
	 "smtps://HOST"},
	{"smtp-user", SETTING_OPTION, FIELD(smtp_user), 0, 0, "", "NAME",
	 "whom to log in as at the mail server; empty: nobody"},
	{"smtp-password-file", SETTING_OPTION, FIELD(smtp_password_file), 0, 0, "", "FILE",
	 "holds the password for that"},
	{"mail-from", SETTING_OPTION, FIELD(mail_from), 0, 0, "", "ADDRESS", "whom mail is from"},
	{"workers", SETTING_NUMBER, FIELD(workers), 0, 256, "0", "N",
	 "threads that serve connections; 0: one per core"},
	{"max-connections", SETTING_NUMBER, FIELD(max_connections), 0, 10000000, "0", "N",
	 "connections open at once; 0: as many as descriptors allow", .is_live = true},
	{"max-frame", SETTING_SIZE, FIELD(max_frame), 1000, 64 << 20, "65536", "BYTES",
	 "the largest message that a client may send, as a whole"},
	{"max-text", SETTING_SIZE, FIELD(max_text), 1, 10 << 20, "8000", "BYTES",
	 "the longest chat text; 6 * max-text + 500 must fit in max-frame"},
	{"max-output", SETTING_SIZE, FIELD(max_output), 1024, 1 << 30, "1048576", "BYTES",
	 "unsent bytes at which a client that reads too slowly is let go", .is_live = true},
	{"gather-ms", SETTING_NUMBER, FIELD(gather_ms), 0, 5, "5", "MS",
	 "how long a busy server may hold output back so that more goes in one write, and for two "
	 "fifths of that a commit so that it stores more; 0: never"},
	{"no-io-uring", SETTING_BOOL, FIELD(no_io_uring), 0, 0, "false", NULL,
	 "write to each connection by itself, also where the kernel takes writes in batches"},
	{"heartbeat-ms", SETTING_NUMBER, FIELD(heartbeat_ms), 10, 3600000, "25000", "MS",
	 "how often the server shows that it is there"},
	{"request-timeout-ms", SETTING_NUMBER, FIELD(request_timeout_ms), 10, 600000, "10000", "MS",
	 "how long a client may take to send an HTTP request"},
	{"idle-timeout-ms", SETTING_NUMBER, FIELD(idle_timeout_ms), 10, 3600000, "60000", "MS",
	 "how long a connection is kept for the next HTTP request, and how soon a client must read "
	 "a kilobyte of an answer",
	 .is_live = true},
	{"hello-timeout-ms", SETTING_NUMBER, FIELD(hello_timeout_ms), 10, 3600000, "30000", "MS",
	 "how long a WebSocket may take to say hello", .is_live = true},
	{"message-timeout-ms", SETTING_NUMBER, FIELD(message_timeout_ms), 10, 3600000, "60000",
	 "MS", "how long a client may take to send one message; looked at with each heartbeat",
	 .is_live = true},
	{"send-limit", SETTING_RATE, FIELD(send_limit), 0, 3600000, "50/5000", "N/MS",
	 "writes that one user may make in so many milliseconds; 0: any number", .is_live = true},
	{"request-limit", SETTING_RATE, FIELD(request_limit), 0, 3600000, "1000/10000", "N/MS",
	 "other requests (join, history, rooms, read, ...) that one user may make; 0: any number",
	 .is_live = true},
	{"failed-limit", SETTING_RATE, FIELD(failed_limit), 0, 3600000, "500/10000", "N/MS",
	 "refused requests after which a user's further ones wait; 0: any number", .is_live = true},
	{"user-connections", SETTING_NUMBER, FIELD(user_connections), 0, 10000000, "100", "N",
	 "connections that one user may have open; 0: any number", .is_live = true},
	{"address-connections", SETTING_NUMBER, FIELD(address_connections), 0, 10000000, "5000",
	 "N",
	 "connections that one address (of IPv6 a /64) may have open, and no more than three "
	 "quarters of all that fit; 0: any number",
	 .is_live = true},
	{"connect-limit", SETTING_RATE, FIELD(connect_limit), 0, 3600000, "6000/60000", "N/MS",
	 "connections that one address may open in so many milliseconds; 0: any number",
	 .is_live = true},
	{"http-limit", SETTING_RATE, FIELD(http_limit), 0, 3600000, "20000/60000", "N/MS",
	 "HTTP requests, and refused ones before a hello, that one address may make; 0: any number",
	 .is_live = true},
	{"hello-limit", SETTING_RATE, FIELD(hello_limit), 0, 3600000, "3000/60000", "N/MS",
	 "failed hellos after which an address's next ones are refused; 0: any number",
	 .is_live = true},
	{"sign-in-limit", SETTING_RATE, FIELD(sign_in_limit), 0, 3600000, "20/60000", "N/MS",
	 "wrong passwords after which a login, and an address, must wait; 0: any number",
	 .is_live = true},
	{"trusted-proxy", SETTING_PROXIES, 0, 0, 0, "", "ADDR[/BITS]",
	 "a proxy whose X-Forwarded-For or Forwarded says which address is counted; may be "
	 "repeated, elsewhere separated by commas"},
	{"no-limits", SETTING_BOOL, FIELD(no_limits), 0, 0, "false", NULL,
	 "none of the limits per user and per address, for benchmarks", .is_live = true},
	{"log-level", SETTING_LEVEL, FIELD(log_level), 0, 0, "info", "LEVEL",
	 "error, warn, info or debug", .is_live = true},
};
const size_t settings_count = sizeof(settings_table) / sizeof(settings_table[0]);

const struct setting *settings_find(struct span name)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (span_equal(span_of(settings_table[i].name), name))
			return &settings_table[i];
	}
	return NULL;
}

bool settings_takes_value(struct span name)
{
	const struct setting *s = settings_find(name);

	return span_equal(name, SPAN("config")) || (s != NULL && s->type != SETTING_BOOL);
}

#define LONGEST_NAME 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, row by row; both are at most LONGEST_NAME long. */
static size_t distance(struct span a, struct span b)
{
	size_t row[LONGEST_NAME + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t changed = diagonal + (a.p[i - 1] != b.p[j - 1]);

			diagonal = row[j];
			row[j] = min3(row[j] + 1, row[j - 1] + 1, changed);
		}
	}
	return row[b.len];
}

const char *settings_nearest(struct span name)
{
	const char *best = NULL;
	size_t best_distance = name.len / 3 + 2; /* farther away it would be a guess */

	if (name.len > LONGEST_NAME)
		return NULL;
	for (size_t i = 0; i < settings_count; i++) {
		size_t d = distance(name, span_of(settings_table[i].name));

		if (d < best_distance) {
			best_distance = d;
			best = settings_table[i].name;
		}
	}
	return best;
}

static void append_env_name(struct buf *out, const struct setting *s)
{
	buf_append_str(out, "HUBBUB_");
	for (const char *p = s->name; *p != '\0'; p++)
		buf_append_char(out, *p == '-' ? '_' : (char)toupper((unsigned char)*p));
}

char *settings_env_name(const struct setting *s)
{
	struct buf name = {0};

	append_env_name(&name, s);
	return buf_take(&name, NULL);
}

void settings_append_help(struct buf *out)
{
	buf_append_str(
		out,
		"hubbub: self-hosted team chat in one binary\n"
		"\n"
		"  hubbub serve [SETTING...]   run the server\n"
		"  hubbub check-config [SETTING...]\n"
		"                              say whether `serve` would take these settings\n"
		"  hubbub backup FILE          copy the data into one file, also while it serves\n"
		"  hubbub restore FILE         put a backup in the data's place\n"
		"  hubbub check                look for damage in the data, also while it serves\n"
		"  hubbub user add|list|disable|enable|reset-password\n"
		"                              people and their accounts\n"
		"  hubbub invite               make a link that lets somebody join\n"
		"  hubbub audit                what was administered, by whom\n"
		"  hubbub settings             print the settings as a Markdown table\n"
		"  hubbub --help               print this\n"
		"  hubbub --version            print the version\n"
		"\n"
		"Settings:\n");
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		buf_printf(out, "  --%s%s%s\n      %s", s->name, s->value != NULL ? " " : "",
			   s->value != NULL ? s->value : "", s->help);
		if (s->fallback[0] != '\0' && s->type != SETTING_BOOL)
			buf_printf(out, " (default %s)", s->fallback);
		buf_append_char(out, '\n');
	}
	buf_append_str(out,
		       "  --config FILE\n"
		       "      a file of lines `name = value`; # begins a comment line\n"
		       "\n"
		       "Each may also be set in the environment (HUBBUB_MAX_FRAME for "
		       "--max-frame) or in the\n"
		       "file (max-frame = 65536).  A flag goes before the environment, and that "
		       "before the file.\n");
}

static void append_range(struct buf *out, const struct setting *s)
{
	switch (s->type) {
	case SETTING_BOOL:
		buf_append_str(out, "`true` or `false`");
		break;
	case SETTING_NUMBER:
	case SETTING_SIZE:
		buf_printf(out, "%llu to %llu", (unsigned long long)s->min,
			   (unsigned long long)s->max);
		break;
	case SETTING_ADDRESS:
	case SETTING_REDIRECT:
	case SETTING_TEXT:
	case SETTING_OPTION:
	case SETTING_URL:
	case SETTING_LEVEL:
	case SETTING_ORIGINS:
	case SETTING_RATE:
	case SETTING_PROXIES:
		buf_printf(out, "`%s`", s->value);
		break;
	}
}

void settings_append_markdown(struct buf *out)
{
	buf_append_str(out, "| flag | environment | value | default | meaning |\n"
			    "| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		buf_printf(out, "| `--%s` | `", s->name);
		append_env_name(out, s);
		buf_append_str(out, "` | ");
		append_range(out, s);
		if (s->fallback[0] != '\0')
			buf_printf(out, " | `%s` | ", s->fallback);
		else
			buf_append_str(out, " | none | ");
		buf_printf(out, "%s |\n", s->help);
	}
}
