#include "hubbub/errands.h"

#include "hubbub/mem.h"
#include <stdlib.h>
#include <uv.h>

#define N_THREADS 2

struct errands {
	struct worker *workers;
	uv_thread_t threads[N_THREADS];
	unsigned n_threads;
	atomic_bool stopping;
	struct mutex lock;
	struct cond work;
	/* Guarded by lock: */
	struct errand *first, *last;
	unsigned n; /* that wait or run */
};

/* NULL: it stops. */
static struct errand *take(struct errands *es)
{
	struct errand *e;

	mutex_lock(&es->lock);
	while (es->first == NULL && !atomic_load(&es->stopping))
		cond_wait(&es->work, &es->lock);
	e = atomic_load(&es->stopping) ? NULL : es->first;
	if (e != NULL)
		es->first = e->next;
	mutex_unlock(&es->lock);
	return e;
}

static void finish(struct errands *es, struct errand *e)
{
	mutex_lock(&es->lock);
	es->n--;
	mutex_unlock(&es->lock);
	if (!inbox_post(&es->workers[e->worker].inbox, &e->msg))
		e->drop(e);
}

static void thread_main(void *arg)
{
	struct errands *es = arg;
	struct errand *e;

	while ((e = take(es)) != NULL) {
		e->run(e, &es->stopping);
		finish(es, e);
	}
}

int errands_start(struct errands **out, struct worker *workers)
{
	struct errands *es = mem_zalloc(sizeof(*es));
	int err = 0;

	es->workers = workers;
	mutex_init(&es->lock);
	cond_init(&es->work);
	for (; err == 0 && es->n_threads < N_THREADS; es->n_threads += err == 0)
		err = uv_thread_create(&es->threads[es->n_threads], thread_main, es);
	if (err != 0) {
		errands_stop(es);
		es = NULL;
	}
	*out = es;
	return err;
}

bool errands_submit(struct errands *es, struct errand *e)
{
	mutex_lock(&es->lock);
	bool may = es->n < ERRANDS_MAX && !atomic_load(&es->stopping);

	if (may) {
		e->next = NULL;
		if (es->first == NULL)
			es->first = e;
		else
			es->last->next = e;
		es->last = e;
		es->n++;
		cond_signal(&es->work);
	}
	mutex_unlock(&es->lock);
	return may;
}

void errands_stop(struct errands *es)
{
	if (es == NULL)
		return;
	mutex_lock(&es->lock);
	atomic_store(&es->stopping, true);
	cond_broadcast(&es->work);
	mutex_unlock(&es->lock);
	for (unsigned i = 0; i < es->n_threads; i++)
		uv_thread_join(&es->threads[i]);
	while (es->first != NULL) {
		struct errand *e = es->first;

		es->first = e->next;
		e->drop(e);
	}
	cond_deinit(&es->work);
	mutex_deinit(&es->lock);
	free(es);
}
