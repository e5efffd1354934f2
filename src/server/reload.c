/*
 * SIGHUP: the settings once more, as they are written now.
 *
 * A worker reads its settings without a lock: it is told of new ones by its inbox, and the old ones
 * stay where they are until the workers have ended.  They are small, and as many as changed
 * something.
 */
#include "hubbub/mem.h"
#include "server/notify.h"
#include "server/server_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void notify_reloading(void)
{
	struct timespec now;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_send(text);
}

/* The files may be others under the same names. */
static void use_tls(struct server *s, struct tls_context *tls)
{
	tls_context_unref(s->tls);
	s->tls = tls;
	for (unsigned i = 0; tls != NULL && i < s->n_workers; i++)
		worker_set_tls(&s->workers[i], tls);
}

/* Takes @v over. */
static void use(struct server *s, struct config_version *v)
{
	if (config_equal(&v->cfg, s->cfg)) {
		config_deinit(&v->cfg);
		free(v);
		return;
	}
	v->older = s->reloaded;
	s->reloaded = v;
	s->cfg = &v->cfg;
	log_set_level(v->cfg.log_level);
	acceptor_set_max(s->acceptor, v->cfg.max_connections);
	limits_set_capacity(s->env.limits, acceptor_capacity(s->acceptor));
	limits_set_config(s->env.limits, &v->cfg);
	session_tell_config(&s->env, &v->cfg);
}

void server_reload(struct server *s)
{
	struct config_version *v = mem_zalloc(sizeof(*v));
	struct buf text = {0}, why = {0};
	struct tls_context *tls;

	notify_reloading();
	if (config_reload(&v->cfg, s->cfg, s->argc, s->argv, &text) != 0) {
		log_error("the settings stay as they were: %.*s", (int)text.len, text.p);
		free(v);
	} else if (server_load_tls(&v->cfg, &tls, &why) != 0) {
		log_error("the settings stay as they were: %.*s", (int)why.len, why.p);
		config_deinit(&v->cfg);
		free(v);
	} else {
		use_tls(s, tls);
		use(s, v);
		log_info("read the settings again");
		if (text.len > 0)
			log_warn("only a restart changes: %.*s", (int)text.len, text.p);
	}
	buf_deinit(&text);
	buf_deinit(&why);
	notify_send("READY=1");
}

void server_free_reloaded(struct server *s)
{
	while (s->reloaded != NULL) {
		struct config_version *v = s->reloaded;

		s->reloaded = v->older;
		config_deinit(&v->cfg);
		free(v);
	}
}
