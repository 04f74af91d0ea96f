/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/logged_model_metric.h"

void logged_model_metrics_release(struct logged_model_metrics *list)
{
	for (size_t i = 0; i < list->len; i++) {
		free(list->v[i].key);
		free(list->v[i].run);
		free(list->v[i].dataset);
		free(list->v[i].digest);
	}
	vec_free(list);
}

int logged_model_metric_log(struct db *db, const char *model, int64_t run,
			    const struct logged_model_metric *m, struct mlp_error *err)
{
	int64_t one;
	int r = db_get_int(db, &one, err,
			   "SELECT 1 FROM logged_model WHERE id = ?1 AND deleted_ms IS NULL", "s",
			   model);

	if (r == MLP_ENOTFOUND)
		return mlp_error_set(err, r, "Logged model with ID '%s' not found.", model);
	/* A dataset may be named before it is described, or never be. */
	if (!r && m->dataset && m->digest)
		r = db_exec(db, err,
			    "INSERT INTO dataset(experiment_id, name, digest, source_type, source)"
			    " SELECT experiment_id, ?2, ?3, '', '' FROM run WHERE id = ?1"
			    " ON CONFLICT DO NOTHING",
			    "iss", run, m->dataset, m->digest);
	return r ? r :
		   db_exec(db, err,
			   "INSERT INTO logged_model_metric(model_id, run_id, key, step, time_ms, value,"
			   " dataset_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6, (SELECT d.id FROM dataset d"
			   " JOIN run r ON r.experiment_id = d.experiment_id WHERE r.id = ?2"
			   " AND d.name = ?7 AND d.digest = ?8)) ON CONFLICT DO NOTHING",
			   "sisiidss", model, run, m->key, m->point.step, m->point.time_ms,
			   m->point.value, m->dataset, m->digest);
}

int logged_model_metrics_get(struct db *db, const char *model, struct logged_model_metrics *out,
			     struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT m.key, r.uuid, d.name, d.digest, m.time_ms, m.step, m.value"
			 " FROM logged_model_metric m JOIN run r ON r.id = m.run_id"
			 " LEFT JOIN dataset d ON d.id = m.dataset_id WHERE m.model_id = ?1"
			 " ORDER BY m.key, m.time_ms, m.step, m.run_id",
			 "s", model);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		vec_push(out, ((struct logged_model_metric){
				      .key = xstrdup(db_text(st, 0)),
				      .run = xstrdup(db_text(st, 1)),
				      .dataset = xstrdup_null(db_text(st, 2)),
				      .digest = xstrdup_null(db_text(st, 3)),
				      .point = { .time_ms = db_int(st, 4),
						 .step = db_int(st, 5),
						 .value = db_double(st, 6) },
			      }));
	return r;
}
