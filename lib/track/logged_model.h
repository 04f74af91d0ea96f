/* SPDX-License-Identifier: Apache-2.0 */
/* MLflow 3's logged models: files with parameters and tags, made by a run. */
#ifndef TRACK_LOGGED_MODEL_H
#define TRACK_LOGGED_MODEL_H

#include "lib/track/run.h"

enum { LOGGED_MODEL_ID_LEN = 34 }; /* "m-" and 32 hex digits */

enum logged_model_status {
	LOGGED_MODEL_PENDING = 1,
	LOGGED_MODEL_READY = 2,
	LOGGED_MODEL_FAILED = 3,
};

/* MLflow's word, "UNSPECIFIED" for another number, and back: 0 for another word. */
const char *logged_model_status_name(enum logged_model_status status);
enum logged_model_status logged_model_status_parse(const char *name);

struct logged_model {
	char *id, *name;
	int64_t experiment_id;
	char *artifact_location; /* mlflow-artifacts:/... */
	enum logged_model_status status;
	char *status_message, *model_type; /* or NULL */
	char *source_run;		   /* uuid, or NULL */
	int64_t created_ms, updated_ms;
};
#define LOGGED_MODEL_INIT { 0 }
void logged_model_release(struct logged_model *m);

struct logged_model_new {
	int64_t experiment_id;
	const char *name;	/* NULL: a generated one */
	const char *model_type; /* or NULL */
	const char *source_run; /* uuid, or NULL */
};
int logged_model_create(struct db *db, const struct logged_model_new *m,
			char id[LOGGED_MODEL_ID_LEN + 1], struct mlp_error *err);
/* Deleted ones are not found. */
int logged_model_get(struct db *db, const char *id, struct logged_model *out,
		     struct mlp_error *err);
int logged_model_set_status(struct db *db, const char *id, enum logged_model_status status,
			    struct mlp_error *err);
int logged_model_trash(struct db *db, const char *id, struct mlp_error *err);
int logged_model_tag_set(struct db *db, const char *id, const char *key, const char *value,
			 struct mlp_error *err);
int logged_model_tag_unset(struct db *db, const char *id, const char *key, struct mlp_error *err);
int logged_model_param_set(struct db *db, const char *id, const char *key, const char *value,
			   struct mlp_error *err);
int logged_model_tags_get(struct db *db, const char *id, struct key_values *out,
			  struct mlp_error *err);
int logged_model_params_get(struct db *db, const char *id, struct key_values *out,
			    struct mlp_error *err);

#endif
