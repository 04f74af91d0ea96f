/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the target that is a file mlflow.db. */
#ifndef MLFLOW_TARGET_DB_H
#define MLFLOW_TARGET_DB_H

#include "lib/db/db.h"
#include "lib/mlflow/target.h"
#include "lib/util/strbuf.h"

/* Statements, each ended by ';'. */
extern const char target_db_schema[];

struct db_target {
	struct mlflow_target base;
	struct db *db; /* the file being written; NULL: dry */
	struct db *txn;
	int lock;	 /* on that file */
	char *path;	 /* as it is to be */
	char *part;	 /* as it is written, or NULL */
	char *artifacts; /* folder, absolute */
	int64_t experiment;
	/* The run or model that is open. */
	char *run, *files; /* id; folder of its artifacts */
	struct strbuf key; /* of the series being written */
	struct metric_point last;
	bool has_last;
};

int target_db_model_begin(struct mlflow_target *base, const struct mlflow_model *m,
			  struct mlp_error *err);
int target_db_model_end(struct mlflow_target *base, struct mlp_error *err);
int target_db_registered(struct mlflow_target *base, const struct mlflow_registered *m,
			 struct mlp_error *err);

/* As MLflow stores them: NaN apart, the greatest number for infinity. */
double target_db_value(double v);
/* Said in a warning and counted: what cannot be a folder's name. */
bool target_db_bad_id(struct db_target *t, const char *what, const char *id);

#endif
