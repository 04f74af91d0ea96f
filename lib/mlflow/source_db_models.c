/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow.db as a source: logged models and the registry. */
#include "config.h"

#include <string.h>

#include "lib/mlflow/source_db.h"

static int read_model(struct source_db *s, const char *id, struct mlflow_model *out,
		      struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(s->db, err, s->sql[SQL_MODEL], "s", id);
	int r = st ? db_step(st, err) : MLP_EFAIL;
	const char *stage;

	if (r <= 0)
		return r;
	stage = db_text(st, 3);
	*out = (struct mlflow_model){
		.id = xstrdup(id),
		.name = xstrdup_null(db_text(st, 0)),
		.artifact_location = xstrdup_null(db_text(st, 1)),
		.status = (enum logged_model_status)db_int(st, 2),
		.deleted = stage && !strcmp(stage, "deleted"),
		.model_type = xstrdup_null(db_text(st, 4)),
		.source_run = xstrdup_null(db_text(st, 5)),
		.status_message = xstrdup_null(db_text(st, 6)),
		.created_ms = db_int(st, 7),
		.updated_ms = db_int(st, 8),
	};
	return 1;
}

static int read_metrics(struct source_db *s, struct mlflow_model *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r;

	if (!s->sql[SQL_MODEL_METRICS])
		return 0;
	st = db_query(s->db, err, s->sql[SQL_MODEL_METRICS], "s", out->id);
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		if (db_is_null(st, 0))
			continue;
		vec_push(&out->metrics, ((struct logged_model_metric){
						.key = xstrdup(db_text(st, 0)),
						.run = xstrdup_null(db_text(st, 1)),
						.dataset = xstrdup_null(db_text(st, 2)),
						.digest = xstrdup_null(db_text(st, 3)),
						.point = { .time_ms = db_int(st, 4),
							   .step = db_int(st, 5),
							   .value = db_double(st, 6) } }));
	}
	return r;
}

int source_db_model(struct mlflow_source *base, struct mlflow_model *out, struct mlp_error *err)
{
	struct source_db *s = (struct source_db *)base;
	int r = 0;

	while (!r && s->next_model < s->models.len)
		r = read_model(s, s->models.v[s->next_model++], out, err);
	if (r <= 0)
		return r;
	r = source_db_pairs(s,
			    "SELECT param_key, param_value FROM logged_model_params"
			    " WHERE model_id = ?1",
			    out->id, &out->params, err);
	if (!r)
		r = source_db_pairs(s,
				    "SELECT tag_key, tag_value FROM logged_model_tags"
				    " WHERE model_id = ?1",
				    out->id, &out->tags, err);
	if (!r)
		r = read_metrics(s, out, err);
	local_tree_free(s->tree);
	s->tree = local_tree_new(local_find(&s->root, out->artifact_location, NULL, out->id,
					    &out->elsewhere),
				 base->events);
	return r ? r : 1;
}

static int read_registered(struct source_db *s, const char *name, struct mlflow_registered *out,
			   struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(s->db, err, s->sql[SQL_REGISTERED], "s", name);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r > 0)
		*out = (struct mlflow_registered){
			.name = xstrdup(name),
			.description = xstrdup_null(db_text(st, 0)),
			.created_ms = db_int(st, 1),
			.updated_ms = db_int(st, 2),
		};
	return r;
}

/* The id of the logged model a version was made from stands in its source: "models:/m-..." */
static char *model_of(const char *source)
{
	return source && !strncmp(source, "models:/m-", 10) ? xstrdup(source + 8) : NULL;
}

static int read_version_tags(struct source_db *s, const char *name, struct mlflow_version *v,
			     struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;

	if (!s->sql[SQL_VERSION_TAGS])
		return 0;
	st = db_query(s->db, err, s->sql[SQL_VERSION_TAGS], "si", name, v->version);
	return key_values_read(st, &v->tags, err);
}

static int read_versions(struct source_db *s, struct mlflow_registered *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(s->db, err, s->sql[SQL_VERSIONS], "s", out->name);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		vec_push(&out->versions, ((struct mlflow_version){
						 .version = db_int(st, 0),
						 .description = xstrdup_null(db_text(st, 1)),
						 .user = xstrdup_null(db_text(st, 2)),
						 .source = xstrdup_null(db_text(st, 3)),
						 .location = xstrdup_null(db_text(st, 4)),
						 .run = xstrdup_null(db_text(st, 5)),
						 .run_link = xstrdup_null(db_text(st, 6)),
						 .model = model_of(db_text(st, 3)),
						 .stage = xstrdup_null(db_text(st, 7)),
						 .status = mlflow_version_status_parse(db_text(st, 8)),
						 .status_message = xstrdup_null(db_text(st, 9)),
						 .created_ms = db_int(st, 10),
						 .updated_ms = db_int(st, 11) }));
		r = read_version_tags(s, out->name, &out->versions.v[out->versions.len - 1], err);
		if (r)
			return r;
	}
	return r;
}

int source_db_registered(struct mlflow_source *base, struct mlflow_registered *out,
			 struct mlp_error *err)
{
	struct source_db *s = (struct source_db *)base;
	int r = 0;

	if (!s->registry_is_listed && s->sql[SQL_REGISTERED])
		r = source_db_list(s, "SELECT DISTINCT name FROM registered_models ORDER BY name",
				   NULL, &s->registered, err);
	s->registry_is_listed = true;
	while (!r && s->next_registered < s->registered.len)
		r = read_registered(s, s->registered.v[s->next_registered++], out, err);
	if (r <= 0)
		return r;
	r = read_versions(s, out, err);
	if (!r)
		r = source_db_pairs(s, s->sql[SQL_REGISTERED_TAGS], out->name, &out->tags, err);
	if (!r)
		r = source_db_pairs(s, s->sql[SQL_ALIASES], out->name, &out->aliases, err);
	return r ? r : 1;
}
