/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large store, made as fast as it can be written:
 *	fill-store RUNS POINTS
 * adds runs of so many points each to the store of the current folder, in experiments of
 * 1,000 runs, and prints "points milliseconds".
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/repo.h"
#include "lib/track/metric.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

/* KEYS as a training loop has: two losses, and two figures that hardly change. */
enum { KEYS = 4, EXPERIMENT_RUNS = 1000, COMMIT_RUNS = 100 };

static double noise(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (double)(*state >> 40) * 0x1p-24;
}

static int add_points(struct metric_batch *batch, int64_t step, uint64_t *state,
		      struct mlp_error *err)
{
	static const char *const names[KEYS] = { "train/loss", "val/loss", "epoch", "lr" };
	float loss = (float)(2.5 / (1 + (double)step / 50) + noise(state) / 20);
	const double values[KEYS] = { loss, (int)(loss * 1e4) / 1e4, (double)(step / 100), 1e-3 };
	struct metric_point p = { .step = step, .time_ms = 1763000000000 + step * 250 };
	int r = 0;

	p.time_ms += (int64_t)(noise(state) * 20);
	for (size_t k = 0; k < KEYS && !r; k++) {
		p.value = values[k];
		r = metric_batch_add(batch, names[k], strlen(names[k]), &p, err);
	}
	return r;
}

static int add_run(struct db *db, int64_t number, int64_t points, struct mlp_error *err)
{
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	uint64_t state = 0x9e3779b97f4a7c15u * ((uint64_t)number + 1);
	struct run_new new_run = { .status = RUN_FINISHED, .user = "fill",
				   .started_ms = 1763000000000 + number };
	char experiment[32];
	int64_t run;
	int r;

	snprintf(experiment, sizeof(experiment), "fill %" PRId64, number / EXPERIMENT_RUNS);
	new_run.experiment = experiment;
	r = run_create(db, &new_run, &run, NULL, err);
	if (!r)
		r = param_set(db, run, "lr", "0.001", err);
	for (int64_t step = 0; step < points / KEYS && !r; step++)
		r = add_points(batch, step, &state, err);
	if (!r)
		r = metric_batch_commit(batch, db, run, err);
	return r ? r : metric_compact(db, run, err);
}

static int fill(struct db *db, int64_t runs, int64_t points, struct mlp_error *err)
{
	for (int64_t i = 0; i < runs;) {
		_cleanup_txn_ struct db *txn = NULL;
		int r = db_txn(&txn, db, err);

		for (int64_t end = MIN(i + COMMIT_RUNS, runs); i < end && !r; i++)
			r = add_run(db, i, points, err);
		if (!r)
			r = db_txn_commit(&txn, err);
		if (r)
			return r;
	}
	return 0;
}

int main(int argc, char **argv)
{
	_release_(repo_release) struct repo repo = REPO_INIT;
	_cleanup_(db_close) struct db *db = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	int64_t runs, points, start = clock_mono_ns();
	int r;

	if (argc != 3 || !text_parse_int(argv[1], &runs) || !text_parse_int(argv[2], &points))
		return 2;
	r = repo_open_at(&repo, ".", &err);
	if (!r)
		r = track_open(&db, &repo, DB_CREATE | DB_RELAXED, &err);
	if (!r)
		r = fill(db, runs, points, &err);
	if (r) {
		fprintf(stderr, "fill-store: %s\n", err.text);
		return 1;
	}
	printf("%" PRId64 " %" PRId64 "\n", runs * (points / KEYS) * KEYS,
	       (clock_mono_ns() - start) / 1000000);
	return 0;
}
