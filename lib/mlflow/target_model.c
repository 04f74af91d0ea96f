/* SPDX-License-Identifier: Apache-2.0 */
/* Our own store as a target: logged models. */
#include "config.h"

#include <string.h>

#include "lib/core/id.h"
#include "lib/mlflow/store.h"
#include "lib/track/adopt.h"
#include "lib/track/artifact_tree.h"
#include "lib/util/clock.h"

enum { TEXT_MAX = 5000 };

int store_model_begin(struct mlflow_target *base, const struct mlflow_model *m,
		      struct mlp_error *err)
{
	struct store_target *t = (struct store_target *)base;

	(void)err;
	if (!mlp_id_valid(m->id)) {
		mlflow_left_out(&t->base, "logged model '%s': that is no id of one", m->id);
		return 1;
	}
	store_clear_files(t);
	t->model = m;
	return 0;
}

static int put_row(struct store_target *t, bool *made, struct mlp_error *err)
{
	const struct mlflow_model *m = t->model;
	_cleanup_free_ char *own = artifact_model_uri(t->experiment_id, m->id);
	_release_(logged_model_release) struct logged_model row = LOGGED_MODEL_INIT;
	int64_t created = m->created_ms ? m->created_ms : clock_ms();
	int64_t updated = MAX(created, m->updated_ms);

	row = (struct logged_model){
		.id = xstrdup(m->id),
		.name = store_text(m->name && *m->name ? m->name : m->id, TEXT_MAX),
		.experiment_id = t->experiment_id,
		.artifact_location =
			store_text(m->elsewhere && m->artifact_location ? m->artifact_location : own,
				   TEXT_MAX),
		.status = m->status,
		.status_message = store_text(m->status_message, TEXT_MAX),
		.model_type = store_text(m->model_type, TEXT_MAX),
		.source_run = xstrdup_null(m->source_run),
		.created_ms = created,
		.updated_ms = updated,
	};
	return logged_model_adopt(t->db, &row, m->deleted ? updated : 0, made, err);
}

static int put_pairs(struct store_target *t, struct mlp_error *err)
{
	const struct mlflow_model *m = t->model;
	int r = 0;

	for (size_t i = 0; i < m->params.len && !r; i++) {
		struct key_value pair;

		if (!store_pair(t, m->id, &m->params.v[i], RUN_PARAM_MAX, &pair))
			continue;
		r = logged_model_param_adopt(t->db, m->id, &pair, err);
		free(pair.value);
	}
	for (size_t i = 0; i < m->tags.len && !r; i++) {
		struct key_value pair;

		if (!store_pair(t, m->id, &m->tags.v[i], RUN_TAG_MAX, &pair))
			continue;
		r = logged_model_tag_adopt(t->db, m->id, &pair, err);
		free(pair.value);
	}
	return r;
}

/* What a run measured that is not here cannot be kept. */
static int put_metric(struct store_target *t, const struct logged_model_metric *metric,
		      struct mlp_error *err)
{
	int64_t run;
	int r = run_find(t->db, metric->run ? metric->run : "", &run, err);

	if (r)
		return r == MLP_ENOTFOUND ? 0 : r;
	if (!key_is_valid(metric->key, strlen(metric->key)))
		return 0;
	return logged_model_metric_log(t->db, t->model->id, run, metric, err);
}

static int put_files(struct store_target *t, struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; i < t->files.len && !r; i++)
		r = db_exec(t->db, err,
			    "INSERT INTO logged_model_file(model_id, path, size, sha256)"
			    " VALUES(?1, ?2, ?3, ?4)"
			    " ON CONFLICT DO UPDATE SET size = excluded.size,"
			    " sha256 = excluded.sha256",
			    "ssis", t->model->id, t->files.v[i].path, t->files.v[i].size,
			    t->files.v[i].sha256);
	return r;
}

static int put_model(struct store_target *t, bool *made, struct mlp_error *err)
{
	const struct mlflow_model *m = t->model;
	int r = put_row(t, made, err);

	if (!r)
		r = put_pairs(t, err);
	for (size_t i = 0; i < m->metrics.len && !r && !m->deleted; i++)
		r = put_metric(t, &m->metrics.v[i], err);
	return r ? r : put_files(t, err);
}

int store_model_end(struct mlflow_target *base, struct mlp_error *err)
{
	struct store_target *t = (struct store_target *)base;
	_cleanup_txn_ struct db *txn = NULL;
	bool made;
	int r = store_sync_files(t, err);

	if (!r)
		r = store_begin(t, &txn, err);
	if (!r)
		r = put_model(t, &made, err);
	if (!r)
		r = store_commit(t, &txn, err);
	if (!r) {
		base->counts.models += made;
		base->counts.artifacts += (int64_t)t->files.len;
		base->counts.artifact_bytes += t->bytes;
		base->counts.elsewhere += t->model->elsewhere;
	}
	store_clear_files(t);
	t->model = NULL;
	return r;
}
