/*
 * News for workers: what the registry posts, and how a worker is handed it.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <stdlib.h>

struct news_msg {
	struct inbox_msg msg;
	const struct room_hooks *hooks;
	struct room_news news; /* its frame is a reference */
};

static void deliver_news(struct inbox_msg *msg, struct worker *w)
{
	struct news_msg *nm = (struct news_msg *)msg;

	nm->hooks->on_news(w, &nm->news);
	frame_unref(nm->news.frame);
	free(nm);
}

static void post_to(struct room_registry *rg, unsigned w, const struct room_news *news)
{
	struct news_msg *nm = mem_alloc(sizeof(*nm));

	nm->msg = (struct inbox_msg){.deliver = deliver_news};
	nm->hooks = rg->hooks;
	nm->news = *news;
	frame_ref(news->frame);
	if (!inbox_post(&rg->workers[w].inbox, &nm->msg)) {
		frame_unref(nm->news.frame);
		free(nm);
	}
}

void room_post_locked(struct room_registry *rg, const struct room *room,
		      const struct room_news *news)
{
	for (unsigned w = 0; w < rg->n_workers; w++) {
		if (room->joined[w] > 0)
			post_to(rg, w, news);
	}
}

void room_registry_tell(struct room_registry *rg, int64_t id, struct frame *frame,
			uint64_t except_conn)
{
	struct room_news news = {.room = id, .frame = frame, .except_conn = except_conn};

	mutex_lock(&rg->lock);
	struct room *room = room_find_locked(rg, id);

	if (room != NULL)
		room_post_locked(rg, room, &news);
	mutex_unlock(&rg->lock);
}

void room_registry_tell_user(struct room_registry *rg, int64_t user, struct frame *frame,
			     uint64_t except_conn)
{
	struct room_news news = {.user = user, .frame = frame, .except_conn = except_conn};

	for (unsigned w = 0; w < rg->n_workers; w++)
		post_to(rg, w, &news);
}
