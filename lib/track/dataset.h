/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets a run read, and models it read or made, as MLflow's inputs and outputs. */
#ifndef TRACK_DATASET_H
#define TRACK_DATASET_H

#include "lib/json/write.h"
#include "lib/track/run.h"

struct dataset {
	char *name, *digest, *source_type, *source;
	char *schema, *profile; /* or NULL */
	struct key_values tags; /* of this use of it */
};
struct datasets {
	struct dataset *v;
	size_t len, cap;
};
void datasets_release(struct datasets *list);
void dataset_release(struct dataset *d);

/* The member "dataset" of MLflow's protocol: all of it but the tags. */
void dataset_put_json(struct json_writer *w, const struct dataset *d);

/* Links a dataset (by experiment, name and digest; made when new) to a run, with its tags. */
int dataset_use(struct db *db, int64_t run, const struct dataset *d, struct mlp_error *err);
int datasets_get(struct db *db, int64_t run, struct datasets *out, struct mlp_error *err);

struct model_use {
	char *model;
	int64_t step; /* of outputs */
};
struct model_uses {
	struct model_use *v;
	size_t len, cap;
};
void model_uses_release(struct model_uses *list);
int model_input(struct db *db, int64_t run, const char *model, struct mlp_error *err);
int model_output(struct db *db, int64_t run, const char *model, int64_t step,
		 struct mlp_error *err);
int model_inputs_get(struct db *db, int64_t run, struct model_uses *out, struct mlp_error *err);
int model_outputs_get(struct db *db, int64_t run, struct model_uses *out, struct mlp_error *err);

#endif
