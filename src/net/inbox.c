/*
 * A worker's inbox: the one way into its thread.
 *
 * Posting appends to a list under the lock; the owner takes the whole list under the lock and
 * delivers it outside.  Only the post that finds the list empty wakes the owner: a wakeup that was
 * sent before has not been served then.  It is sent under the lock too, so that no thread can hold
 * on to a handle that the stopping worker closes meanwhile.
 */
#include "net/internal.h"

static void on_wakeup(uv_async_t *wakeup)
{
	struct inbox *ib = wakeup->data;

	inbox_deliver_all(ib);
	worker_end_if_stopped(ib->worker);
}

int inbox_init(struct inbox *ib, uv_loop_t *loop, struct worker *worker)
{
	int err;

	*ib = (struct inbox){.worker = worker};
	err = uv_async_init(loop, &ib->wakeup, on_wakeup);
	if (err != 0)
		return err;
	ib->wakeup.data = ib;
	mutex_init(&ib->lock);
	return 0;
}

static bool post_locked(struct inbox *ib, const struct inbox_list *list) REQUIRES(ib->lock)
{
	if (ib->closed)
		return false;
	if (ib->first == NULL) {
		ib->first = list->first;
		uv_async_send(&ib->wakeup);
	} else {
		ib->last->next = list->first;
	}
	ib->last = list->last;
	ib->n += list->n;
	return true;
}

bool inbox_post(struct inbox *ib, struct inbox_msg *msg)
{
	struct inbox_list list = {.first = msg, .last = msg, .n = 1};

	msg->next = NULL;
	mutex_lock(&ib->lock);
	bool open = post_locked(ib, &list);
	mutex_unlock(&ib->lock);
	return open;
}

void inbox_list_add(struct inbox_list *list, struct inbox_msg *msg)
{
	msg->next = NULL;
	if (list->first == NULL)
		list->first = msg;
	else
		list->last->next = msg;
	list->last = msg;
	list->n++;
}

void inbox_post_list(struct inbox *ib, struct inbox_list *list,
		     void (*discard)(struct inbox_msg *msg))
{
	struct inbox_msg *msg = NULL;

	if (list->first == NULL)
		return;
	mutex_lock(&ib->lock);
	if (!post_locked(ib, list))
		msg = list->first;
	mutex_unlock(&ib->lock);
	*list = (struct inbox_list){0};
	while (msg != NULL) {
		struct inbox_msg *next = msg->next;

		discard(msg);
		msg = next;
	}
}

size_t inbox_len(struct inbox *ib)
{
	size_t n;

	mutex_lock(&ib->lock);
	n = ib->n;
	mutex_unlock(&ib->lock);
	return n;
}

static struct inbox_msg *take_all_locked(struct inbox *ib) REQUIRES(ib->lock)
{
	struct inbox_msg *first = ib->first;

	ib->first = NULL;
	ib->last = NULL;
	return first;
}

void inbox_deliver_all(struct inbox *ib)
{
	struct inbox_msg *msg;
	size_t n_delivered = 0;

	mutex_lock(&ib->lock);
	msg = take_all_locked(ib);
	mutex_unlock(&ib->lock);

	while (msg != NULL) {
		struct inbox_msg *next = msg->next; /* deliver() frees msg */

		msg->deliver(msg, ib->worker);
		msg = next;
		n_delivered++;
	}

	/* Counted out only now: until it is delivered, a message takes room and time. */
	mutex_lock(&ib->lock);
	ib->n -= n_delivered;
	mutex_unlock(&ib->lock);
}

bool inbox_close_if_empty(struct inbox *ib)
{
	mutex_lock(&ib->lock);
	if (ib->first == NULL)
		ib->closed = true;
	bool closed = ib->closed;
	mutex_unlock(&ib->lock);
	return closed;
}
