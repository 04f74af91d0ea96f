/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/writer.h"

#include <pthread.h>
#include <string.h>

#include "lib/track/schema.h"
#include "lib/util/xalloc.h"

struct writer {
	struct db *db;
	pthread_mutex_t db_lock;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	struct write_job *first, **last;
	int64_t waiting;
	struct writer_stats stats;
	bool stopping;
};

static void count_batch(struct writer *w, int64_t jobs)
{
	w->stats.batches++;
	w->stats.jobs += jobs;
	w->stats.largest = MAX(w->stats.largest, jobs);
}

/* All waiting jobs as a list, or NULL when the writer shall end. */
static struct write_job *take_all(struct writer *w)
{
	struct write_job *jobs;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stopping)
		pthread_cond_wait(&w->more, &w->lock);
	jobs = w->first;
	w->first = NULL;
	w->last = &w->first;
	if (jobs)
		count_batch(w, w->waiting);
	w->waiting = 0;
	pthread_mutex_unlock(&w->lock);
	return jobs;
}

/* In a transaction that is begun, and that it ends. */
static void run_in(struct db **txn, struct db *db, struct write_job *job)
{
	if (!job->result)
		job->result = job->run(job, db, &job->err);
	if (!job->result)
		job->result = db_txn_commit(txn, &job->err);
}

static void run_job(struct db *db, struct write_job *job)
{
	_cleanup_txn_ struct db *txn = NULL;

	job->err = (struct mlp_error)MLP_ERROR_INIT;
	job->result = db_txn(&txn, db, &job->err);
	run_in(&txn, db, job);
}

/* False, and nothing happened, while another process writes. */
static bool run_at_once(struct db *db, struct write_job *job)
{
	_cleanup_txn_ struct db *txn = NULL;

	job->err = (struct mlp_error)MLP_ERROR_INIT;
	db_hurry(db, true);
	job->result = db_txn(&txn, db, &job->err);
	db_hurry(db, false);
	if (job->result == MLP_EBUSY)
		return false;
	run_in(&txn, db, job);
	return true;
}

/* All in one transaction; one alone is a transaction by itself.  An error that undid the whole
 * of it is that of all. */
static int run_jobs(struct db *db, struct write_job *jobs, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = jobs->next ? db_txn(&txn, db, err) : 0;

	for (struct write_job *j = jobs; j && !r; j = j->next) {
		run_job(db, j);
		if (db_txn_lost(db)) {
			*err = j->err;
			r = j->result;
		}
	}
	return !r && txn ? db_txn_commit(&txn, err) : r;
}

static void run_and_answer(struct writer *w, struct write_job *jobs)
{
	struct mlp_error err = MLP_ERROR_INIT;
	int r;

	pthread_mutex_lock(&w->db_lock);
	r = run_jobs(w->db, jobs, &err);
	pthread_mutex_unlock(&w->db_lock);
	while (jobs) {
		struct write_job *job = jobs;

		jobs = job->next; /* done() may free the job */
		if (r && !job->result) {
			job->result = r;
			job->err = err;
		}
		job->done(job, job->result, &job->err);
	}
}

static void *work(void *data)
{
	struct writer *w = data;
	struct write_job *jobs;

	while ((jobs = take_all(w)))
		run_and_answer(w, jobs);
	return NULL;
}

int writer_start(struct writer **out, const struct repo *repo, struct mlp_error *err)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	int r = track_open(&w->db, repo, DB_CREATE, err);

	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_mutex_init(&w->db_lock, NULL);
	pthread_cond_init(&w->more, NULL);
	if (!r) {
		r = pthread_create(&w->thread, NULL, work, w);
		r = r ? mlp_error_errno(err, r, "cannot start a thread") : 0;
	}
	if (r) {
		db_close(w->db);
		free(w);
		return r;
	}
	*out = w;
	return 0;
}

void writer_submit(struct writer *w, struct write_job *job)
{
	job->next = NULL;
	job->result = 0;
	pthread_mutex_lock(&w->lock);
	*w->last = job;
	w->last = &job->next;
	w->waiting++;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

bool writer_run(struct writer *w, struct write_job *job)
{
	bool ran;

	if (pthread_mutex_trylock(&w->db_lock))
		return false;
	ran = run_at_once(w->db, job);
	pthread_mutex_unlock(&w->db_lock);
	if (!ran)
		return false;
	pthread_mutex_lock(&w->lock);
	count_batch(w, 1);
	pthread_mutex_unlock(&w->lock);
	job->done(job, job->result, &job->err);
	return true;
}

void writer_stats(struct writer *w, struct writer_stats *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->stats;
	pthread_mutex_unlock(&w->lock);
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	db_close(w->db);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->db_lock);
	pthread_cond_destroy(&w->more);
	free(w);
}
