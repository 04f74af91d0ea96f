/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <semaphore.h>

#include "lib/api/writer.h"
#include "lib/track/schema.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

enum { JOBS = 4 };

struct job {
	struct write_job base; /* first: the writer hands it back */
	const char *name;      /* of the row it makes; NULL: it only waits */
	int64_t bytes;
	int result;
};

static sem_t begun, go_on, done;

static int run(struct write_job *base, struct db *db, struct mlp_error *err)
{
	struct job *job = (struct job *)base;
	int64_t limit;
	int r = 0;

	if (!job->name) {
		sem_post(&begun);
		sem_wait(&go_on);
		return 0;
	}
	/* The disk is full from now on, but for a few pages. */
	if (job->bytes > 1000)
		r = db_get_int(db, &limit, err, "PRAGMA max_page_count(1)", "");
	return r ? r : db_exec(db, err,
			       "INSERT INTO registered_model(name, description, created_ms,"
			       " updated_ms) VALUES(?1, hex(zeroblob(?2)), 1, 1)",
			       "si", job->name, job->bytes);
}

static void finish(struct write_job *base, int result, const struct mlp_error *err)
{
	(void)err;
	((struct job *)base)->result = result;
	sem_post(&done);
}

/* One transaction for all, which the second job undoes: none may be said to have failed and
 * be stored, nor the other way round. */
static void test_lost_transaction(const struct repo *repo)
{
	struct job wait = { .result = -1 };
	struct job jobs[JOBS] = { { .name = "a", .bytes = 10 }, { .name = "b", .bytes = 5000000 },
				  { .name = "c", .bytes = 10 }, { .name = "d", .bytes = 10 } };
	struct mlp_error err = MLP_ERROR_INIT;
	struct writer *writer;
	struct db *db;
	int64_t rows = -1;

	is_int(writer_start(&writer, repo, &err), 0, "a writer");
	wait.base.run = run;
	wait.base.done = finish;
	writer_submit(writer, &wait.base);
	sem_wait(&begun);
	for (int i = 0; i < JOBS; i++) {
		jobs[i].base.run = run;
		jobs[i].base.done = finish;
		writer_submit(writer, &jobs[i].base);
	}
	sem_post(&go_on);
	for (int i = 0; i <= JOBS; i++)
		sem_wait(&done);
	writer_stop(writer);
	is_int(wait.result, 0, "the one before them is stored");
	for (int i = 0; i < JOBS; i++)
		is_int(jobs[i].result, MLP_EFULL, "job %s is refused, and why", jobs[i].name);
	track_open(&db, repo, DB_READ, &err);
	db_get_int(db, &rows, &err, "SELECT count(*) FROM registered_model", "");
	is_int(rows, 0, "nothing of them is stored");
	db_close(db);
}

int main(void)
{
	char *folder = tap_folder();
	_cleanup_free_ char *path = path_join(folder, "mlp.db");
	struct repo repo = { .db_path = path };

	plan_lazy();
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	sem_init(&done, 0, 0);
	test_lost_transaction(&repo);
	path_remove_tree(folder);
	free(folder);
	return done_testing();
}
