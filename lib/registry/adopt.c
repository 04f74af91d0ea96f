/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/registry/adopt.h"

int registered_model_adopt(struct db *db, const struct registered_model *m, bool *made,
			   struct mlp_error *err)
{
	int r = registered_model_create(db, m->name, m->description, err);

	*made = !r;
	if (r)
		return r == MLP_EEXIST ? 0 : r;
	return db_exec(db, err,
		       "UPDATE registered_model SET created_ms = ?2, updated_ms = ?3 WHERE name = ?1",
		       "sii", m->name, m->created_ms, m->updated_ms);
}

int model_version_adopt(struct db *db, const struct model_version *v, int status, bool *made,
			struct mlp_error *err)
{
	int r = db_exec(db, err,
			"INSERT INTO model_version(name, version, description, user, source,"
			" storage_location, run_uuid, run_link, model_id, stage, status,"
			" status_message, created_ms, updated_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,"
			" ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING",
			"sissssssssisii", v->name, v->version, v->description, v->user, v->source,
			v->location, v->run, v->run_link, v->model, v->stage, (int64_t)status,
			v->status_message, v->created_ms, v->updated_ms);

	*made = !r && db_changes(db);
	return r;
}

int registered_model_tag_adopt(struct db *db, const char *name, const struct key_value *tag,
			       struct mlp_error *err)
{
	int r = registry_check_tag(tag->key, tag->value, err);

	return r ? r :
		   db_exec(db, err,
			   "INSERT INTO registered_model_tag(name, key, value) VALUES(?1, ?2, ?3)"
			   " ON CONFLICT DO NOTHING",
			   "sss", name, tag->key, tag->value);
}

int model_version_tag_adopt(struct db *db, const char *name, int64_t version,
			    const struct key_value *tag, struct mlp_error *err)
{
	int r = registry_check_tag(tag->key, tag->value, err);

	return r ? r :
		   db_exec(db, err,
			   "INSERT INTO model_version_tag(name, version, key, value)"
			   " VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
			   "siss", name, version, tag->key, tag->value);
}

int model_alias_adopt(struct db *db, const char *name, const char *alias, int64_t version,
		      struct mlp_error *err)
{
	int64_t one;
	int r = db_get_int(db, &one, err,
			   "SELECT 1 FROM model_alias WHERE name = ?1 AND alias = ?2", "ss", name,
			   alias);

	return r == MLP_ENOTFOUND ? model_alias_set(db, name, alias, version, err) : r;
}
