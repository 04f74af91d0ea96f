/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of registered models: numbers that are never given twice, each with the place
 * of its files, the run it came from, a stage and tags. */
#ifndef REGISTRY_VERSION_H
#define REGISTRY_VERSION_H

#include "lib/registry/model.h"

#define MODEL_STAGE_NONE "None"
#define MODEL_STAGE_ARCHIVED "Archived"
#define MODEL_STAGE_DELETED "Deleted_Internal" /* the row stays, so that its number does */

struct model_version {
	char *name;
	int64_t version;
	char *description, *user, *source, *location, *run, *run_link, *model; /* or NULL */
	char *stage;
	char *status_message; /* or NULL */
	int64_t created_ms, updated_ms;
};
#define MODEL_VERSION_INIT { 0 }
void model_version_release(struct model_version *v);

struct model_version_new {
	const char *name, *source;
	const char *location; /* of the files, where source only names another version; or NULL */
	const char *run;      /* uuid, or NULL */
	const char *run_link, *description, *user, *model; /* or NULL */
};
int model_version_create(struct db *db, const struct model_version_new *v, int64_t *version,
			 struct mlp_error *err);
int model_version_get(struct db *db, const char *name, int64_t version, struct model_version *out,
		      struct mlp_error *err);
/* MLP_ENOTFOUND when there is none. */
int model_version_check(struct db *db, const char *name, int64_t version, struct mlp_error *err);
int model_version_describe(struct db *db, const char *name, int64_t version,
			   const char *description, struct mlp_error *err);
/* Its aliases and where it came from are forgotten. */
int model_version_delete(struct db *db, const char *name, int64_t version, struct mlp_error *err);
/* The stage as it is spelt, or NULL; any case is taken. */
const char *model_stage_parse(const char *text);
/* archive: versions that are in that stage leave it for Archived. */
int model_version_move(struct db *db, const char *name, int64_t version, const char *stage,
		       bool archive, struct mlp_error *err);

struct model_versions {
	struct model_version *v;
	size_t len, cap;
};
void model_versions_release(struct model_versions *list);
/* Of each of the stages (all without any) the greatest version. */
int model_versions_latest(struct db *db, const char *name, const struct strvec *stages,
			  struct model_versions *out, struct mlp_error *err);
/* One more than the limit where there are as many. */
int model_version_search(struct db *db, const struct listing *listing, struct model_versions *out,
			 struct mlp_error *err);

int model_version_tag_set(struct db *db, const char *name, int64_t version,
			  const struct key_value *tag, struct mlp_error *err);
/* An absent tag is fine. */
int model_version_tag_unset(struct db *db, const char *name, int64_t version, const char *key,
			    struct mlp_error *err);
int model_version_tags_get(struct db *db, const char *name, int64_t version,
			   struct key_values *out, struct mlp_error *err);

#endif
