/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/registry/version.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "lib/util/clock.h"

enum { STATUS_READY = 3 }; /* MLflow's number; nothing is copied, so it is ready at once */

/* In the order read_version() takes them. */
#define COLUMNS                                                                          \
	"r.name, r.version, r.description, r.user, r.source, r.storage_location, r.run_uuid," \
	" r.run_link, r.model_id, r.stage, r.status_message, r.created_ms, r.updated_ms"
#define NOT_DELETED "r.stage <> '" MODEL_STAGE_DELETED "'"

void model_version_release(struct model_version *v)
{
	free(v->name);
	free(v->description);
	free(v->user);
	free(v->source);
	free(v->location);
	free(v->run);
	free(v->run_link);
	free(v->model);
	free(v->stage);
	free(v->status_message);
	*v = (struct model_version)MODEL_VERSION_INIT;
}

void model_versions_release(struct model_versions *list)
{
	for (size_t i = 0; i < list->len; i++)
		model_version_release(&list->v[i]);
	vec_free(list);
}

static struct model_version read_version(struct db_stmt *st)
{
	return (struct model_version){
		.name = xstrdup(db_text(st, 0)),
		.version = db_int(st, 1),
		.description = xstrdup_null(db_text(st, 2)),
		.user = xstrdup_null(db_text(st, 3)),
		.source = xstrdup_null(db_text(st, 4)),
		.location = xstrdup_null(db_text(st, 5)),
		.run = xstrdup_null(db_text(st, 6)),
		.run_link = xstrdup_null(db_text(st, 7)),
		.model = xstrdup_null(db_text(st, 8)),
		.stage = xstrdup(db_text(st, 9)),
		.status_message = xstrdup_null(db_text(st, 10)),
		.created_ms = db_int(st, 11),
		.updated_ms = db_int(st, 12),
	};
}

static int read_versions(struct db_stmt *st, struct model_versions *out, struct mlp_error *err)
{
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		vec_push(out, read_version(st));
	return r;
}

static int not_found(const char *name, int64_t version, struct mlp_error *err)
{
	return mlp_error_set(err, MLP_ENOTFOUND,
			     "Model Version (name=%s, version=%" PRId64 ") not found", name, version);
}

int model_version_create(struct db *db, const struct model_version_new *v, int64_t *version,
			 struct mlp_error *err)
{
	_release_(registered_model_release) struct registered_model m = REGISTERED_MODEL_INIT;
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	if (!r)
		r = registered_model_get(db, v->name, &m, err);
	if (!r)
		r = db_get_int(db, version, err,
			       "SELECT coalesce(max(version), 0) + 1 FROM model_version"
			       " WHERE name = ?1",
			       "s", v->name);
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO model_version(name, version, description, user, source,"
			    " storage_location, run_uuid, run_link, model_id, stage, status, created_ms,"
			    " updated_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
			    " '" MODEL_STAGE_NONE "', ?10, ?11, ?11)",
			    "sisssssssii", v->name, *version, v->description, v->user, v->source,
			    v->location, v->run, v->run_link, v->model, (int64_t)STATUS_READY,
			    clock_ms());
	if (!r)
		r = registered_model_touch(db, v->name, err);
	return r ? r : db_txn_commit(&txn, err);
}

int model_version_get(struct db *db, const char *name, int64_t version, struct model_version *out,
		      struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT " COLUMNS " FROM model_version r WHERE r.name = ?1"
			 " AND r.version = ?2 AND " NOT_DELETED,
			 "si", name, version);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return not_found(name, version, err);
	*out = read_version(st);
	return 0;
}

int model_version_check(struct db *db, const char *name, int64_t version, struct mlp_error *err)
{
	int64_t one;
	int r = db_get_int(db, &one, err,
			   "SELECT 1 FROM model_version r WHERE r.name = ?1 AND r.version = ?2"
			   " AND " NOT_DELETED,
			   "si", name, version);

	return r == MLP_ENOTFOUND ? not_found(name, version, err) : r;
}

int model_version_describe(struct db *db, const char *name, int64_t version,
			   const char *description, struct mlp_error *err)
{
	int r = model_version_check(db, name, version, err);

	return r ? r :
		   db_exec(db, err,
			   "UPDATE model_version SET description = ?3, updated_ms = ?4"
			   " WHERE name = ?1 AND version = ?2",
			   "sisi", name, version, description, clock_ms());
}

int model_version_delete(struct db *db, const char *name, int64_t version, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	if (!r)
		r = model_version_check(db, name, version, err);
	if (!r)
		r = db_exec(db, err,
			    "UPDATE model_version SET stage = '" MODEL_STAGE_DELETED "', updated_ms = ?3,"
			    " description = NULL, user = NULL, source = NULL, storage_location = NULL,"
			    " run_uuid = NULL, run_link = NULL, model_id = NULL, status_message = NULL"
			    " WHERE name = ?1 AND version = ?2",
			    "sii", name, version, clock_ms());
	if (!r)
		r = db_exec(db, err, "DELETE FROM model_alias WHERE name = ?1 AND version = ?2", "si",
			    name, version);
	if (!r)
		r = registered_model_touch(db, name, err);
	return r ? r : db_txn_commit(&txn, err);
}

const char *model_stage_parse(const char *text)
{
	static const char *const stages[] = { MODEL_STAGE_NONE, "Staging", "Production",
					      MODEL_STAGE_ARCHIVED };

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (!strcasecmp(stages[i], text))
			return stages[i];
	return NULL;
}

int model_version_move(struct db *db, const char *name, int64_t version, const char *stage,
		       bool archive, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int64_t now = clock_ms();
	int r = db_txn(&txn, db, err);

	if (!r)
		r = model_version_check(db, name, version, err);
	if (!r && archive)
		r = db_exec(db, err,
			    "UPDATE model_version SET stage = '" MODEL_STAGE_ARCHIVED "', updated_ms = ?4"
			    " WHERE name = ?1 AND version <> ?2 AND stage = ?3",
			    "sisi", name, version, stage, now);
	if (!r)
		r = db_exec(db, err,
			    "UPDATE model_version SET stage = ?3, updated_ms = ?4"
			    " WHERE name = ?1 AND version = ?2",
			    "sisi", name, version, stage, now);
	if (!r)
		r = registered_model_touch(db, name, err);
	return r ? r : db_txn_commit(&txn, err);
}

int model_versions_latest(struct db *db, const char *name, const struct strvec *stages,
			  struct model_versions *out, struct mlp_error *err)
{
	_release_(registered_model_release) struct registered_model m = REGISTERED_MODEL_INIT;
	_release_(query_release) struct query q = QUERY_INIT;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r = registered_model_get(db, name, &m, err);

	if (r)
		return r;
	query_add_keyed(&q,
			"SELECT " COLUMNS " FROM model_version r JOIN (SELECT stage, min(version)"
			" AS first, max(version) AS last FROM model_version WHERE name = ?"
			" GROUP BY stage) s ON s.last = r.version WHERE r.name = ? AND " NOT_DELETED,
			name);
	for (size_t i = 0; i < stages->len; i++) {
		query_add(&q, i ? ", " : " AND r.stage IN (");
		query_text(&q, stages->v[i]);
	}
	query_add(&q, stages->len ? ") ORDER BY s.first" : " ORDER BY s.first");
	st = query_run(&q, db, err);
	return read_versions(st, out, err);
}

int model_version_search(struct db *db, const struct listing *listing, struct model_versions *out,
			 struct mlp_error *err)
{
	_release_(query_release) struct query q = QUERY_INIT;
	_cleanup_stmt_ struct db_stmt *st = NULL;

	query_add(&q, "SELECT " COLUMNS " FROM model_version r WHERE " NOT_DELETED);
	if (!listing_mentions(listing, REGISTRY_PROMPT_TAG))
		query_add(&q, " AND NOT EXISTS (SELECT 1 FROM model_version_tag t WHERE t.name = r.name"
			      " AND t.version = r.version AND t.key = '" REGISTRY_PROMPT_TAG
			      "' AND t.value = 'true')");
	listing_add(listing,
		    listing->order.len ? "r.name, r.version DESC" :
					 "r.updated_ms DESC, r.name, r.version DESC",
		    &q);
	st = query_run(&q, db, err);
	return read_versions(st, out, err);
}

int model_version_tag_set(struct db *db, const char *name, int64_t version,
			  const struct key_value *tag, struct mlp_error *err)
{
	int r = registry_check_tag(tag->key, tag->value, err);

	if (!r)
		r = model_version_check(db, name, version, err);
	return r ? r :
		   db_exec(db, err,
			   "INSERT INTO model_version_tag(name, version, key, value)"
			   " VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET value = excluded.value",
			   "siss", name, version, tag->key, tag->value);
}

int model_version_tag_unset(struct db *db, const char *name, int64_t version, const char *key,
			    struct mlp_error *err)
{
	int r = model_version_check(db, name, version, err);

	return r ? r :
		   db_exec(db, err,
			   "DELETE FROM model_version_tag WHERE name = ?1 AND version = ?2"
			   " AND key = ?3",
			   "sis", name, version, key);
}

int model_version_tags_get(struct db *db, const char *name, int64_t version,
			   struct key_values *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT key, value FROM model_version_tag WHERE name = ?1 AND version = ?2"
			 " ORDER BY key",
			 "si", name, version);

	return key_values_read(st, out, err);
}
