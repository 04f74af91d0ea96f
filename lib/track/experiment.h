/* SPDX-License-Identifier: Apache-2.0 */
/* Experiments as MLflow knows them; run.h has the short way by name. */
#ifndef TRACK_EXPERIMENT_H
#define TRACK_EXPERIMENT_H

#include "lib/track/run.h"

enum { EXPERIMENT_TAG_MAX = 20000 };

struct experiment {
	int64_t id;
	char *name;
	char *artifact_location; /* or NULL: the default */
	int64_t created_ms, updated_ms;
	int64_t deleted_ms; /* 0: active */
};
#define EXPERIMENT_INIT { 0 }
void experiment_release(struct experiment *e);

/* The URI below which artifacts of an experiment with this location lie, when that is not
 * with us; else NULL. */
const char *experiment_artifact_root(const char *artifact_location);

/* MLP_EINVAL for a name that none may have. */
int experiment_name_check(const char *name, struct mlp_error *err);
/* MLP_EEXIST when the name is taken, also by a deleted one. */
int experiment_create(struct db *db, const char *name, const char *artifact_location, int64_t *id,
		      struct mlp_error *err);
int experiment_get(struct db *db, int64_t id, struct experiment *out, struct mlp_error *err);
int experiment_rename(struct db *db, int64_t id, const char *name, struct mlp_error *err);
/* To the trash with its active runs, and back with those that went with it. */
int experiment_trash(struct db *db, int64_t id, bool trash, struct mlp_error *err);
/* For ever, with all that is in it; MLP_EINVAL for the first one. */
int experiment_delete(struct db *db, int64_t id, struct mlp_error *err);
/* A run, with the models it made, to another experiment. */
int run_move(struct db *db, int64_t run, int64_t experiment, struct mlp_error *err);
int experiment_tag_set(struct db *db, int64_t id, const char *key, const char *value,
		       struct mlp_error *err);
int experiment_tag_unset(struct db *db, int64_t id, const char *key, struct mlp_error *err);
int experiment_tags_get(struct db *db, int64_t id, struct key_values *out, struct mlp_error *err);

#endif
