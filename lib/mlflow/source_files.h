/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of source_files.c share. */
#ifndef MLFLOW_SOURCE_FILES_H
#define MLFLOW_SOURCE_FILES_H

#include "lib/mlflow/local.h"
#include "lib/util/strbuf.h"
#include "lib/yaml/read.h"

struct metric_file;

struct source_files {
	struct mlflow_source base;
	struct local_root root;
	struct local_root artifact_root; /* of --artifact-root; else fd is -1 */
	/* Folders below the root, the name last: "0", ".trash/12", "0/<run>". */
	struct strvec experiments, runs, models, registered;
	size_t next_experiment, next_run, next_model, next_registered;
	char *experiment; /* current folders, or NULL */
	char *run;
	struct metric_file *metrics; /* of the run */
	struct local_tree *artifacts; /* of the run or model given last */
};

/* files_read.c: all paths are below the root.  What is not there is empty. */

/* Appends the names of the folders in a folder, sorted, each behind dir. */
void files_folders(struct source_files *s, const char *dir, struct strvec *out);
/* dir/meta.yaml; NULL (said unless it is only not there) when it cannot be read. */
struct yaml *files_meta(struct source_files *s, const char *dir);
bool files_has_meta(struct source_files *s, const char *dir);
/* The files below dir/sub as pairs: path, content. */
void files_pairs(struct source_files *s, const char *dir, const char *sub, struct key_values *out);
struct local_tree *files_tree(struct source_files *s, const char *dir, const char *sub);
char *files_text(const struct yaml *meta, const char *key);
/* Milliseconds since 1970, 0 without. */
int64_t files_time(const struct yaml *meta, const char *key);

/* source_files.c: the artifacts of the run or model in dir are the ones to come. */
void files_find_artifacts(struct source_files *s, const char *dir, const char *uri,
			  bool *elsewhere);

/* source_files_metrics.c */
int files_points(struct mlflow_source *base, struct mlflow_points *out, struct mlp_error *err);
void files_close_metrics(struct source_files *s);
void files_model_metrics(struct source_files *s, const char *dir,
			 struct logged_model_metrics *out);

/* source_files_models.c */
int files_model(struct mlflow_source *base, struct mlflow_model *out, struct mlp_error *err);
int files_registered(struct mlflow_source *base, struct mlflow_registered *out,
		     struct mlp_error *err);

#endif
