/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registered models: names that people give to what runs made, with numbered versions
 * (version.h), tags, and aliases that point at a version.  Messages are those that
 * MLflow's clients know.
 */
#ifndef REGISTRY_MODEL_H
#define REGISTRY_MODEL_H

#include "lib/track/listing.h"
#include "lib/track/run.h"

/* Limits in bytes. */
enum {
	REGISTRY_NAME_MAX = 256,
	REGISTRY_VALUE_MAX = 100000,
	REGISTRY_ALIAS_MAX = 255,
};

struct registered_model {
	char *name;
	char *description; /* or NULL */
	int64_t created_ms, updated_ms;
};
#define REGISTERED_MODEL_INIT { 0 }
void registered_model_release(struct registered_model *m);

/* MLP_EEXIST when the name is taken. */
int registered_model_create(struct db *db, const char *name, const char *description,
			    struct mlp_error *err);
/* MLP_ENOTFOUND without one. */
int registered_model_get(struct db *db, const char *name, struct registered_model *out,
			 struct mlp_error *err);
/* Its versions, tags and aliases go with it. */
int registered_model_rename(struct db *db, const char *name, const char *new_name,
			    struct mlp_error *err);
int registered_model_describe(struct db *db, const char *name, const char *description,
			      struct mlp_error *err);
int registered_model_delete(struct db *db, const char *name, struct mlp_error *err);
/* Notes that something below it changed. */
int registered_model_touch(struct db *db, const char *name, struct mlp_error *err);
/* The names that pass, one more than the limit where there are as many; prompts (models with
 * the tag mlflow.prompt.is_prompt) only where the filter speaks of them. */
int registered_model_search(struct db *db, const struct listing *listing, struct strvec *names,
			    struct mlp_error *err);

int registered_model_tag_set(struct db *db, const char *name, const char *key, const char *value,
			     struct mlp_error *err);
/* An absent tag is fine. */
int registered_model_tag_unset(struct db *db, const char *name, const char *key,
			       struct mlp_error *err);
int registered_model_tags_get(struct db *db, const char *name, struct key_values *out,
			      struct mlp_error *err);
/* What tags may be in the registry, of models and of versions. */
int registry_check_tag(const char *key, const char *value, struct mlp_error *err);

int model_alias_set(struct db *db, const char *name, const char *alias, int64_t version,
		    struct mlp_error *err);
/* An absent alias is fine. */
int model_alias_unset(struct db *db, const char *name, const char *alias, struct mlp_error *err);
/* "latest" is the greatest version of all. */
int model_alias_resolve(struct db *db, const char *name, const char *alias, int64_t *version,
			struct mlp_error *err);
/* Alias and version as text, sorted; of one version, or of all (0). */
int model_aliases_get(struct db *db, const char *name, int64_t version, struct key_values *out,
		      struct mlp_error *err);

#endif
