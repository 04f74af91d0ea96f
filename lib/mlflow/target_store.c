/* SPDX-License-Identifier: Apache-2.0 */
/* Our own store as a target: experiments and runs. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "lib/core/id.h"
#include "lib/mlflow/store.h"
#include "lib/track/adopt.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

enum { NAME_MAX_BYTES = 1000, DATASET_TEXT_MAX = 1 << 24 };

static struct store_target *store_of(struct mlflow_target *base)
{
	return (struct store_target *)base;
}

char *store_text(const char *s, size_t max)
{
	struct strbuf out = STRBUF_INIT;
	size_t len = s ? strlen(s) : 0;

	if (!s)
		return NULL;
	for (size_t i = 0, n; i < len && out.len <= max; i += n) {
		n = text_utf8_sequence(s + i, len - i);
		if (n)
			strbuf_add(&out, s + i, n);
		else
			strbuf_addstr(&out, "\xef\xbf\xbd");
		n = n ? n : 1;
	}
	strbuf_setlen(&out, text_utf8_cut(out.buf, max));
	return strbuf_detach(&out);
}

bool store_pair(struct store_target *t, const char *owner, const struct key_value *from,
		size_t max, struct key_value *out)
{
	if (!key_is_valid(from->key, strlen(from->key))) {
		mlflow_left_out(&t->base, "'%s' of '%s' cannot name anything", from->key, owner);
		return false;
	}
	out->key = from->key;
	out->value = store_text(from->value, max);
	if (strlen(from->value) > max)
		mlp_warn(t->base.events, "the value of '%s' of '%s' is cut to %zu bytes", from->key,
			 owner, max);
	return true;
}

/* Where artifacts are that only their owner can read: "s3://...", not a path or our own. */
static bool is_remote(const char *uri)
{
	return uri && strstr(uri, "://") && strncmp(uri, "file:", 5) != 0 &&
	       strncmp(uri, "mlflow-artifacts:", 17) != 0;
}

/* The experiment's row as it is to be; strings are borrowed. */
static struct experiment experiment_row(const struct mlflow_experiment *e)
{
	int64_t now = clock_ms(), id = -1;
	struct experiment row = { .name = e->name, .created_ms = e->created_ms };

	if (text_parse_int(e->id, &id))
		row.id = id;
	if (!row.created_ms)
		row.created_ms = e->updated_ms ? e->updated_ms : now;
	row.updated_ms = MAX(row.created_ms, e->updated_ms);
	row.deleted_ms = e->deleted ? row.updated_ms : 0;
	if (is_remote(e->artifact_location))
		row.artifact_location = e->artifact_location;
	return row;
}

static int put_experiment(struct store_target *t, bool *made, struct mlp_error *err)
{
	struct experiment row = experiment_row(&t->experiment);
	int r = experiment_adopt(t->db, &row, made, err);

	t->experiment_id = row.id;
	for (size_t i = 0; i < t->experiment.tags.len && !r; i++)
		r = experiment_tag_adopt(t->db, row.id, &t->experiment.tags.v[i], err);
	return r;
}

int store_begin(struct store_target *t, struct db **txn, struct mlp_error *err)
{
	bool made;
	int r = db_txn(txn, t->db, err);

	if (!r && t->dry && t->experiment.id)
		r = put_experiment(t, &made, err);
	return r;
}

int store_commit(struct store_target *t, struct db **txn, struct mlp_error *err)
{
	if (!t->dry)
		return db_txn_commit(txn, err);
	db_rollback(steal_ptr(txn));
	return 0;
}

static void keep_experiment(struct store_target *t, const struct mlflow_experiment *e)
{
	struct mlflow_experiment *own = &t->experiment;

	mlflow_experiment_release(own);
	*own = (struct mlflow_experiment){
		.id = xstrdup(e->id),
		.name = store_text(e->name, EXPERIMENT_NAME_MAX),
		.artifact_location = store_text(e->artifact_location, NAME_MAX_BYTES),
		.deleted = e->deleted,
		.created_ms = e->created_ms,
		.updated_ms = e->updated_ms,
	};
	for (size_t i = 0; i < e->tags.len; i++) {
		struct key_value tag;

		if (!store_pair(t, own->name, &e->tags.v[i], EXPERIMENT_TAG_MAX, &tag))
			continue;
		tag.key = xstrdup(tag.key);
		vec_push(&own->tags, tag);
	}
}

static int take_experiment(struct mlflow_target *base, const struct mlflow_experiment *e,
			   struct mlp_error *err)
{
	struct store_target *t = store_of(base);
	_cleanup_txn_ struct db *txn = NULL;
	bool made;
	int64_t id;
	int r;

	if (!e->name || !*e->name) {
		mlflow_left_out(&t->base, "experiment %s, which has no name", e->id);
		return 1;
	}
	keep_experiment(t, e);
	r = db_txn(&txn, t->db, err);
	if (!r)
		r = put_experiment(t, &made, err);
	if (r)
		return r;
	if (!text_parse_int(e->id, &id) || id != t->experiment_id)
		mlp_note(base->events, "experiment '%s' has the id %s there and %" PRId64 " here",
			 t->experiment.name, e->id, t->experiment_id);
	base->counts.experiments += made;
	return store_commit(t, &txn, err);
}

static int find_run(struct store_target *t, const char *uuid, struct mlp_error *err)
{
	int64_t id;
	int r = run_find(t->db, uuid, &id, err);

	if (r)
		return r == MLP_ENOTFOUND ? 0 : r;
	return run_get(t->db, id, &t->run.row, err);
}

static void run_close(struct store_target *t)
{
	struct open_run *run = &t->run;

	run_release(&run->row);
	metric_bulk_free(run->bulk);
	metric_batch_free(run->batch);
	free(run->key);
	vec_free(&run->series);
	*run = (struct open_run){ 0 };
	store_clear_files(t);
}

static int begin_run(struct mlflow_target *base, const struct mlflow_run *source,
		     struct mlp_error *err)
{
	struct store_target *t = store_of(base);
	int r;

	run_close(t);
	t->model = NULL;
	if (!mlp_id_valid(source->id)) {
		mlflow_left_out(&t->base, "run '%s': that is no id of one", source->id);
		return 1;
	}
	t->run.source = source;
	r = find_run(t, source->id, err);
	t->run.replaces = t->run.row.id && !run_status_ended(t->run.row.status) &&
			  !t->run.row.heartbeat_ms;
	if (t->run.row.id)
		t->run.batch = metric_batch_new();
	else
		t->run.bulk = metric_bulk_new();
	return r;
}

static const char *either(const char *a, const char *b, const char *otherwise)
{
	if (a && *a)
		return a;
	return b && *b ? b : otherwise;
}

/* The row as the source has it. */
static void fill_row(const struct store_target *t, const struct mlflow_run *s, struct run *row)
{
	const char *name = either(s->name, key_values_get(&s->tags, "mlflow.runName"), s->id);
	const char *user = either(s->user, key_values_get(&s->tags, "mlflow.user"), "");
	int64_t end = s->ended_ms ? s->ended_ms : s->started_ms;

	free(row->name);
	free(row->user);
	row->name = store_text(name, NAME_MAX_BYTES);
	row->user = store_text(user, NAME_MAX_BYTES);
	row->status = s->status;
	row->started_ms = s->started_ms;
	row->ended_ms = s->ended_ms;
	row->deleted_ms = s->deleted ? MAX(s->deleted_ms ? s->deleted_ms : end, 1) : 0;
	if (!row->id) {
		row->uuid = xstrdup(s->id);
		row->experiment_id = t->experiment_id;
		if (s->elsewhere)
			row->artifact_uri = store_text(s->artifact_uri, RUN_TAG_MAX);
	}
}

static int put_row(struct store_target *t, bool *changed, struct mlp_error *err)
{
	const struct mlflow_run *source = t->run.source;
	struct run *row = &t->run.row;

	if (!row->id) {
		fill_row(t, source, row);
		*changed = true;
		return run_adopt(t->db, row, err);
	}
	if (t->run.replaces)
		fill_row(t, source, row);
	/* Artifacts that came along now are ours from here on. */
	if (!source->elsewhere && row->artifact_uri) {
		free(row->artifact_uri);
		row->artifact_uri = NULL;
	}
	return run_adopt_state(t->db, row, changed, err);
}

static int put_pairs(struct store_target *t, bool *changed, struct mlp_error *err)
{
	const struct mlflow_run *s = t->run.source;
	int64_t run = t->run.row.id;
	int r = 0;

	for (size_t i = 0; i < s->params.len && !r; i++) {
		struct key_value pair;

		if (!store_pair(t, s->id, &s->params.v[i], RUN_PARAM_MAX, &pair))
			continue;
		r = param_adopt(t->db, run, &pair, changed, err);
		free(pair.value);
	}
	for (size_t i = 0; i < s->tags.len && !r; i++) {
		struct key_value pair;

		if (!store_pair(t, s->id, &s->tags.v[i], RUN_TAG_MAX, &pair))
			continue;
		r = tag_adopt(t->db, run, &pair, t->run.replaces, changed, err);
		free(pair.value);
	}
	return r;
}

static int put_input(struct store_target *t, const struct dataset *d, struct mlp_error *err)
{
	struct dataset own = { .name = store_text(d->name, DATASET_TEXT_MAX),
			       .digest = store_text(d->digest, DATASET_TEXT_MAX),
			       .source_type = store_text(d->source_type, DATASET_TEXT_MAX),
			       .source = store_text(d->source, DATASET_TEXT_MAX),
			       .schema = store_text(d->schema, DATASET_TEXT_MAX),
			       .profile = store_text(d->profile, DATASET_TEXT_MAX) };
	int r;

	for (size_t i = 0; i < d->tags.len; i++)
		vec_push(&own.tags, ((struct key_value){
					    store_text(d->tags.v[i].key, RUN_KEY_MAX),
					    store_text(d->tags.v[i].value, RUN_TAG_MAX) }));
	r = dataset_use(t->db, t->run.row.id, &own, err);
	dataset_release(&own);
	return r;
}

static int put_uses(struct store_target *t, struct mlp_error *err)
{
	const struct mlflow_run *s = t->run.source;
	int64_t run = t->run.row.id;
	int r = 0;

	for (size_t i = 0; i < s->inputs.len && !r; i++)
		r = put_input(t, &s->inputs.v[i], err);
	for (size_t i = 0; i < s->model_inputs.len && !r; i++)
		r = model_input(t->db, run, s->model_inputs.v[i].model, err);
	for (size_t i = 0; i < s->model_outputs.len && !r; i++)
		r = model_output(t->db, run, s->model_outputs.v[i].model,
				 s->model_outputs.v[i].step, err);
	return r;
}

static int put_files(struct store_target *t, struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; i < t->files.len && !r; i++)
		r = run_file_put(t->db, t->run.row.id, &t->files.v[i], err);
	return r;
}

static int put_run(struct store_target *t, bool *changed, struct mlp_error *err)
{
	struct open_run *run = &t->run;
	int r = put_row(t, changed, err);

	if (!r)
		r = put_pairs(t, changed, err);
	if (!r)
		r = put_uses(t, err);
	if (!r && run->bulk)
		r = metric_bulk_commit(run->bulk, t->db, run->row.id, err);
	else if (!r)
		r = metric_batch_commit(run->batch, t->db, run->row.id, err);
	if (!r)
		r = put_files(t, err);
	return r ? r : run_adopt_family(t->db, &run->row, err);
}

static void count_run(struct store_target *t, bool is_new, bool changed, int64_t points)
{
	struct mlflow_counts *counts = &t->base.counts;

	counts->runs += is_new;
	counts->runs_grown += !is_new && changed;
	counts->runs_known += !is_new && !changed;
	counts->points += points;
	counts->artifacts += (int64_t)t->files.len;
	counts->artifact_bytes += t->bytes;
	counts->elsewhere += t->run.source->elsewhere;
}

/* Has somebody else taken the run in since it was begun?  1 or 0. */
static int is_taken(struct store_target *t, struct mlp_error *err)
{
	int64_t id;
	int r = run_find(t->db, t->run.source->id, &id, err);

	return r ? (r == MLP_ENOTFOUND ? 0 : r) : !t->run.row.id;
}

static int write_run(struct store_target *t, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	bool is_new = !t->run.row.id, changed = false;
	int64_t points = is_new ? metric_bulk_points(t->run.bulk) :
				  (int64_t)metric_batch_points(t->run.batch);
	int r = store_begin(t, &txn, err);

	if (!r)
		r = is_taken(t, err);
	if (r > 0) {
		t->base.counts.runs_known++;
		return 0;
	}
	if (!r)
		r = put_run(t, &changed, err);
	if (!r)
		r = store_commit(t, &txn, err);
	if (!r)
		count_run(t, is_new, changed || points || t->files.len, points);
	return r;
}

static int end_run(struct mlflow_target *base, struct mlp_error *err)
{
	struct store_target *t = store_of(base);
	int r = store_end_series(t, err);

	if (!r)
		r = store_sync_files(t, err);
	if (!r)
		r = write_run(t, err);
	run_close(t);
	return r;
}

static void close_store(struct mlflow_target *base)
{
	struct store_target *t = store_of(base);

	run_close(t);
	object_batch_free(t->objects);
	mlflow_experiment_release(&t->experiment);
	free(t);
}

static const struct mlflow_target_ops ops = {
	.experiment = take_experiment,
	.run_begin = begin_run,
	.points = store_points,
	.run_end = end_run,
	.model_begin = store_model_begin,
	.model_end = store_model_end,
	.artifact_wanted = store_artifact_wanted,
	.artifact = store_artifact,
	.registered = store_registered,
	.close = close_store,
};

struct mlflow_target *mlflow_target_store(struct db *db, const struct repo *repo, bool dry,
					 const struct mlp_events *events)
{
	struct store_target *t = xcalloc(1, sizeof(*t));

	t->base.ops = &ops;
	t->base.events = events;
	t->db = db;
	t->repo = repo;
	t->dry = dry;
	t->objects = object_batch_new(repo);
	return &t->base;
}
