/*
 * News for workers: what the registry posts, and how a worker is handed it.
 *
 * All that is posted at once shares one allocation, which goes with the last message of it.
 */
#include "room_internal.h"

#include "hubbub/mem.h"
#include <assert.h>
#include <stdlib.h>

struct news_msg {
	struct inbox_msg msg;
	struct room_post *post;
	struct room_news news; /* its frame is a reference */
	struct chunk *text;    /* holds news.name; NULL: it has none */
};

struct room_post {
	struct room_registry *rg;
	atomic_uint n_refs; /* one for each message under way, one for who makes it */
	unsigned n, cap;
	struct news_msg msgs[];
};

struct room_post *room_post_new(struct room_registry *rg, size_t n_news)
{
	size_t cap = n_news * rg->n_workers;
	struct room_post *post = mem_alloc(sizeof(*post) + cap * sizeof(post->msgs[0]));

	post->rg = rg;
	atomic_init(&post->n_refs, 1);
	post->n = 0;
	post->cap = (unsigned)cap;
	return post;
}

static void unref(struct room_post *post)
{
	if (atomic_fetch_sub_explicit(&post->n_refs, 1, memory_order_acq_rel) == 1)
		free(post);
}

static void discard_news(struct inbox_msg *msg)
{
	struct news_msg *nm = (struct news_msg *)msg;

	frame_unref(nm->news.frame);
	chunk_unref(nm->text);
	unref(nm->post);
}

static void deliver_news(struct inbox_msg *msg, struct worker *w)
{
	struct news_msg *nm = (struct news_msg *)msg;

	nm->post->rg->hooks->on_news(w, &nm->news);
	discard_news(msg);
}

/* @text holds news->name, if that is set. */
static void add(struct room_post *post, unsigned w, const struct room_news *news,
		struct chunk *text)
{
	struct news_msg *nm = &post->msgs[post->n++];

	assert(post->n <= post->cap);
	nm->msg = (struct inbox_msg){.deliver = deliver_news};
	nm->post = post;
	nm->news = *news;
	nm->text = news->name != NULL ? chunk_ref(text) : NULL;
	frame_ref(news->frame);
	atomic_fetch_add_explicit(&post->rg->workers[w].backlog,
				  frame_wire(news->frame, false, 0).len, memory_order_relaxed);
	inbox_list_add(&post->rg->outgoing[w], &nm->msg);
}

/* Who types is not told to a worker that is far behind: nobody misses it. */
static bool is_far_behind(struct worker *w)
{
	return inbox_len(&w->inbox) > FLEETING_BOUND ||
	       atomic_load_explicit(&w->backlog, memory_order_relaxed) > BACKLOG_BOUND / 2;
}

void room_post_add_locked(struct room_registry *rg, struct room_post *post,
			  const struct room_news *news)
{
	const struct room *room = room_find_locked(rg, news->room);

	bool is_typing = news->except_conn != 0;

	for (unsigned w = 0; room != NULL && w < rg->n_workers; w++) {
		if (room->joined[w] > 0 && !(is_typing && is_far_behind(&rg->workers[w])))
			add(post, w, news, room->text);
	}
}

void room_post_add_all_locked(struct room_registry *rg, struct room_post *post,
			      const struct room_news *news)
{
	for (unsigned w = 0; w < rg->n_workers; w++)
		add(post, w, news, NULL);
}

void room_post_send_locked(struct room_registry *rg, struct room_post *post)
{
	atomic_fetch_add_explicit(&post->n_refs, post->n, memory_order_relaxed);
	for (unsigned w = 0; w < rg->n_workers; w++)
		inbox_post_list(&rg->workers[w].inbox, &rg->outgoing[w], discard_news);
	unref(post);
}

void room_registry_tell(struct room_registry *rg, int64_t id, struct frame *frame,
			uint64_t except_conn)
{
	struct room_news news = {.room = id, .frame = frame, .except_conn = except_conn};
	struct room_post *post = room_post_new(rg, 1);

	mutex_lock(&rg->lock);
	room_post_add_locked(rg, post, &news);
	room_post_send_locked(rg, post);
	mutex_unlock(&rg->lock);
}

void room_registry_tell_user(struct room_registry *rg, int64_t user, struct frame *frame,
			     uint64_t except_conn)
{
	struct room_news news = {.user = user, .frame = frame, .except_conn = except_conn};
	struct room_post *post = room_post_new(rg, 1);

	mutex_lock(&rg->lock);
	room_post_add_all_locked(rg, post, &news);
	room_post_send_locked(rg, post);
	mutex_unlock(&rg->lock);
}
