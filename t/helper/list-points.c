/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store holds, read by the library and not by the commands under test: after a
 * full check of the file prints "run-name status key points" for each series and
 * "run-name status" for runs without any.  With --schema: the SQL of its schema.
 * Run in the project's folder.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/core/repo.h"
#include "lib/track/metric.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"

static int print_run(struct db *db, int64_t id, struct mlp_error *err)
{
	_release_(metric_latests_release) struct metric_latests latest = { 0 };
	_release_(run_release) struct run run = RUN_INIT;
	int r = run_get(db, id, &run, err);

	if (!r)
		r = metric_latest(db, id, &latest, err);
	if (!r && !latest.len)
		printf("%s %s\n", run.name, run_status_name(run.status));
	for (size_t i = 0; !r && i < latest.len; i++) {
		struct metric_points points = VEC_INIT;

		r = metric_read(db, id, latest.v[i].key, &points, err);
		printf("%s %s %s %zu\n", run.name, run_status_name(run.status), latest.v[i].key,
		       points.len);
		vec_free(&points);
	}
	return r;
}

static int print_all(struct db *db, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(db, err, "SELECT id FROM run ORDER BY id", "");
	int r = st ? 0 : MLP_EFAIL;

	while (!r && (r = db_step(st, err)) > 0)
		r = print_run(db, db_int(st, 0), err);
	return r;
}

static int print_schema(struct db *db, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name", "");
	int r = st ? 0 : MLP_EFAIL;

	while (!r && (r = db_step(st, err)) > 0) {
		puts(db_text(st, 0));
		r = 0;
	}
	return r;
}

int main(int argc, char **argv)
{
	bool schema = argc > 1 && !strcmp(argv[1], "--schema");
	_release_(repo_release) struct repo repo = REPO_INIT;
	_cleanup_(db_close) struct db *db = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	int r = repo_discover(&repo, &err);

	if (!r)
		r = track_open(&db, &repo, DB_READ, &err);
	if (!r)
		r = db_check(db, &err);
	if (!r)
		r = schema ? print_schema(db, &err) : print_all(db, &err);
	if (r)
		fprintf(stderr, "list-points: %s\n", err.text);
	return r != 0;
}
