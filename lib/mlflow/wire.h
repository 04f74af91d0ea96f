/* SPDX-License-Identifier: Apache-2.0 */
/* MLflow's entities as JSON of its protocol.  What a peer sends may be anything: members of
 * the wrong type count as absent. */
#ifndef MLFLOW_WIRE_H
#define MLFLOW_WIRE_H

#include "lib/json/read.h"
#include "lib/json/write.h"
#include "lib/mlflow/entity.h"

/* Each false when v lacks what names it; out is to be released either way. */
bool wire_read_experiment(const struct json *v, struct mlflow_experiment *out);
bool wire_read_run(const struct json *v, struct mlflow_run *out);
bool wire_read_model(const struct json *v, struct mlflow_model *out);
/* Without its versions. */
bool wire_read_registered(const struct json *v, struct mlflow_registered *out);
bool wire_read_version(const struct json *v, struct mlflow_version *out);
bool wire_read_point(const struct json *v, struct metric_point *out);

/* An integer, or the text of one. */
int64_t wire_integer(const struct json *v, int64_t def);

/* [{"key":..., "value":...}, ...] under name. */
void wire_put_pairs(struct json_writer *w, const char *name, const struct key_values *list);
/* The same and one more, which takes the place of another of that key. */
void wire_put_pairs_and(struct json_writer *w, const char *name, const struct key_values *list,
			const char *key, const char *value);
/* {"key":..., "value":..., "timestamp":..., "step":...}, and more to follow. */
void wire_put_point(struct json_writer *w, const char *key, const struct metric_point *p);
void wire_put_dataset(struct json_writer *w, const struct dataset *d);

#endif
