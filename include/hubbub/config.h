#pragma once
/* Layer: config. */
#include "hubbub/addr.h"
#include "hubbub/buf.h"
#include "hubbub/log.h"
#include <stdbool.h>
#include <stdint.h>

/** So many in each so many milliseconds; n is 0 where there is no limit. */
struct rate {
	unsigned n, per_ms;
};

/**
 * The settings, each described once in the table of src/config/settings.c (name, type, range,
 * default, help), which yields the flags, the HUBBUB_... environment, the file and --help.
 * Precedence: flag, environment, file, default.  Read-only once made: a reload makes another.
 */
struct config {
	char *listen_host;    /* --listen ADDR:PORT, default 127.0.0.1:8080; [::1]:80 for IPv6 */
	uint16_t listen_port; /* 0: take a free one */
	char *data_dir;       /* --data DIR, default ./hubbub-data */
	char *tls_cert, *tls_key; /* --tls-cert FILE, --tls-key FILE: both, or both empty */
	char *redirect_host;      /* --http-redirect ADDR:PORT; NULL: none */
	uint16_t redirect_port;
	unsigned hsts_max_age; /* --hsts-max-age, in seconds */
	bool open;             /* --open: names only, no accounts */
	/* --oidc-issuer URL, --oidc-client-id, --oidc-client-secret-file, --oidc-name: each empty
	 * where there is no single sign-on, or no secret */
	char *oidc_issuer, *oidc_client_id, *oidc_secret_file, *oidc_name;
	bool oidc_only;   /* --oidc-only: passwords let nobody in */
	bool oidc_create; /* --oidc-create: whoever the provider knows becomes a member */
	char *smtp_url, *smtp_user, *smtp_password_file, *mail_from; /* each empty where not set */
	bool no_io_uring; /* --no-io-uring: plain writes, also where the kernel has io_uring */
	bool no_limits;   /* --no-limits: no rate limits (benchmarks) */
	unsigned workers; /* --workers N; 0 (default) is one per core */
	enum log_level log_level; /* --log-level error|warn|info|debug, default info */
	char **origins;           /* --origin URL, may be repeated (comma-separated elsewhere) */
	size_t n_origins;
	size_t max_frame;      /* --max-frame BYTES, default 65536 */
	size_t max_text;       /* --max-text BYTES, default 8000; 6 * max_text + 500 <= max_frame */
	unsigned heartbeat_ms; /* --heartbeat-ms, default 25000 */
	size_t max_output;     /* --max-output BYTES unsent per connection, default 1 MiB */
	unsigned gather_ms;    /* --gather-ms, default 5: how long work may wait for more */
	unsigned max_connections; /* --max-connections; 0 (default): as descriptors allow */
	struct rate send_limit;   /* --send-limit N/MS: a user's writes */
	struct rate request_limit, failed_limit; /* a user's other requests, and the refused ones */
	struct rate connect_limit, http_limit, hello_limit; /* of one address; hellos that failed */
	struct rate sign_in_limit; /* wrong passwords of one login, and of one address */
	unsigned user_connections, address_connections; /* open at once; 0: any number */
	struct addr_range *trusted_proxies; /* --trusted-proxy ADDR[/BITS], may be repeated */
	size_t n_trusted_proxies;
	unsigned idle_timeout_ms;    /* --idle-timeout-ms between two HTTP requests */
	unsigned hello_timeout_ms;   /* --hello-timeout-ms from the handshake to the hello */
	unsigned message_timeout_ms; /* --message-timeout-ms from a message's first byte to its last
				      */
	unsigned request_timeout_ms; /* --request-timeout-ms to send an HTTP request, default 10000
				      */
	/* Of backup, restore: the file; backup: whether it may replace one.  No settings. */
	char *file;
	bool force;
	/* Of user, invite, audit: what to do, to whom; and the options.  No settings. */
	char *args[2];
	char *opt_name, *opt_role, *opt_room;
	unsigned opt_uses, opt_days, opt_limit;
};

enum config_verb {
	CONFIG_SERVE = 1,  /* run the server */
	CONFIG_HELP,       /* *text holds what to print on standard output; exit 0 */
	CONFIG_VERSION,    /* likewise */
	CONFIG_CHECK,      /* check-config: the settings are good; @cfg is filled as for serve */
	CONFIG_BACKUP,     /* @cfg says which data, and which file */
	CONFIG_RESTORE,    /* likewise */
	CONFIG_USER,       /* user: args say what; the server of @cfg's data does it */
	CONFIG_INVITE,     /* likewise */
	CONFIG_AUDIT,      /* likewise */
	CONFIG_CHECK_DATA, /* check: @cfg says which data */
};

/**
 * Read the command line, the environment and the file named by --config.
 *
 * Returns an enum config_verb (positive), or -EINVAL with one clear line in @text that names the
 * flag, variable or file and line at fault and says what is allowed.  On CONFIG_SERVE @cfg is
 * filled and must be freed with config_deinit(); @text is the caller's in every case.
 */
int config_load(struct config *cfg, int argc, char *const *argv, struct buf *text);
/**
 * Read everything once more, as config_load() did for @old, into @cfg.
 *
 * Returns 0 with @cfg filled, for config_deinit(): settings that a running server cannot change
 * keep their old values, and @text names those that would have changed (empty: none).  -EINVAL:
 * what is wrong is in @text, and @cfg holds nothing.
 */
int config_reload(struct config *cfg, const struct config *old, int argc, char *const *argv,
		  struct buf *text);
/** Whether there is single sign-on. */
bool config_has_oidc(const struct config *cfg);
/** Whether connections are to be encrypted. */
bool config_has_tls(const struct config *cfg);
/** Whether @a and @b have the same value of every setting. */
bool config_equal(const struct config *a, const struct config *b);
void config_deinit(struct config *cfg);
