/*
 * A link for a new password by mail.  The answer comes before anything is looked up, so that
 * neither it nor its time says whether there is such a login.
 */
#include "session/api.h"

#include "hubbub/errands.h"
#include "hubbub/log.h"
#include "hubbub/mail.h"
#include "hubbub/mem.h"
#include <stdlib.h>

struct mail_errand {
	struct errand errand; /* first */
	const struct mailer *mailer;
	char *to, *text;
	int err;
	struct buf why;
};

static void free_errand(struct errand *e)
{
	struct mail_errand *me = (struct mail_errand *)e;

	explicit_bzero(me->text, strlen(me->text));
	free(me->text);
	free(me->to);
	buf_deinit(&me->why);
	free(me);
}

static void run(struct errand *e, const atomic_bool *stopping)
{
	struct mail_errand *me = (struct mail_errand *)e;

	me->err = mail_send(me->mailer, me->to, "A new password for Hubbub", me->text, stopping,
			    &me->why);
}

static void deliver(struct inbox_msg *msg, struct worker *w)
{
	struct mail_errand *me = (struct mail_errand *)msg;

	(void)w;
	if (me->err != 0)
		log_warn("mail: a link for a new password was not sent: %.*s", (int)me->why.len,
			 me->why.p);
	free_errand(&me->errand);
}

static char *make_text(const struct hub *hub, const char *token)
{
	struct buf text = {0};

	buf_printf(&text,
		   "Somebody, hopefully you, wants a new password for this address.\n"
		   "Choose it here, within a day:\n\n%s/reset#%s\n\n"
		   "If that was not you, do nothing: the link is of no use to anybody else.\n",
		   hub->cfg->origins[0], token);
	return buf_take(&text, NULL);
}

static void mail_link(struct hub *hub, const struct store_op *op)
{
	struct mail_errand *me = mem_zalloc(sizeof(*me));

	me->errand.msg.deliver = deliver;
	me->errand.run = run;
	me->errand.drop = free_errand;
	me->errand.worker = hub->worker->index;
	me->mailer = hub->env->mailer;
	me->to = mem_dup(op->req->login.p, op->req->login.len);
	me->text = make_text(hub, op->token);
	if (errands_submit(hub->env->errands, &me->errand))
		return;
	log_warn("mail: a link for a new password was not sent: too many wait");
	free_errand(&me->errand);
}

static void deliver_link(struct inbox_msg *msg, struct worker *w)
{
	struct store_op *op = (struct store_op *)msg;

	if (op->err == PROTO_OK && op->token != NULL)
		mail_link(hub_of(w), op);
	store_op_free(op);
}

void api_start_reset_mail(struct conn *c, struct request *req)
{
	struct hub *hub = conn_hub(c);
	struct buf none = {0};
	const char *why = NULL;
	enum proto_error e = PROTO_E_BAD_REQUEST;
	unsigned wait_ms = 0;

	if (hub->env->mailer == NULL || hub->cfg->oidc_only) {
		e = PROTO_E_NOT_FOUND;
		why = "This server sends no mail: ask an admin for a link.";
	} else if (req->login.p == NULL || !mail_is_address(req->login)) {
		why = "An e-mail address is wanted.";
	} else {
		wait_ms = api_guess_wait(c, req->login_key);
		e = PROTO_E_RATE_LIMITED;
		why = wait_ms > 0 ? "Too many tries: wait a moment." : NULL;
	}
	if (why != NULL) {
		api_refuse(c, e, why, wait_ms);
		request_free(req);
		return;
	}
	api_count_guess(c, req->login_key);
	struct store_op *op = api_new_op(c, STORE_ACCOUNT, req);

	op->msg.deliver = deliver_link;
	op->account = api_new_account(c);
	api_answer(c, 204, &none, NULL);
	if (!store_submit(hub->env->store, op))
		store_op_free(op);
}
