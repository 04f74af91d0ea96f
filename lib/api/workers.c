/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/util/xalloc.h"

struct workers {
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	struct work *first, **last;
	size_t waiting, most;
	bool stopping;
	pthread_t *threads;
	unsigned count;
};

/* The next one, or NULL when the thread shall end. */
static struct work *take(struct workers *w)
{
	struct work *work;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stopping)
		pthread_cond_wait(&w->more, &w->lock);
	work = w->first;
	if (work) {
		w->first = work->next;
		w->waiting--;
		if (!w->first)
			w->last = &w->first;
	}
	pthread_mutex_unlock(&w->lock);
	return work;
}

static void *work_on(void *data)
{
	struct work *work;

	while ((work = take(data)))
		work->run(work->data);
	return NULL;
}

int workers_start(struct workers **out, unsigned threads, size_t most, struct mlp_error *err)
{
	struct workers *w = xcalloc(1, sizeof(*w));
	int r = 0;

	w->last = &w->first;
	w->most = most;
	w->threads = xcalloc(threads, sizeof(*w->threads));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	while (!r && w->count < threads) {
		r = pthread_create(&w->threads[w->count], NULL, work_on, w);
		if (!r)
			w->count++;
	}
	if (r) {
		workers_stop(w);
		return mlp_error_errno(err, r, "cannot start a thread");
	}
	*out = w;
	return 0;
}

bool workers_submit(struct workers *w, struct work *work)
{
	bool room;

	work->next = NULL;
	pthread_mutex_lock(&w->lock);
	room = w->waiting < w->most;
	if (room) {
		*w->last = work;
		w->last = &work->next;
		w->waiting++;
		pthread_cond_signal(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	return room;
}

void workers_stop(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->count; i++)
		pthread_join(w->threads[i], NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->more);
	free(w->threads);
	free(w);
}
