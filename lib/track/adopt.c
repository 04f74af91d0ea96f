/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/adopt.h"

#include "lib/util/vec.h"

static int id_is_free(struct db *db, int64_t id, bool *is_free, struct mlp_error *err)
{
	int64_t one;
	int r = db_get_int(db, &one, err, "SELECT 1 FROM experiment WHERE id = ?1", "i", id);

	*is_free = r == MLP_ENOTFOUND && id > 0 && id <= EXPERIMENT_ADOPT_MAX;
	return r == MLP_ENOTFOUND ? 0 : r;
}

int experiment_adopt(struct db *db, struct experiment *e, bool *made, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	bool is_free = false;
	int r = db_txn(&txn, db, err);

	*made = false;
	if (!r)
		r = db_get_int(db, &e->id, err, "SELECT id FROM experiment WHERE name = ?1", "s",
			       e->name);
	if (r != MLP_ENOTFOUND)
		return r ? r : db_txn_commit(&txn, err);
	r = id_is_free(db, e->id, &is_free, err);
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO experiment(id, name, artifact_location, created_ms,"
			    " updated_ms, deleted_ms) VALUES(iif(?1, ?2, NULL), ?3, ?4, ?5, ?6,"
			    " nullif(?7, 0))",
			    "iissiii", (int64_t)is_free, e->id, e->name, e->artifact_location,
			    e->created_ms, e->updated_ms, e->deleted_ms);
	if (r)
		return r;
	e->id = db_last_id(db);
	*made = true;
	return db_txn_commit(&txn, err);
}

int experiment_tag_adopt(struct db *db, int64_t id, const struct key_value *tag,
			 struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO experiment_tag(experiment_id, key, value) VALUES(?1, ?2, ?3)"
		       " ON CONFLICT DO NOTHING",
		       "iss", id, tag->key, tag->value);
}

int run_adopt(struct db *db, struct run *run, struct mlp_error *err)
{
	int r = db_exec(db, err,
			"INSERT INTO run(uuid, experiment_id, name, user, status, started_ms, ended_ms,"
			" deleted_ms, artifact_uri) VALUES(?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 0),"
			" nullif(?8, 0), ?9)",
			"sissiiiis", run->uuid, run->experiment_id, run->name, run->user,
			(int64_t)run->status, run->started_ms, run->ended_ms, run->deleted_ms,
			run->artifact_uri);

	run->id = db_last_id(db);
	return r;
}

int run_adopt_state(struct db *db, const struct run *run, bool *changed, struct mlp_error *err)
{
	int r = db_exec(db, err,
			"UPDATE run SET name = ?2, status = ?3, ended_ms = nullif(?4, 0),"
			" deleted_ms = nullif(?5, 0), artifact_uri = ?6 WHERE id = ?1 AND"
			" (name <> ?2 OR status <> ?3 OR ended_ms IS NOT nullif(?4, 0)"
			" OR deleted_ms IS NOT nullif(?5, 0) OR artifact_uri IS NOT ?6)",
			"isiiis", run->id, run->name, (int64_t)run->status, run->ended_ms,
			run->deleted_ms, run->artifact_uri);

	*changed |= !r && db_changes(db);
	return r;
}

int param_adopt(struct db *db, int64_t run, const struct key_value *param, bool *changed,
		struct mlp_error *err)
{
	int r = db_exec(db, err,
			"INSERT INTO param(run_id, key, value) VALUES(?1, ?2, ?3)"
			" ON CONFLICT DO NOTHING",
			"iss", run, param->key, param->value);

	*changed |= !r && db_changes(db);
	return r;
}

int tag_adopt(struct db *db, int64_t run, const struct key_value *tag, bool replace, bool *changed,
	      struct mlp_error *err)
{
	int r = db_exec(db, err,
			"INSERT INTO tag(run_id, key, value) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE"
			" SET value = excluded.value WHERE ?4 AND value <> excluded.value",
			"issi", run, tag->key, tag->value, (int64_t)replace);

	*changed |= !r && db_changes(db);
	return r;
}

static int set_parent(struct db *db, int64_t child, int64_t parent, struct mlp_error *err)
{
	return db_exec(db, err,
		       "UPDATE run SET parent_id = ?2 WHERE id = ?1 AND parent_id IS NULL"
		       " AND ?1 NOT IN (WITH RECURSIVE up(id) AS (SELECT ?2 UNION"
		       "  SELECT r.parent_id FROM run r JOIN up ON r.id = up.id"
		       "  WHERE r.parent_id IS NOT NULL) SELECT id FROM up)",
		       "ii", child, parent);
}

static int set_children(struct db *db, const struct run *run, struct mlp_error *err)
{
	VEC(int64_t) children = VEC_INIT;
	struct db_stmt *st = db_query(db, err,
				      "SELECT run_id FROM tag WHERE key = 'mlflow.parentRunId'"
				      " AND value = ?1",
				      "s", run->uuid);
	int r = st ? 0 : MLP_EFAIL;

	while (!r && (r = db_step(st, err)) > 0) {
		vec_push(&children, db_int(st, 0));
		r = 0;
	}
	db_done(st);
	for (size_t i = 0; i < children.len && !r; i++)
		r = set_parent(db, children.v[i], run->id, err);
	vec_free(&children);
	return r;
}

int run_adopt_family(struct db *db, const struct run *run, struct mlp_error *err)
{
	int64_t parent;
	int r = db_get_int(db, &parent, err,
			   "SELECT r.id FROM tag t JOIN run r ON r.uuid = t.value"
			   " WHERE t.run_id = ?1 AND t.key = 'mlflow.parentRunId'",
			   "i", run->id);

	if (!r)
		r = set_parent(db, run->id, parent, err);
	else if (r == MLP_ENOTFOUND)
		r = 0;
	return r ? r : set_children(db, run, err);
}

int logged_model_adopt(struct db *db, const struct logged_model *m, int64_t deleted_ms, bool *made,
		       struct mlp_error *err)
{
	int64_t one;
	int r = db_get_int(db, &one, err, "SELECT 1 FROM logged_model WHERE id = ?1", "s", m->id);

	*made = r == MLP_ENOTFOUND;
	if (!r)
		return db_exec(db, err,
			       "UPDATE logged_model SET status = ?2, status_message = ?3,"
			       " updated_ms = ?4 WHERE id = ?1 AND status <> 2 AND status <> ?2",
			       "sisi", m->id, (int64_t)m->status, m->status_message, m->updated_ms);
	return *made ? db_exec(db, err,
			       "INSERT INTO logged_model(id, experiment_id, name, artifact_location,"
			       " status, status_message, model_type, source_run_id, created_ms,"
			       " updated_ms, deleted_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,"
			       " (SELECT id FROM run WHERE uuid = ?8), ?9, ?10, nullif(?11, 0))",
			       "sississsiii", m->id, m->experiment_id, m->name,
			       m->artifact_location, (int64_t)m->status, m->status_message,
			       m->model_type, m->source_run, m->created_ms, m->updated_ms,
			       deleted_ms) :
		       r;
}

int logged_model_param_adopt(struct db *db, const char *model, const struct key_value *param,
			     struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO logged_model_param(model_id, key, value) VALUES(?1, ?2, ?3)"
		       " ON CONFLICT DO NOTHING",
		       "sss", model, param->key, param->value);
}

int logged_model_tag_adopt(struct db *db, const char *model, const struct key_value *tag,
			   struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO logged_model_tag(model_id, key, value) VALUES(?1, ?2, ?3)"
		       " ON CONFLICT DO NOTHING",
		       "sss", model, tag->key, tag->value);
}
