/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics are series of points (step, time, value) per run and key.  Points
 * come in batches: a batch is one row of metric_tail, durable when its commit returns.
 * Compaction sorts the tail of a run by (time, step, value), drops duplicates, and writes
 * chunks (series.h).  The latest value is the one with the greatest (step, time, value).
 */
#ifndef TRACK_METRIC_H
#define TRACK_METRIC_H

#include <stdint.h>

#include "lib/db/db.h"
#include "lib/util/vec.h"

struct metric_point {
	int64_t time_ms;
	int64_t step;
	double value; /* NaN and infinities included; all NaNs are one */
};

/* MLflow has no infinity: its stores and its clients put the greatest double in its place,
 * and send that back.  NaN passes through both. */
double metric_to_mlflow(double value);
double metric_from_mlflow(double value);
/* True when a is the later one: by (step, time, value). */
bool metric_is_later(const struct metric_point *a, const struct metric_point *b);

struct metric_points {
	struct metric_point *v;
	size_t len, cap;
};

/* Collects points of one run; not bound to a handle until commit. */
struct metric_batch;
struct metric_batch *metric_batch_new(void);
void metric_batch_free(struct metric_batch *batch);
DEFINE_CLEANUP(struct metric_batch *, metric_batch_free);
/* key need not be NUL terminated; MLP_EINVAL when key_is_valid() says no. */
int metric_batch_add(struct metric_batch *batch, const char *key, size_t len,
		     const struct metric_point *point, struct mlp_error *err);
size_t metric_batch_points(const struct metric_batch *batch);
/* Writes the points in one transaction (joins an open one), updates the latest values, and
 * compacts when the run's tail has grown long.  The batch keeps its points: whoever owns
 * the outermost transaction clears it when that is committed, and not before. */
int metric_batch_store(struct metric_batch *batch, struct db *db, int64_t run,
		       struct mlp_error *err);
void metric_batch_clear(struct metric_batch *batch);
/* Both, for who owns the transaction or gives the batch up with it.  On error the batch
 * keeps its points. */
int metric_batch_commit(struct metric_batch *batch, struct db *db, int64_t run,
			struct mlp_error *err);

/* One point, durable on return. */
int metric_log(struct db *db, int64_t run, const char *key, const struct metric_point *point,
	       struct mlp_error *err);
/* Moves the whole tail of a run into chunks; at the end of a run. */
int metric_compact(struct db *db, int64_t run, struct mlp_error *err);
/* Appends the points of a series, tail included, sorted by (time, step, value) without
 * duplicates.  An absent series has no points. */
int metric_read(struct db *db, int64_t run, const char *key, struct metric_points *out,
		struct mlp_error *err);
/* Of these, at most limit from offset (from 0); takes the memory of what it appends, and time
 * for what stands before mostly where chunks overlap. */
struct metric_range {
	int64_t offset, limit;
};
int metric_read_range(struct db *db, int64_t run, const char *key, struct metric_range range,
		      struct metric_points *out, struct mlp_error *err);

struct metric_latest {
	char *key;
	int64_t points;
	struct metric_point last; /* greatest (step, time, value) */
};
struct metric_latests {
	struct metric_latest *v;
	size_t len, cap;
};
/* The latest values of a run, sorted by key. */
int metric_latest(struct db *db, int64_t run, struct metric_latests *out, struct mlp_error *err);
void metric_latests_release(struct metric_latests *list);

/* Names of metrics by id, for what reads many runs: each is read once. */
struct metric_name {
	int64_t id;
	char *name;
};
struct metric_names {
	struct metric_name *v; /* sorted by id */
	size_t len, cap;
};
void metric_names_release(struct metric_names *names);
/* Calls fn for each latest value, in no order, without copies. */
typedef void metric_latest_fn(void *data, const struct metric_latest *latest);
int metric_latest_each(struct db *db, int64_t run, struct metric_names *names,
		       metric_latest_fn *fn, void *data, struct mlp_error *err);
/* The same of these keys only, in their order; keys that a run has not are left out. */
int metric_latest_of(struct db *db, int64_t run, const struct strvec *keys, metric_latest_fn *fn,
		     void *data, struct mlp_error *err);
/* metric_latest() with names to use and to add to. */
int metric_latest_named(struct db *db, int64_t run, struct metric_names *names,
			struct metric_latests *out, struct mlp_error *err);

#endif
