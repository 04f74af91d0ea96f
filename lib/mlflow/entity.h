/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MLflow's world as it goes from one store to another.  Texts are as their store has them:
 * UTF-8 or not, of any length; who takes them in looks.  All of it is owned by the struct.
 */
#ifndef MLFLOW_ENTITY_H
#define MLFLOW_ENTITY_H

#include <stdbool.h>

#include "lib/track/dataset.h"
#include "lib/track/logged_model.h"
#include "lib/track/logged_model_metric.h"
#include "lib/track/metric.h"
#include "lib/util/hashmap.h"

struct mlflow_experiment {
	char *id, *name;
	char *artifact_location; /* or NULL */
	bool deleted;
	int64_t created_ms, updated_ms; /* 0: not known */
	struct key_values tags;
};

struct mlflow_run {
	char *id;
	char *name, *user; /* or NULL */
	enum run_status status;
	int64_t started_ms, ended_ms; /* 0: not known, not ended */
	bool deleted;
	int64_t deleted_ms;  /* 0: not known */
	char *artifact_uri;  /* or NULL */
	bool elsewhere;	     /* the source cannot read what artifact_uri names: it is all there is */
	struct key_values params, tags;
	struct datasets inputs;
	struct model_uses model_inputs, model_outputs;
};

/* Some points of one series of a run; borrowed until the source is asked again. */
struct mlflow_points {
	const char *key;
	const struct metric_point *v;
	size_t n;
};

/* A file of a run or of a logged model. */
struct mlflow_artifact {
	char *path;   /* below the root: a safe relative path, see path_is_safe() */
	int64_t size; /* -1: not known */
};

struct mlflow_model {
	char *id, *name;
	char *artifact_location, *source_run, *model_type, *status_message; /* or NULL */
	enum logged_model_status status;
	bool deleted;
	bool elsewhere; /* as of a run */
	int64_t created_ms, updated_ms;
	struct key_values params, tags;
	struct logged_model_metrics metrics;
};

/* The artifact URI of a run, borrowed, when it is no place of a server's own; else NULL. */
const char *mlflow_run_place(const struct mlflow_run *run);

enum mlflow_version_status { /* MLflow's numbers */
	MLFLOW_VERSION_PENDING = 1,
	MLFLOW_VERSION_FAILED = 2,
	MLFLOW_VERSION_READY = 3,
};
/* As its stores write it; READY for anything else, NULL too. */
const char *mlflow_version_status_name(enum mlflow_version_status status);
enum mlflow_version_status mlflow_version_status_parse(const char *name);

struct mlflow_version {
	int64_t version;
	char *description, *user, *source, *location, *run, *run_link, *model; /* or NULL */
	char *stage; /* "None", ..., MODEL_STAGE_DELETED */
	enum mlflow_version_status status;
	char *status_message; /* or NULL */
	int64_t created_ms, updated_ms;
	struct key_values tags;
};
struct mlflow_versions {
	struct mlflow_version *v;
	size_t len, cap;
};

struct mlflow_registered {
	char *name;
	char *description; /* or NULL */
	int64_t created_ms, updated_ms;
	struct key_values tags;
	struct mlflow_versions versions; /* by number */
	struct key_values aliases;	 /* alias -> version */
};

/* Each leaves its struct empty and usable again. */
void mlflow_experiment_release(struct mlflow_experiment *e);
void mlflow_run_release(struct mlflow_run *run);
void mlflow_artifact_release(struct mlflow_artifact *a);
void mlflow_model_release(struct mlflow_model *m);
void mlflow_version_release(struct mlflow_version *v);
void mlflow_registered_release(struct mlflow_registered *m);
/* Has it a version of one of these runs or logged models (by their ids)? */
bool mlflow_registered_of(const struct mlflow_registered *m, const struct strmap *ids);

#endif
