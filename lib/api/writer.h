/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that writes to the store for many callers: jobs that are waiting when it
 * comes round share one transaction and one sync of the disk, each in a savepoint of its
 * own, and none is answered before the commit.
 */
#ifndef API_WRITER_H
#define API_WRITER_H

#include <stdbool.h>

#include "lib/core/repo.h"
#include "lib/db/db.h"

struct writer;

struct write_job {
	/* On the writer's thread, inside a transaction; a negative result undoes it. */
	int (*run)(struct write_job *job, struct db *db, struct mlp_error *err);
	/* After the commit, or after an error (then nothing of the job is stored). */
	void (*done)(struct write_job *job, int result, const struct mlp_error *err);
	/* The writer's own. */
	struct write_job *next;
	int result;
	struct mlp_error err;
};

/* Of the time since the start. */
struct writer_stats {
	int64_t batches, jobs; /* transactions, and jobs in them */
	int64_t largest;       /* jobs in one */
};

int writer_start(struct writer **out, const struct repo *repo, struct mlp_error *err);
/* The job stays the caller's and must live until done(). */
void writer_submit(struct writer *writer, struct write_job *job);
/* Runs the job on the calling thread, and is back when it is done: for a caller that is alone,
 * whom the way to the writer's thread and back would cost more than the sync of the disk.
 * False, and nothing happened, while the writer is at work, or another process writes. */
bool writer_run(struct writer *writer, struct write_job *job);
void writer_stats(struct writer *writer, struct writer_stats *out);
/* Does what was submitted, ends the thread and frees the writer. */
void writer_stop(struct writer *writer);

#endif
