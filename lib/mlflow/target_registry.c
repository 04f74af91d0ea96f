/* SPDX-License-Identifier: Apache-2.0 */
/* Our own store as a target: the model registry. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/mlflow/store.h"
#include "lib/registry/adopt.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

enum { TEXT_MAX = 5000 };

/* The part of a location from the id in it on, where that is a run's or model's artifact
 * folder: "<id>/artifacts/model"; the id goes to *len. */
static const char *owner_in(const char *location, size_t *len)
{
	const char *end = strstr(location, "/artifacts"), *start = end;

	if (!end || (end[10] && end[10] != '/'))
		return NULL;
	while (start > location && start[-1] != '/')
		start--;
	*len = (size_t)(end - start);
	return *len ? start : NULL;
}

/* Where a version's files are: with us when they came along with their run or model. */
static int find_location(struct store_target *t, const char *location, char **out,
			 struct mlp_error *err)
{
	struct db_stmt *st;
	size_t len;
	const char *owner = owner_in(location, &len);
	int r;

	*out = NULL;
	if (!owner || !path_is_safe(owner))
		return 0;
	st = db_query(t->db, err,
		      "SELECT 'mlflow-artifacts:/' || experiment_id || '/' || uuid || '/artifacts'"
		      " FROM run WHERE uuid = ?1 AND artifact_uri IS NULL"
		      " UNION ALL SELECT artifact_location FROM logged_model WHERE id = ?1"
		      " AND artifact_location LIKE 'mlflow-artifacts:/%'",
		      "t", owner, len);
	r = st ? db_step(st, err) : MLP_EFAIL;
	if (r > 0)
		*out = xasprintf("%s%s", db_text(st, 0), owner + len + strlen("/artifacts"));
	db_done(st);
	return MIN(r, 0);
}

static int put_version_row(struct store_target *t, const char *name,
			   const struct mlflow_version *v, bool *made, struct mlp_error *err)
{
	_release_(model_version_release) struct model_version row = MODEL_VERSION_INIT;
	_cleanup_free_ char *source = NULL, *location = NULL;
	int64_t created = v->created_ms ? v->created_ms : clock_ms();
	int r = v->source ? find_location(t, v->source, &source, err) : 0;

	if (!r && v->location)
		r = find_location(t, v->location, &location, err);
	if (r)
		return r;
	row = (struct model_version){
		.name = xstrdup(name),
		.version = v->version,
		.description = store_text(v->description, TEXT_MAX),
		.user = store_text(v->user, TEXT_MAX),
		.source = source ? steal_ptr(&source) : store_text(v->source, TEXT_MAX),
		.location = location ? steal_ptr(&location) : store_text(v->location, TEXT_MAX),
		.run = store_text(v->run, TEXT_MAX),
		.run_link = store_text(v->run_link, TEXT_MAX),
		.model = store_text(v->model, TEXT_MAX),
		.stage = store_text(v->stage ? v->stage : MODEL_STAGE_NONE, TEXT_MAX),
		.status_message = store_text(v->status_message, TEXT_MAX),
		.created_ms = created,
		.updated_ms = MAX(created, v->updated_ms),
	};
	return model_version_adopt(t->db, &row, v->status, made, err);
}

/* Is the version of that number here another one? */
static int is_another(struct store_target *t, const char *name, const struct mlflow_version *v,
		      bool *another, struct mlp_error *err)
{
	int64_t created;
	int r = db_get_int(t->db, &created, err,
			   "SELECT created_ms FROM model_version WHERE name = ?1 AND version = ?2",
			   "si", name, v->version);

	*another = !r && v->created_ms && created != v->created_ms;
	return r == MLP_ENOTFOUND ? 0 : r;
}

static int put_version(struct store_target *t, const char *name, const struct mlflow_version *v,
		       int64_t *added, struct mlp_error *err)
{
	bool another = false, made = false;
	int r = is_another(t, name, v, &another, err);

	if (r)
		return r;
	if (another || v->version < 1) {
		mlflow_left_out(&t->base, "version %" PRId64 " of model '%s': %s", v->version, name,
				another ? "here that is another one" : "that is no number of one");
		return 0;
	}
	r = put_version_row(t, name, v, &made, err);
	*added += made;
	for (size_t i = 0; i < v->tags.len && !r; i++) {
		struct key_value tag;

		if (!store_pair(t, name, &v->tags.v[i], REGISTRY_VALUE_MAX, &tag))
			continue;
		r = model_version_tag_adopt(t->db, name, v->version, &tag, err);
		free(tag.value);
	}
	return r;
}

static int put_aliases(struct store_target *t, const char *name, const struct key_values *aliases,
		       struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; i < aliases->len && r >= 0; i++) {
		int64_t version = 0;

		text_parse_int(aliases->v[i].value, &version);
		r = model_alias_adopt(t->db, name, aliases->v[i].key, version, err);
		if (r != MLP_EINVAL && r != MLP_ENOTFOUND)
			continue;
		mlflow_left_out(&t->base, "alias '%s' of model '%s'", aliases->v[i].key, name);
		r = 0;
	}
	return r;
}

static int put_model(struct store_target *t, const struct mlflow_registered *m, bool *made,
		     int64_t *versions, struct mlp_error *err)
{
	int64_t created = m->created_ms ? m->created_ms : clock_ms();
	_release_(registered_model_release) struct registered_model row = {
		.name = xstrdup(m->name),
		.description = store_text(m->description, TEXT_MAX),
		.created_ms = created,
		.updated_ms = MAX(created, m->updated_ms),
	};
	int r = registered_model_adopt(t->db, &row, made, err);

	for (size_t i = 0; i < m->tags.len && !r; i++) {
		struct key_value tag;

		if (!store_pair(t, m->name, &m->tags.v[i], REGISTRY_VALUE_MAX, &tag))
			continue;
		r = registered_model_tag_adopt(t->db, m->name, &tag, err);
		free(tag.value);
	}
	for (size_t i = 0; i < m->versions.len && !r; i++)
		r = put_version(t, m->name, &m->versions.v[i], versions, err);
	return r ? r : put_aliases(t, m->name, &m->aliases, err);
}

int store_registered(struct mlflow_target *base, const struct mlflow_registered *m,
		     struct mlp_error *err)
{
	struct store_target *t = (struct store_target *)base;
	_cleanup_txn_ struct db *txn = NULL;
	bool made = false;
	int64_t versions = 0;
	int r = db_txn(&txn, t->db, err);

	if (!r)
		r = put_model(t, m, &made, &versions, err);
	if (r == MLP_EINVAL) {
		mlflow_left_out(&t->base, "model '%s': %s", m->name, err ? err->text : "a bad name");
		return 0;
	}
	if (!r)
		r = store_commit(t, &txn, err);
	base->counts.registered_models += !r && made;
	base->counts.versions += r ? 0 : versions;
	return r;
}
