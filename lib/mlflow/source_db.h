/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of source_db.c share. */
#ifndef MLFLOW_SOURCE_DB_H
#define MLFLOW_SOURCE_DB_H

#include "lib/mlflow/local.h"
#include "lib/util/hashmap.h"

/* Texts of SQL, put together once: releases of MLflow differ in their columns. */
enum db_sql {
	SQL_EXPERIMENTS,
	SQL_EXPERIMENT_TAGS,
	SQL_RUNS,
	SQL_RUN,
	SQL_MODELS,
	SQL_MODEL,
	SQL_MODEL_METRICS,
	SQL_REGISTERED,
	SQL_REGISTERED_TAGS,
	SQL_VERSIONS,
	SQL_VERSION_TAGS,
	SQL_ALIASES,
	SQL_INPUTS,
	SQL_COUNT
};

struct source_db {
	struct mlflow_source base;
	struct db *db;
	char *sql[SQL_COUNT]; /* NULL: this database has no such thing */
	struct local_root root;
	struct strvec experiments, runs, models, registered; /* ids and names */
	size_t next_experiment, next_run, next_model, next_registered;
	bool registry_is_listed;
	char *experiment, *run; /* current */
	struct strmap series;	/* of the run: key -> struct metric_points */
	bool series_are_read;
	size_t next_series;
	struct local_tree *tree; /* of the run or model given last */
};

/* Reads which tables and columns there are; MLP_EINVAL when it is no database of MLflow's. */
int source_db_look(struct source_db *s, const char *path, struct mlp_error *err);

/* source_db_runs.c */
int source_db_list(struct source_db *s, const char *sql, const char *argument, struct strvec *out,
		   struct mlp_error *err);
/* Appends rows (key, value); NULL values are left out. */
int source_db_pairs(struct source_db *s, const char *sql, const char *argument,
		    struct key_values *out, struct mlp_error *err);
int source_db_run(struct mlflow_source *base, struct mlflow_run *out, struct mlp_error *err);
int source_db_points(struct mlflow_source *base, struct mlflow_points *out, struct mlp_error *err);
void source_db_clear_series(struct source_db *s);

/* source_db_models.c */
int source_db_model(struct mlflow_source *base, struct mlflow_model *out, struct mlp_error *err);
int source_db_registered(struct mlflow_source *base, struct mlflow_registered *out,
			 struct mlp_error *err);

#endif
