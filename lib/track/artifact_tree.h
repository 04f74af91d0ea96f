/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Artifacts by the paths that MLflow's clients use below "mlflow-artifacts:/":
 *	<experiment>/<run uuid>/artifacts/<path>		a run's artifacts and outputs
 *	<experiment>/models/<model id>/artifacts/<path>		a logged model's files
 */
#ifndef TRACK_ARTIFACT_TREE_H
#define TRACK_ARTIFACT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"
#include "lib/util/vec.h"

struct artifact_place {
	int64_t run;  /* 0: of a model */
	char *model;  /* NULL: of a run */
	char *path;   /* "" for the root; else a safe relative path */
};
void artifact_place_release(struct artifact_place *place);
/* The URIs of these places, those of their roots; the caller frees them. */
char *artifact_run_uri(int64_t experiment, const char *uuid);
char *artifact_model_uri(int64_t experiment, const char *model);
/* MLP_ENOTFOUND when there is no such run or model, MLP_EINVAL when the path is not safe. */
int artifact_tree_locate(struct db *db, const char *path, struct artifact_place *out,
		    struct mlp_error *err);

struct artifact {
	char *path; /* below the root */
	bool is_folder;
	int64_t size;
	char *sha256; /* NULL for a folder */
};
struct artifacts {
	struct artifact *v;
	size_t len, cap;
};
void artifacts_release(struct artifacts *list);
/* The files and folders right below place, sorted; none for a file or what is not there. */
int artifact_tree_list(struct db *db, const struct artifact_place *place, struct artifacts *out,
		  struct mlp_error *err);
/* All files at and below place, sorted. */
int artifact_tree_files(struct db *db, const struct artifact_place *place, struct artifacts *out,
			struct mlp_error *err);
/* The file itself: MLP_ENOTFOUND for a folder and what is not there; list gets one. */
int artifact_tree_find(struct db *db, const struct artifact_place *place, struct artifacts *out,
		  struct mlp_error *err);
/* MLP_EINVAL where a file at place would stand in the place of a folder, or below a file. */
int artifact_tree_check(struct db *db, const struct artifact_place *place, struct mlp_error *err);
int artifact_tree_put(struct db *db, const struct artifact_place *place, const char *sha256,
		 int64_t size, struct mlp_error *err);
/* Forgets a file, or a folder with all below; MLP_ENOTFOUND when nothing is there. */
int artifact_tree_remove(struct db *db, const struct artifact_place *place, struct mlp_error *err);

#endif
