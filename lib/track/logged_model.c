/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/logged_model.h"

#include <stdio.h>
#include <string.h>

#include "lib/core/id.h"
#include "lib/track/artifact_tree.h"
#include "lib/track/experiment.h"
#include "lib/track/name.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"

void logged_model_release(struct logged_model *m)
{
	free(m->id);
	free(m->name);
	free(m->artifact_location);
	free(m->status_message);
	free(m->model_type);
	free(m->source_run);
	*m = (struct logged_model)LOGGED_MODEL_INIT;
}

const char *logged_model_status_name(enum logged_model_status status)
{
	static const char *const names[] = {
		[LOGGED_MODEL_PENDING] = "LOGGED_MODEL_PENDING",
		[LOGGED_MODEL_READY] = "LOGGED_MODEL_READY",
		[LOGGED_MODEL_FAILED] = "LOGGED_MODEL_UPLOAD_FAILED",
	};

	return status >= LOGGED_MODEL_PENDING && status <= LOGGED_MODEL_FAILED ? names[status] :
										 "UNSPECIFIED";
}

enum logged_model_status logged_model_status_parse(const char *name)
{
	for (int s = LOGGED_MODEL_PENDING; s <= LOGGED_MODEL_FAILED; s++)
		if (!strcmp(logged_model_status_name((enum logged_model_status)s), name))
			return (enum logged_model_status)s;
	return 0;
}

int logged_model_create(struct db *db, const struct logged_model_new *m,
			char id[LOGGED_MODEL_ID_LEN + 1], struct mlp_error *err)
{
	_cleanup_free_ char *generated = m->name && *m->name ? NULL : name_generate();
	_cleanup_free_ char *location = NULL, *inside = NULL;
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	const char *root;
	int64_t now = clock_ms(), run = 0;
	int r = 0;

	if (m->source_run && *m->source_run)
		r = run_find(db, m->source_run, &run, err);
	if (r == MLP_ENOTFOUND)
		return mlp_error_set(err, r, "Run with id=%s not found", m->source_run);
	if (!r)
		r = experiment_get(db, m->experiment_id, &e, err);
	if (r)
		return r;
	id[0] = 'm';
	id[1] = '-';
	mlp_id_new(id + 2);
	root = experiment_artifact_root(e.artifact_location);
	inside = xasprintf("models/%s/artifacts", id);
	location = root ? path_join(root, inside) : artifact_model_uri(m->experiment_id, id);
	return db_exec(db, err,
		       "INSERT INTO logged_model(id, experiment_id, name, artifact_location, status,"
		       " model_type, source_run_id, created_ms, updated_ms)"
		       " VALUES(?1, ?2, ?3, ?4, 1, ?5, nullif(?6, 0), ?7, ?7)",
		       "sisssii", id, m->experiment_id, generated ? generated : m->name, location,
		       m->model_type, run, now);
}

int logged_model_get(struct db *db, const char *id, struct logged_model *out,
		     struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT m.id, m.name, m.experiment_id, m.artifact_location, m.status,"
			 " m.status_message, m.model_type, r.uuid, m.created_ms, m.updated_ms"
			 " FROM logged_model m LEFT JOIN run r ON r.id = m.source_run_id"
			 " WHERE m.id = ?1 AND m.deleted_ms IS NULL",
			 "s", id);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return mlp_error_set(err, MLP_ENOTFOUND, "Logged model with ID '%s' not found.", id);
	*out = (struct logged_model){
		.id = xstrdup(db_text(st, 0)),
		.name = xstrdup(db_text(st, 1)),
		.experiment_id = db_int(st, 2),
		.artifact_location = xstrdup(db_text(st, 3)),
		.status = (enum logged_model_status)db_int(st, 4),
		.status_message = xstrdup_null(db_text(st, 5)),
		.model_type = xstrdup_null(db_text(st, 6)),
		.source_run = xstrdup_null(db_text(st, 7)),
		.created_ms = db_int(st, 8),
		.updated_ms = db_int(st, 9),
	};
	return 0;
}

int logged_model_set_status(struct db *db, const char *id, enum logged_model_status status,
			    struct mlp_error *err)
{
	return db_exec(db, err, "UPDATE logged_model SET status = ?2, updated_ms = ?3 WHERE id = ?1",
		       "sii", id, (int64_t)status, clock_ms());
}

int logged_model_trash(struct db *db, const char *id, struct mlp_error *err)
{
	return db_exec(db, err,
		       "UPDATE logged_model SET deleted_ms = ?2, updated_ms = ?2 WHERE id = ?1", "si",
		       id, clock_ms());
}

int logged_model_tag_set(struct db *db, const char *id, const char *key, const char *value,
			 struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO logged_model_tag(model_id, key, value) VALUES(?1, ?2, ?3)"
		       " ON CONFLICT DO UPDATE SET value = excluded.value",
		       "sss", id, key, value);
}

int logged_model_tag_unset(struct db *db, const char *id, const char *key, struct mlp_error *err)
{
	int r = db_exec(db, err, "DELETE FROM logged_model_tag WHERE model_id = ?1 AND key = ?2",
			"ss", id, key);

	if (!r && !db_changes(db))
		return mlp_error_set(err, MLP_ENOTFOUND,
				     "No tag with key '%s' found for model with ID '%s'.", key, id);
	return r;
}

int logged_model_param_set(struct db *db, const char *id, const char *key, const char *value,
			   struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO logged_model_param(model_id, key, value) VALUES(?1, ?2, ?3)"
		       " ON CONFLICT DO UPDATE SET value = excluded.value",
		       "sss", id, key, value);
}

int logged_model_tags_get(struct db *db, const char *id, struct key_values *out,
			  struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err, "SELECT key, value FROM logged_model_tag WHERE model_id = ?1 ORDER BY key",
		"s", id);

	return key_values_read(st, out, err);
}

int logged_model_params_get(struct db *db, const char *id, struct key_values *out,
			    struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		"SELECT key, value FROM logged_model_param WHERE model_id = ?1 ORDER BY key", "s", id);

	return key_values_read(st, out, err);
}
