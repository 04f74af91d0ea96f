/* SPDX-License-Identifier: Apache-2.0 */
/* The store of mlp as MLflow sees it.  What is in the trash stays there. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/mlflow/source.h"
#include "lib/registry/version.h"
#include "lib/store/object.h"
#include "lib/track/artifact_tree.h"
#include "lib/track/experiment.h"
#include "lib/util/hashmap.h"
#include "lib/util/xalloc.h"

struct ids {
	int64_t *v;
	size_t len, cap;
};

struct store {
	struct mlflow_source source;
	struct db *db;
	const struct repo *repo;
	struct mlflow_store_part part;
	struct ids experiments, runs; /* left to give: from the next ones on */
	size_t next_experiment, next_run, next_model, next_name, next_key, next_artifact;
	struct strvec models, names;
	bool listed; /* experiments are */
	struct strmap given; /* uuids of runs and ids of models; with a part only */
	int64_t run;
	struct metric_latests keys;
	struct metric_points points;
	struct artifacts artifacts;
};

static struct store *store_of(struct mlflow_source *s)
{
	return (struct store *)s;
}

static int read_ids(struct db_stmt *st, struct ids *out, struct mlp_error *err)
{
	int r;

	out->len = 0;
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		vec_push(out, db_int(st, 0));
	return r;
}

static int read_names(struct db_stmt *st, struct strvec *out, struct mlp_error *err)
{
	int r;

	strvec_release(out);
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		strvec_push(out, db_text(st, 0));
	return r;
}

static bool in_part(const struct store *store, int64_t run)
{
	for (size_t i = 0; i < store->part.n; i++)
		if (store->part.runs[i] == run)
			return true;
	return !store->part.n;
}

static int list_experiments(struct store *store, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(store->db, err,
			 "SELECT id FROM experiment WHERE deleted_ms IS NULL ORDER BY id", "");

	store->listed = true;
	return read_ids(st, &store->experiments, err);
}

/* Its runs of the part, oldest first: parents come before their children. */
static int list_runs(struct store *store, int64_t experiment, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(store->db, err,
			 "SELECT id FROM run WHERE experiment_id = ?1 AND deleted_ms IS NULL"
			 " ORDER BY started_ms, id", "i", experiment);
	size_t kept = 0;
	int r = read_ids(st, &store->runs, err);

	for (size_t i = 0; i < store->runs.len; i++)
		if (in_part(store, store->runs.v[i]))
			store->runs.v[kept++] = store->runs.v[i];
	store->runs.len = kept;
	store->next_run = 0;
	return r;
}

static int list_models(struct store *store, int64_t experiment, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(store->db, err,
			 "SELECT id FROM logged_model WHERE experiment_id = ?1 AND deleted_ms IS NULL"
			 " ORDER BY created_ms, id", "i", experiment);

	store->next_model = 0;
	return read_names(st, &store->models, err);
}

static int experiment_next(struct mlflow_source *s, struct mlflow_experiment *out,
			   struct mlp_error *err)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct store *store = store_of(s);
	int r = store->listed ? 0 : list_experiments(store, err);
	int64_t id;

	do {
		if (r || store->next_experiment == store->experiments.len)
			return r;
		id = store->experiments.v[store->next_experiment++];
		r = list_runs(store, id, err);
	} while (r || (store->part.n && !store->runs.len));
	r = list_models(store, id, err);
	if (!r)
		r = experiment_get(store->db, id, &e, err);
	if (!r)
		r = experiment_tags_get(store->db, id, &out->tags, err);
	if (r)
		return r;
	out->id = xasprintf("%" PRId64, id);
	out->name = steal_ptr(&e.name);
	out->artifact_location = steal_ptr(&e.artifact_location);
	out->created_ms = e.created_ms;
	out->updated_ms = e.updated_ms;
	return 1;
}

static int read_run(struct store *store, int64_t id, struct mlflow_run *out, struct mlp_error *err)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct db *db = store->db;
	int r = run_get(db, id, &run, err);

	if (!r)
		r = params_get(db, id, &out->params, err);
	if (!r)
		r = tags_get(db, id, &out->tags, err);
	if (!r)
		r = datasets_get(db, id, &out->inputs, err);
	if (!r)
		r = model_inputs_get(db, id, &out->model_inputs, err);
	if (!r)
		r = model_outputs_get(db, id, &out->model_outputs, err);
	if (r)
		return r;
	out->id = steal_ptr(&run.uuid);
	out->name = steal_ptr(&run.name);
	out->user = steal_ptr(&run.user);
	out->status = run.status;
	out->started_ms = run.started_ms;
	out->ended_ms = run.ended_ms;
	out->artifact_uri = run.artifact_uri ? steal_ptr(&run.artifact_uri) :
					       artifact_run_uri(run.experiment_id, out->id);
	return 0;
}

/* Stores of before may hold a file and a folder of one name, which no folder can. */
static void drop_below_files(struct store *store)
{
	_release_(strmap_release) struct strmap files = STRMAP_INIT;
	struct artifacts *list = &store->artifacts;
	size_t n = 0;

	for (size_t i = 0; i < list->len; i++)
		strmap_set(&files, list->v[i].path, list);
	for (size_t i = 0; i < list->len; i++) {
		const char *path = list->v[i].path, *slash = strchr(path, '/');

		while (slash && !strmap_find(&files, path, (size_t)(slash - path)))
			slash = strchr(slash + 1, '/');
		if (!slash) {
			list->v[n++] = list->v[i];
			continue;
		}
		mlp_warn(store->source.events, "left out: artifact '%s': '%.*s' is a file", path,
			 (int)(slash - path), path);
		free(list->v[i].path);
		free(list->v[i].sha256);
	}
	list->len = n;
}

static int list_artifacts(struct store *store, const struct artifact_place *place,
			  struct mlp_error *err)
{
	int r;

	artifacts_release(&store->artifacts);
	store->next_artifact = 0;
	r = artifact_tree_files(store->db, place, &store->artifacts, err);
	if (!r)
		drop_below_files(store);
	return r;
}

static int run_next(struct mlflow_source *s, struct mlflow_run *out, struct mlp_error *err)
{
	struct store *store = store_of(s);
	struct artifact_place place = { .path = strbuf_empty };
	int r;

	metric_latests_release(&store->keys);
	store->next_key = 0;
	if (store->next_run == store->runs.len)
		return 0;
	place.run = store->run = store->runs.v[store->next_run++];
	r = read_run(store, store->run, out, err);
	if (!r)
		r = metric_latest(store->db, store->run, &store->keys, err);
	if (!r)
		r = list_artifacts(store, &place, err);
	if (r)
		return r;
	out->elsewhere = mlflow_run_place(out) && !store->artifacts.len;
	if (store->part.n)
		strmap_set(&store->given, out->id, store);
	return 1;
}

static int points_next(struct mlflow_source *s, struct mlflow_points *out, struct mlp_error *err)
{
	struct store *store = store_of(s);
	const char *key;
	int r;

	if (store->next_key == store->keys.len)
		return 0;
	key = store->keys.v[store->next_key++].key;
	store->points.len = 0;
	r = metric_read(store->db, store->run, key, &store->points, err);
	*out = (struct mlflow_points){ key, store->points.v, store->points.len };
	return r ? r : 1;
}

static int read_model(struct store *store, const char *id, struct mlflow_model *out,
		      struct mlp_error *err)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	int r = logged_model_get(store->db, id, &m, err);

	if (!r)
		r = logged_model_params_get(store->db, id, &out->params, err);
	if (!r)
		r = logged_model_tags_get(store->db, id, &out->tags, err);
	if (!r)
		r = logged_model_metrics_get(store->db, id, &out->metrics, err);
	if (r)
		return r;
	out->id = steal_ptr(&m.id);
	out->name = steal_ptr(&m.name);
	out->artifact_location = steal_ptr(&m.artifact_location);
	out->source_run = steal_ptr(&m.source_run);
	out->model_type = steal_ptr(&m.model_type);
	out->status_message = steal_ptr(&m.status_message);
	out->status = m.status;
	out->created_ms = m.created_ms;
	out->updated_ms = m.updated_ms;
	return 0;
}

static int model_next(struct mlflow_source *s, struct mlflow_model *out, struct mlp_error *err)
{
	struct store *store = store_of(s);
	struct artifact_place place = { .path = strbuf_empty };
	int r;

	do {
		mlflow_model_release(out);
		if (store->next_model == store->models.len)
			return 0;
		place.model = store->models.v[store->next_model++];
		r = read_model(store, place.model, out, err);
	} while (!r && store->part.n &&
		 (!out->source_run || !strmap_get(&store->given, out->source_run)));
	if (!r)
		r = list_artifacts(store, &place, err);
	if (r)
		return r;
	if (store->part.n)
		strmap_set(&store->given, out->id, store);
	return 1;
}

static int artifact_next(struct mlflow_source *s, struct mlflow_artifact *out,
			 struct mlp_error *err)
{
	struct store *store = store_of(s);
	const struct artifact *a;

	(void)err;
	if (store->next_artifact == store->artifacts.len)
		return 0;
	a = &store->artifacts.v[store->next_artifact++];
	out->path = xstrdup(a->path);
	out->size = a->size;
	return 1;
}

static int artifact_open(struct mlflow_source *s, const struct mlflow_artifact *a,
			 struct mlp_error *err)
{
	struct store *store = store_of(s);
	int fd = object_open(store->repo, store->artifacts.v[store->next_artifact - 1].sha256, err);

	if (fd < 0)
		mlp_error_prefix(err, "artifact '%s': ", a->path);
	return fd;
}

static int read_version(struct store *store, const char *name, int64_t number,
			struct mlflow_version *out, struct mlp_error *err)
{
	_release_(model_version_release) struct model_version v = MODEL_VERSION_INIT;
	int r = model_version_get(store->db, name, number, &v, err);

	if (r == MLP_ENOTFOUND) { /* deleted: its number is all that is left */
		out->version = number;
		out->stage = xstrdup(MODEL_STAGE_DELETED);
		return 0;
	}
	if (!r)
		r = model_version_tags_get(store->db, name, number, &out->tags, err);
	if (r)
		return r;
	out->version = number;
	out->description = steal_ptr(&v.description);
	out->user = steal_ptr(&v.user);
	out->source = steal_ptr(&v.source);
	out->location = steal_ptr(&v.location);
	out->run = steal_ptr(&v.run);
	out->run_link = steal_ptr(&v.run_link);
	out->model = steal_ptr(&v.model);
	out->stage = steal_ptr(&v.stage);
	out->status_message = steal_ptr(&v.status_message);
	out->created_ms = v.created_ms;
	out->updated_ms = v.updated_ms;
	out->status = MLFLOW_VERSION_READY;
	return 0;
}

static int read_versions(struct store *store, struct mlflow_registered *m, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(store->db, err,
			 "SELECT version FROM model_version WHERE name = ?1 ORDER BY version", "s",
			 m->name);
	struct ids numbers = { 0 };
	int r = read_ids(st, &numbers, err);

	for (size_t i = 0; !r && i < numbers.len; i++) {
		struct mlflow_version v = { 0 };

		r = read_version(store, m->name, numbers.v[i], &v, err);
		vec_push(&m->versions, v);
	}
	vec_free(&numbers);
	return r;
}

static int read_registered(struct store *store, const char *name, struct mlflow_registered *out,
			   struct mlp_error *err)
{
	_release_(registered_model_release) struct registered_model m = REGISTERED_MODEL_INIT;
	int r = registered_model_get(store->db, name, &m, err);

	if (!r)
		r = registered_model_tags_get(store->db, name, &out->tags, err);
	if (!r)
		r = model_aliases_get(store->db, name, 0, &out->aliases, err);
	if (r)
		return r;
	out->name = steal_ptr(&m.name);
	out->description = steal_ptr(&m.description);
	out->created_ms = m.created_ms;
	out->updated_ms = m.updated_ms;
	return read_versions(store, out, err);
}

static int registered_next(struct mlflow_source *s, struct mlflow_registered *out,
			   struct mlp_error *err)
{
	struct store *store = store_of(s);
	int r = 0;

	if (!store->next_name) {
		_cleanup_stmt_ struct db_stmt *st = db_query(
			store->db, err, "SELECT name FROM registered_model ORDER BY name", "");

		r = read_names(st, &store->names, err);
	}
	while (!r && store->next_name < store->names.len) {
		r = read_registered(store, store->names.v[store->next_name++], out, err);
		if (!r && (!store->part.n || mlflow_registered_of(out, &store->given)))
			return 1;
		mlflow_registered_release(out);
	}
	return r;
}

static void store_close(struct mlflow_source *s)
{
	struct store *store = store_of(s);

	vec_free(&store->experiments);
	vec_free(&store->runs);
	vec_free(&store->points);
	strvec_release(&store->models);
	strvec_release(&store->names);
	strmap_release(&store->given);
	metric_latests_release(&store->keys);
	artifacts_release(&store->artifacts);
	free(store);
}

static const struct mlflow_source_ops store_ops = {
	.experiment_next = experiment_next,
	.run_next = run_next,
	.points_next = points_next,
	.model_next = model_next,
	.artifact_next = artifact_next,
	.artifact_open = artifact_open,
	.registered_next = registered_next,
	.close = store_close,
};

struct mlflow_source *mlflow_source_store(struct db *db, const struct repo *repo,
					  const struct mlflow_store_part *part,
					  const struct mlp_events *events)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->source.ops = &store_ops;
	store->source.events = events;
	store->db = db;
	store->repo = repo;
	if (part)
		store->part = *part;
	return &store->source;
}
