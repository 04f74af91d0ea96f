/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlflow.db, what MLflow keeps with SQLite, as its releases since 1.0 wrote it.  It may be in
 * use: ids are listed first, and then each entity is read by itself, so that no lock is held
 * while the caller works.
 */
#include "config.h"

#include "lib/mlflow/source_db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/path.h"

static bool has_column(struct source_db *s, const char *table, const char *column)
{
	int64_t one;

	return !db_get_int(s->db, &one, NULL,
			   "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2", "ss", table,
			   column);
}

static bool has_table(struct source_db *s, const char *table)
{
	int64_t one;

	return !db_get_int(s->db, &one, NULL,
			   "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", "s",
			   table);
}

/* The column, or NULL where releases did not have it yet. */
static const char *or_null(struct source_db *s, const char *table, const char *column)
{
	return has_column(s, table, column) ? column : "NULL";
}

static void build_tracking(struct source_db *s)
{
	s->sql[SQL_EXPERIMENTS] = xasprintf(
		"SELECT experiment_id, name, artifact_location, lifecycle_stage, %s, %s"
		" FROM experiments WHERE experiment_id = ?1",
		or_null(s, "experiments", "creation_time"),
		or_null(s, "experiments", "last_update_time"));
	if (has_table(s, "experiment_tags"))
		s->sql[SQL_EXPERIMENT_TAGS] =
			xstrdup("SELECT key, value FROM experiment_tags WHERE experiment_id = ?1");
	s->sql[SQL_RUNS] = xstrdup("SELECT run_uuid FROM runs WHERE experiment_id = ?1"
				   " ORDER BY start_time, run_uuid");
	s->sql[SQL_RUN] = xasprintf(
		"SELECT name, user_id, status, start_time, end_time, lifecycle_stage, %s,"
		" artifact_uri FROM runs WHERE run_uuid = ?1",
		or_null(s, "runs", "deleted_time"));
	if (has_table(s, "inputs") && has_table(s, "datasets"))
		s->sql[SQL_INPUTS] = xasprintf(
			"SELECT i.input_uuid, i.source_type, i.destination_id, %s, d.name, d.digest,"
			" d.dataset_source_type, d.dataset_source, d.dataset_schema,"
			" d.dataset_profile FROM inputs i"
			" LEFT JOIN datasets d ON i.source_type = 'DATASET'"
			" AND d.dataset_uuid = i.source_id"
			" WHERE (i.destination_type = 'RUN' AND i.destination_id = ?1)"
			" OR (i.source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND i.source_id = ?1)",
			has_column(s, "inputs", "step") ? "i.step" : "0");
}

static void build_models(struct source_db *s)
{
	if (!has_table(s, "logged_models"))
		return;
	s->sql[SQL_MODELS] = xstrdup("SELECT model_id FROM logged_models WHERE experiment_id = ?1"
				     " ORDER BY creation_timestamp_ms, model_id");
	s->sql[SQL_MODEL] = xasprintf("SELECT name, artifact_location, status, lifecycle_stage,"
				      " model_type, source_run_id, %s, creation_timestamp_ms,"
				      " last_updated_timestamp_ms FROM logged_models"
				      " WHERE model_id = ?1",
				      or_null(s, "logged_models", "status_message"));
	if (has_table(s, "logged_model_metrics"))
		s->sql[SQL_MODEL_METRICS] =
			xstrdup("SELECT metric_name, run_id, dataset_name, dataset_digest,"
				" metric_timestamp_ms, metric_step, metric_value"
				" FROM logged_model_metrics WHERE model_id = ?1");
}

static void build_registry(struct source_db *s)
{
	if (!has_table(s, "registered_models") || !has_table(s, "model_versions"))
		return;
	s->sql[SQL_REGISTERED] =
		xstrdup("SELECT description, creation_time, last_updated_time"
			" FROM registered_models WHERE name = ?1 ORDER BY rowid LIMIT 1");
	s->sql[SQL_VERSIONS] =
		xasprintf("SELECT version, description, user_id, source, %s, run_id, %s,"
			  " current_stage, status, status_message, creation_time,"
			  " last_updated_time FROM model_versions WHERE name = ?1 ORDER BY version",
			  or_null(s, "model_versions", "storage_location"),
			  or_null(s, "model_versions", "run_link"));
	if (has_table(s, "registered_model_tags"))
		s->sql[SQL_REGISTERED_TAGS] =
			xstrdup("SELECT key, value FROM registered_model_tags WHERE name = ?1");
	if (has_table(s, "model_version_tags"))
		s->sql[SQL_VERSION_TAGS] = xstrdup("SELECT key, value FROM model_version_tags"
						   " WHERE name = ?1 AND version = ?2");
	if (has_table(s, "registered_model_aliases"))
		s->sql[SQL_ALIASES] =
			xstrdup("SELECT alias, version FROM registered_model_aliases WHERE name = ?1");
}

int source_db_look(struct source_db *s, const char *path, struct mlp_error *err)
{
	static const char *const tables[] = { "alembic_version", "experiments", "runs", "metrics",
					      "params", "tags" };
	int64_t one;
	int r = db_get_int(s->db, &one, err, "SELECT count(*) FROM sqlite_schema", "");

	if (r)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (!has_table(s, tables[i]))
			return mlp_error_set(err, MLP_EINVAL,
					     "'%s' is not a database of MLflow: it has no table '%s'",
					     path, tables[i]);
	if (!has_column(s, "metrics", "is_nan") || !has_column(s, "metrics", "step"))
		return mlp_error_set(err, MLP_EINVAL,
				     "'%s' is of a release of MLflow before 1.0: upgrade it with"
				     " 'mlflow db upgrade' first", path);
	build_tracking(s);
	build_models(s);
	build_registry(s);
	return 0;
}

static int next_experiment(struct mlflow_source *base, struct mlflow_experiment *out,
			   struct mlp_error *err)
{
	struct source_db *s = (struct source_db *)base;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	const char *id, *stage;
	int r;

	if (s->next_experiment == s->experiments.len)
		return 0;
	id = s->experiments.v[s->next_experiment++];
	free(s->experiment);
	s->experiment = xstrdup(id);
	st = db_query(s->db, err, s->sql[SQL_EXPERIMENTS], "s", id);
	r = st ? db_step(st, err) : MLP_EFAIL;
	if (r <= 0)
		return r;
	stage = db_text(st, 3);
	*out = (struct mlflow_experiment){
		.id = xstrdup(id),
		.name = xstrdup_null(db_text(st, 1)),
		.artifact_location = xstrdup_null(db_text(st, 2)),
		.deleted = stage && !strcmp(stage, "deleted"),
		.created_ms = db_int(st, 4),
		.updated_ms = db_int(st, 5),
	};
	strvec_release(&s->runs);
	strvec_release(&s->models);
	s->next_run = s->next_model = 0;
	r = source_db_pairs(s, s->sql[SQL_EXPERIMENT_TAGS], id, &out->tags, err);
	if (!r)
		r = source_db_list(s, s->sql[SQL_RUNS], id, &s->runs, err);
	if (!r)
		r = source_db_list(s, s->sql[SQL_MODELS], id, &s->models, err);
	return r ? r : 1;
}

static int next_artifact(struct mlflow_source *base, struct mlflow_artifact *out,
			 struct mlp_error *err)
{
	struct source_db *s = (struct source_db *)base;

	return s->tree ? local_tree_next(s->tree, out, err) : 0;
}

static int open_artifact(struct mlflow_source *base, const struct mlflow_artifact *a,
			 struct mlp_error *err)
{
	struct source_db *s = (struct source_db *)base;

	return local_tree_open(s->tree, a, err);
}

static void close_source(struct mlflow_source *base)
{
	struct source_db *s = (struct source_db *)base;

	source_db_clear_series(s);
	local_tree_free(s->tree);
	local_root_release(&s->root);
	strvec_release(&s->experiments);
	strvec_release(&s->runs);
	strvec_release(&s->models);
	strvec_release(&s->registered);
	free(s->experiment);
	free(s->run);
	db_close(s->db);
	for (size_t i = 0; i < SQL_COUNT; i++)
		free(s->sql[i]);
	free(s);
}

static const struct mlflow_source_ops ops = {
	.experiment_next = next_experiment,
	.run_next = source_db_run,
	.points_next = source_db_points,
	.model_next = source_db_model,
	.artifact_next = next_artifact,
	.artifact_open = open_artifact,
	.registered_next = source_db_registered,
	.close = close_source,
};

static int check_is_sqlite(const char *path, struct mlp_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	static const char magic[16] = "SQLite format 3";
	char start[sizeof(magic)];

	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot open '%s'", path);
	if (read(fd, start, sizeof(start)) == sizeof(start) && !memcmp(start, magic, sizeof(magic)))
		return 0;
	return mlp_error_set(err, MLP_EINVAL, "'%s' is not a database of SQLite", path);
}

int mlflow_source_db(struct mlflow_source **out, const char *path,
		     const struct mlflow_source_options *options, struct mlp_error *err)
{
	_cleanup_(mlflow_source_close) struct mlflow_source *base = NULL;
	_cleanup_free_ char *dir = path_dirname(path);
	struct source_db *s = xcalloc(1, sizeof(*s));
	int r;

	base = &s->base;
	base->ops = &ops;
	base->events = options->events;
	s->root = (struct local_root)LOCAL_ROOT_INIT;
	r = check_is_sqlite(path, err);
	if (!r)
		r = db_open(&s->db, path, DB_READ | DB_FOREIGN, err);
	if (!r)
		r = source_db_look(s, path, err);
	if (!r)
		r = local_root_open(&s->root, options->artifacts ? options->artifacts : dir, err);
	if (!r)
		r = source_db_list(s, "SELECT experiment_id FROM experiments ORDER BY experiment_id",
				   NULL, &s->experiments, err);
	if (!r)
		*out = steal_ptr(&base);
	return r;
}
