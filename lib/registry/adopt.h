/* SPDX-License-Identifier: Apache-2.0 */
/* Registered models and versions that another store made, with their numbers and times.
 * What is here already stays as it is. */
#ifndef REGISTRY_ADOPT_H
#define REGISTRY_ADOPT_H

#include "lib/registry/version.h"

/* MLP_EINVAL for a name that cannot be one here.  *made: it is new. */
int registered_model_adopt(struct db *db, const struct registered_model *m, bool *made,
			   struct mlp_error *err);
/* status: MLflow's number. */
int model_version_adopt(struct db *db, const struct model_version *v, int status, bool *made,
			struct mlp_error *err);
/* Each sets what is not there yet. */
int registered_model_tag_adopt(struct db *db, const char *name, const struct key_value *tag,
			       struct mlp_error *err);
int model_version_tag_adopt(struct db *db, const char *name, int64_t version,
			    const struct key_value *tag, struct mlp_error *err);
int model_alias_adopt(struct db *db, const char *name, const char *alias, int64_t version,
		      struct mlp_error *err);

#endif
