/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where MLflow's world is read from: a folder mlruns/, a file mlflow.db, a live server, or a
 * store of mlp.  A source is a cursor.  It gives the experiments one after the other, of the
 * current experiment the runs and after them the logged models, of the current run its points,
 * of the current run or model (whichever came last) its artifacts; then the registry:
 *
 *	while (experiment_next)
 *		while (run_next)
 *			while (points_next)
 *			while (artifact_next)
 *		while (model_next)
 *			while (artifact_next)
 *	while (registered_next)
 *
 * What the caller does not ask for is passed over.  What a source finds damaged it says in a
 * warning and leaves out; an error ends the walk.  Between two calls a source holds no lock of
 * what it reads.
 */
#ifndef MLFLOW_SOURCE_H
#define MLFLOW_SOURCE_H

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/mlflow/entity.h"

struct mlflow_source;

/* The _next functions return 1, 0 at the end, or negative; what they give is the caller's to
 * release, and out is empty before. */
struct mlflow_source_ops {
	int (*experiment_next)(struct mlflow_source *s, struct mlflow_experiment *out,
			       struct mlp_error *err);
	int (*run_next)(struct mlflow_source *s, struct mlflow_run *out, struct mlp_error *err);
	/* All batches of a key come one after the other; the order of points is any. */
	int (*points_next)(struct mlflow_source *s, struct mlflow_points *out,
			   struct mlp_error *err);
	int (*model_next)(struct mlflow_source *s, struct mlflow_model *out,
			  struct mlp_error *err);
	int (*artifact_next)(struct mlflow_source *s, struct mlflow_artifact *out,
			     struct mlp_error *err);
	/* The artifact given last: an open file, the caller's, that holds its bytes and nothing
	 * else; or negative. */
	int (*artifact_open)(struct mlflow_source *s, const struct mlflow_artifact *a,
			     struct mlp_error *err);
	int (*registered_next)(struct mlflow_source *s, struct mlflow_registered *out,
			       struct mlp_error *err);
	void (*close)(struct mlflow_source *s); /* frees s */
};

/* The first member of each kind of source. */
struct mlflow_source {
	const struct mlflow_source_ops *ops;
	const struct mlp_events *events; /* for warnings; may be NULL */
};

void mlflow_source_close(struct mlflow_source *s);
DEFINE_CLEANUP(struct mlflow_source *, mlflow_source_close);

struct mlflow_source_options {
	/* The folder below which artifacts may be read; NULL: the source's own, or the one it
	 * lies in.  What a source names outside of it stays elsewhere. */
	const char *artifacts;
	const struct mlp_events *events; /* may be NULL */
};

/* where: http://..., https://..., a folder, or a database file (also as sqlite:///path, as
 * MLflow writes it).  MLP_EMISSING when nothing is there, MLP_EINVAL when it is none of
 * MLflow's. */
int mlflow_source_open(struct mlflow_source **out, const char *where,
		       const struct mlflow_source_options *options, struct mlp_error *err);
int mlflow_source_files(struct mlflow_source **out, const char *dir,
			const struct mlflow_source_options *options, struct mlp_error *err);
int mlflow_source_db(struct mlflow_source **out, const char *path,
		     const struct mlflow_source_options *options, struct mlp_error *err);
int mlflow_source_live(struct mlflow_source **out, const char *where,
		       const struct mlflow_source_options *options, struct mlp_error *err);

/* The store of mlp, but what is in the trash; with runs (row ids) only these, their logged
 * models, and the registered models that have a version of theirs.  db and repo stay the
 * caller's. */
struct mlflow_store_part {
	const int64_t *runs;
	size_t n; /* 0: all */
};
struct mlflow_source *mlflow_source_store(struct db *db, const struct repo *repo,
					  const struct mlflow_store_part *part,
					  const struct mlp_events *events);

#endif
