/* SPDX-License-Identifier: Apache-2.0 */
/* A new file mlflow.db as a target: logged models and the registry. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lib/mlflow/target_db.h"
#include "lib/registry/version.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

static struct db_target *target_of(struct mlflow_target *base)
{
	return (struct db_target *)base;
}

static int put_model(struct db_target *t, const struct mlflow_model *m, struct mlp_error *err)
{
	return db_exec(t->db, err,
		       "INSERT INTO logged_models(model_id, experiment_id, name, artifact_location,"
		       " creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage,"
		       " model_type, source_run_id, status_message)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		       "sissiiissss", m->id, t->experiment, m->name, t->files, m->created_ms,
		       m->updated_ms, (int64_t)m->status, m->deleted ? "deleted" : "active",
		       m->model_type, m->source_run, m->status_message);
}

/* Those of runs that were left out are, too. */
static int put_metric(struct db_target *t, const char *model, const struct logged_model_metric *m,
		      struct mlp_error *err)
{
	return db_exec(t->db, err,
		       "INSERT OR IGNORE INTO logged_model_metrics(model_id, metric_name,"
		       " metric_timestamp_ms, metric_step, metric_value, experiment_id, run_id,"
		       " dataset_uuid, dataset_name, dataset_digest)"
		       " SELECT ?1, ?2, ?3, ?4, ?5, ?6, run_uuid, (SELECT dataset_uuid FROM datasets"
		       " WHERE experiment_id = ?6 AND name = ?8 AND digest = ?9), ?8, ?9"
		       " FROM runs WHERE run_uuid = ?7",
		       "ssiidisss", model, m->key, m->point.time_ms, m->point.step,
		       isnan(m->point.value) ? NAN : target_db_value(m->point.value), t->experiment,
		       m->run, m->dataset, m->digest);
}

static int put_model_rows(struct db_target *t, const struct mlflow_model *m, struct mlp_error *err)
{
	int r = put_model(t, m, err);

	for (size_t i = 0; !r && i < m->params.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO logged_model_params(model_id, experiment_id,"
			    " param_key, param_value) VALUES(?1, ?2, ?3, ?4)",
			    "siss", m->id, t->experiment, m->params.v[i].key, m->params.v[i].value);
	for (size_t i = 0; !r && i < m->tags.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO logged_model_tags(model_id, experiment_id,"
			    " tag_key, tag_value) VALUES(?1, ?2, ?3, ?4)",
			    "siss", m->id, t->experiment, m->tags.v[i].key, m->tags.v[i].value);
	for (size_t i = 0; !r && i < m->metrics.len; i++)
		r = put_metric(t, m->id, &m->metrics.v[i], err);
	return r;
}

int target_db_model_begin(struct mlflow_target *base, const struct mlflow_model *m,
			  struct mlp_error *err)
{
	struct db_target *t = target_of(base);

	if (target_db_bad_id(t, "logged model", m->id))
		return 1;
	free(t->files);
	t->files = xasprintf("%s/%" PRId64 "/models/%s/artifacts", t->artifacts, t->experiment,
			     m->id);
	base->counts.models++;
	return t->db ? put_model_rows(t, m, err) : 0;
}

int target_db_model_end(struct mlflow_target *base, struct mlp_error *err)
{
	(void)base;
	(void)err;
	return 0;
}

/* --- The registry -------------------------------------------------------------- */

/* The place of files as it is here; NULL stays. */
static char *place_here(const struct db_target *t, const char *source)
{
	const char *path = source;

	if (!source || strncmp(source, "mlflow-artifacts:/", 18) != 0)
		return xstrdup_null(source);
	path += 18;
	path += strspn(path, "/");
	return path_is_safe(path) ? xasprintf("%s/%s", t->artifacts, path) : xstrdup(source);
}

/* Of a deleted one only the number is left, as MLflow keeps it. */
static int put_deleted(struct db_target *t, const char *name, const struct mlflow_version *v,
		       struct mlp_error *err)
{
	return db_exec(t->db, err,
		       "INSERT INTO model_versions(name, version, creation_time, last_updated_time,"
		       " user_id, current_stage, source, run_id, run_link, status)"
		       " VALUES(?1, ?2, ?3, ?4, '', '" MODEL_STAGE_DELETED "',"
		       " 'REDACTED-SOURCE-PATH', 'REDACTED-RUN-ID', 'REDACTED-RUN-LINK', 'READY')",
		       "siii", name, v->version, v->created_ms, v->updated_ms);
}

static int put_version(struct db_target *t, const char *name, const struct mlflow_version *v,
		       struct mlp_error *err)
{
	_cleanup_free_ char *source = place_here(t, v->source);
	_cleanup_free_ char *location = place_here(t, v->location);
	int r;

	if (!strcmp(v->stage, MODEL_STAGE_DELETED))
		return put_deleted(t, name, v, err);
	r = db_exec(t->db, err,
		    "INSERT INTO model_versions(name, version, creation_time, last_updated_time,"
		    " description, user_id, current_stage, source, run_id, status, status_message,"
		    " run_link, storage_location)"
		    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		    "siiisssssssss", name, v->version, v->created_ms, v->updated_ms,
		    v->description, v->user, v->stage, source, v->run,
		    mlflow_version_status_name(v->status), v->status_message, v->run_link, location);
	for (size_t i = 0; !r && i < v->tags.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO model_version_tags(key, value, name, version)"
			    " VALUES(?1, ?2, ?3, ?4)",
			    "sssi", v->tags.v[i].key, v->tags.v[i].value, name, v->version);
	return r;
}

static int put_registered(struct db_target *t, const struct mlflow_registered *m,
			  struct mlp_error *err)
{
	int r = db_exec(t->db, err,
			"INSERT INTO registered_models(name, creation_time, last_updated_time,"
			" description) VALUES(?1, ?2, ?3, ?4)",
			"siis", m->name, m->created_ms, m->updated_ms, m->description);

	for (size_t i = 0; !r && i < m->tags.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO registered_model_tags(key, value, name)"
			    " VALUES(?1, ?2, ?3)",
			    "sss", m->tags.v[i].key, m->tags.v[i].value, m->name);
	for (size_t i = 0; !r && i < m->versions.len; i++)
		r = put_version(t, m->name, &m->versions.v[i], err);
	for (size_t i = 0; !r && i < m->aliases.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO registered_model_aliases(alias, version, name)"
			    " VALUES(?1, CAST(?2 AS INTEGER), ?3)",
			    "sss", m->aliases.v[i].key, m->aliases.v[i].value, m->name);
	return r;
}

int target_db_registered(struct mlflow_target *base, const struct mlflow_registered *m,
			 struct mlp_error *err)
{
	struct db_target *t = target_of(base);

	base->counts.registered_models++;
	for (size_t i = 0; i < m->versions.len; i++)
		base->counts.versions += strcmp(m->versions.v[i].stage, MODEL_STAGE_DELETED) != 0;
	return t->db ? put_registered(t, m, err) : 0;
}
