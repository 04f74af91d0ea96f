/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/mlflow/entity.h"

#include <string.h>

void mlflow_experiment_release(struct mlflow_experiment *e)
{
	free(e->id);
	free(e->name);
	free(e->artifact_location);
	key_values_release(&e->tags);
	*e = (struct mlflow_experiment){ 0 };
}

void mlflow_run_release(struct mlflow_run *run)
{
	free(run->id);
	free(run->name);
	free(run->user);
	free(run->artifact_uri);
	key_values_release(&run->params);
	key_values_release(&run->tags);
	datasets_release(&run->inputs);
	model_uses_release(&run->model_inputs);
	model_uses_release(&run->model_outputs);
	*run = (struct mlflow_run){ 0 };
}

void mlflow_artifact_release(struct mlflow_artifact *a)
{
	free(a->path);
	*a = (struct mlflow_artifact){ 0 };
}

void mlflow_model_release(struct mlflow_model *m)
{
	free(m->id);
	free(m->name);
	free(m->artifact_location);
	free(m->source_run);
	free(m->model_type);
	free(m->status_message);
	key_values_release(&m->params);
	key_values_release(&m->tags);
	logged_model_metrics_release(&m->metrics);
	*m = (struct mlflow_model){ 0 };
}

void mlflow_version_release(struct mlflow_version *v)
{
	free(v->description);
	free(v->user);
	free(v->source);
	free(v->location);
	free(v->run);
	free(v->run_link);
	free(v->model);
	free(v->stage);
	free(v->status_message);
	key_values_release(&v->tags);
	*v = (struct mlflow_version){ 0 };
}

void mlflow_registered_release(struct mlflow_registered *m)
{
	free(m->name);
	free(m->description);
	key_values_release(&m->tags);
	for (size_t i = 0; i < m->versions.len; i++)
		mlflow_version_release(&m->versions.v[i]);
	vec_free(&m->versions);
	key_values_release(&m->aliases);
	*m = (struct mlflow_registered){ 0 };
}

bool mlflow_registered_of(const struct mlflow_registered *m, const struct strmap *ids)
{
	for (size_t i = 0; i < m->versions.len; i++) {
		const struct mlflow_version *v = &m->versions.v[i];

		if ((v->run && strmap_get(ids, v->run)) || (v->model && strmap_get(ids, v->model)))
			return true;
	}
	return false;
}

const char *mlflow_run_place(const struct mlflow_run *run)
{
	static const char served[] = "mlflow-artifacts:";
	const char *uri = run->artifact_uri;

	return uri && strncmp(uri, served, sizeof(served) - 1) != 0 ? uri : NULL;
}

const char *mlflow_version_status_name(enum mlflow_version_status status)
{
	static const char *const names[] = {
		[MLFLOW_VERSION_PENDING] = "PENDING_REGISTRATION",
		[MLFLOW_VERSION_FAILED] = "FAILED_REGISTRATION",
		[MLFLOW_VERSION_READY] = "READY",
	};

	return names[status];
}

enum mlflow_version_status mlflow_version_status_parse(const char *name)
{
	for (int s = MLFLOW_VERSION_PENDING; name && s < MLFLOW_VERSION_READY; s++)
		if (!strcmp(mlflow_version_status_name((enum mlflow_version_status)s), name))
			return (enum mlflow_version_status)s;
	return MLFLOW_VERSION_READY;
}
