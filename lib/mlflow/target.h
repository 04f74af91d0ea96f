/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where MLflow's world is written to.  A target takes the entities of source.h in, in the
 * order in which a source gives them, and is idempotent: what is there already is not added
 * again, and a run that was taken in halfway is completed by the next copy.
 */
#ifndef MLFLOW_TARGET_H
#define MLFLOW_TARGET_H

#include "lib/mlflow/source.h"

/* What a copy added, kept by the target. */
struct mlflow_counts {
	int64_t experiments;
	int64_t runs;
	int64_t runs_grown; /* known before, more is known now */
	int64_t runs_known; /* nothing new */
	int64_t points;
	int64_t artifacts, artifact_bytes;
	int64_t elsewhere; /* runs and models whose artifacts stay where they are */
	int64_t models;
	int64_t registered_models, versions;
};

struct mlflow_target;

/* A run and a model are open from their _begin to their _end, and their struct stays valid so
 * long; points and artifacts are of the one that is open.  Nothing of it need be there before
 * its _end returns 0. */
struct mlflow_target_ops {
	/* This and the _begin functions return 1 (having said why) to pass the thing over. */
	int (*experiment)(struct mlflow_target *t, const struct mlflow_experiment *e,
			  struct mlp_error *err);
	/* In the experiment given last. */
	int (*run_begin)(struct mlflow_target *t, const struct mlflow_run *run,
			 struct mlp_error *err);
	/* All batches of a key come one after the other. */
	int (*points)(struct mlflow_target *t, const struct mlflow_points *points,
		      struct mlp_error *err);
	int (*run_end)(struct mlflow_target *t, struct mlp_error *err);
	int (*model_begin)(struct mlflow_target *t, const struct mlflow_model *m,
			   struct mlp_error *err);
	int (*model_end)(struct mlflow_target *t, struct mlp_error *err);
	/* 1 when the bytes are wanted, 0 when they are known to be there. */
	int (*artifact_wanted)(struct mlflow_target *t, const struct mlflow_artifact *a,
			       struct mlp_error *err);
	/* fd: an open file that holds the bytes, at its start; the caller's. */
	int (*artifact)(struct mlflow_target *t, const struct mlflow_artifact *a, int fd,
			struct mlp_error *err);
	int (*registered)(struct mlflow_target *t, const struct mlflow_registered *m,
			  struct mlp_error *err);
	/* Everything was given; NULL: nothing to do. */
	int (*finish)(struct mlflow_target *t, struct mlp_error *err);
	void (*close)(struct mlflow_target *t); /* frees t */
};

/* The first member of each kind of target. */
struct mlflow_target {
	const struct mlflow_target_ops *ops;
	const struct mlp_events *events; /* for notes and warnings; may be NULL */
	struct mlflow_counts counts;
};

/* Says what was left out. */
void mlflow_left_out(const struct mlflow_target *t, const char *fmt, ...) PRINTF(2, 3);
void mlflow_target_close(struct mlflow_target *t);
DEFINE_CLEANUP(struct mlflow_target *, mlflow_target_close);

/* The store of mlp.  dry: nothing is kept, only counted.  db and repo stay the caller's. */
struct mlflow_target *mlflow_target_store(struct db *db, const struct repo *repo, bool dry,
					 const struct mlp_events *events);

/* A live server: see live.h.  dry: nothing is sent that changes it. */
int mlflow_target_live(struct mlflow_target **out, const char *where, bool dry,
		       const struct mlp_events *events, struct mlp_error *err);

struct mlflow_db_options {
	const char *artifacts; /* their folder; NULL: "x-artifacts" beside "x.db" */
	bool dry;
	const struct mlp_events *events; /* may be NULL */
};
/* A new file mlflow.db that every MLflow from 3.0 opens; MLP_EEXIST when where is there. */
int mlflow_target_db(struct mlflow_target **out, const char *where,
		     const struct mlflow_db_options *options, struct mlp_error *err);

struct mlflow_copy {
	const struct strvec *experiments; /* names; empty or NULL: all */
	bool without_artifacts;
	const struct mlp_events *events; /* progress; may be NULL */
};
/* Walks the source into the target.  Registered models come along when all experiments do, or
 * when a version of theirs came from a run or logged model that did.  MLP_ENOTFOUND for an
 * experiment that the source does not have. */
int mlflow_copy(struct mlflow_source *from, struct mlflow_target *to,
		const struct mlflow_copy *options, struct mlp_error *err);

#endif
