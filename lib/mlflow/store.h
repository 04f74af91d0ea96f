/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of target_store.c share. */
#ifndef MLFLOW_STORE_H
#define MLFLOW_STORE_H

#include "lib/mlflow/target.h"
#include "lib/store/object.h"
#include "lib/track/experiment.h"
#include "lib/track/file.h"
#include "lib/track/metric_bulk.h"

/* The run that is open.  Its points and files wait here, so that the store is locked only
 * while they are written. */
struct open_run {
	const struct mlflow_run *source;
	struct run row;	    /* as it is here, id 0 while it is not */
	bool replaces;	    /* it has not ended here: the source's word counts */
	struct metric_bulk *bulk;   /* of a new run */
	struct metric_batch *batch; /* of a known one: what it does not have */
	char *key;		    /* of the series that is coming in */
	struct metric_points series;
};

struct store_target {
	struct mlflow_target base;
	struct db *db;
	const struct repo *repo;
	bool dry;
	struct mlflow_experiment experiment; /* as taken in; made again by each dry step */
	int64_t experiment_id;
	struct open_run run;
	const struct mlflow_model *model; /* that is open; NULL: a run is */
	struct run_files files; /* of the run or model that is open */
	struct object_batch *objects;
	int64_t bytes; /* in files */
};

/* The owned copy of a text as the store takes it: what is no UTF-8 becomes U+FFFD, at most max
 * bytes.  NULL stays NULL. */
char *store_text(const char *s, size_t max);
/* A pair as the store takes it; false (and said) when the key cannot be one. */
bool store_pair(struct store_target *t, const char *owner, const struct key_value *from,
		size_t max, struct key_value *out);
/* Starts a transaction, in which the current experiment is there even when dry; the end keeps
 * it, or not when dry. */
int store_begin(struct store_target *t, struct db **txn, struct mlp_error *err);
int store_commit(struct store_target *t, struct db **txn, struct mlp_error *err);

/* target_points.c */
int store_points(struct mlflow_target *base, const struct mlflow_points *points,
		 struct mlp_error *err);
/* Takes the series in that is coming in. */
int store_end_series(struct store_target *t, struct mlp_error *err);

/* target_files.c */
int store_artifact_wanted(struct mlflow_target *base, const struct mlflow_artifact *a,
			  struct mlp_error *err);
int store_artifact(struct mlflow_target *base, const struct mlflow_artifact *a, int fd,
		   struct mlp_error *err);
/* Makes the files durable; before the transaction that names them. */
int store_sync_files(struct store_target *t, struct mlp_error *err);
/* Forgets them: they are in the store, or not wanted. */
void store_clear_files(struct store_target *t);

/* target_model.c */
int store_model_begin(struct mlflow_target *base, const struct mlflow_model *m,
		      struct mlp_error *err);
int store_model_end(struct mlflow_target *base, struct mlp_error *err);

/* target_registry.c */
int store_registered(struct mlflow_target *base, const struct mlflow_registered *m,
		     struct mlp_error *err);

#endif
