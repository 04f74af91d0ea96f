/* SPDX-License-Identifier: Apache-2.0 */
/* A live server as a target: experiments, runs and their points. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "lib/mlflow/live.h"
#include "lib/mlflow/wire.h"
#include "lib/net/net.h"
#include "lib/track/series.h"
#include "lib/util/xalloc.h"

enum { METRICS_MAX = 1000, PAIRS_MAX = 100 }; /* of one log-batch */

static struct live_target *live_of(struct mlflow_target *base)
{
	return (struct live_target *)base;
}

struct live_twin *live_twin_add(struct strmap *map, const char *ours, const char *id,
				const char *artifacts)
{
	struct live_twin *twin = xcalloc(1, sizeof(*twin));

	twin->id = xstrdup(id);
	twin->artifacts = xstrdup_null(artifacts);
	strmap_set(map, ours, twin);
	return twin;
}

static void twins_release(struct strmap *map)
{
	for (size_t i = 0; i < map->len; i++) {
		struct live_twin *twin = map->entries[i].value;

		free(twin->id);
		free(twin->artifacts);
		free(twin);
	}
	strmap_release(map);
}

int live_send_list(struct live_target *t, const char *target, const char *run, const char *name,
		   const struct strbuf *list, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	json_open(&w, '{');
	json_put_string(&w, "run_id", run);
	json_key(&w, name);
	json_open(&w, '[');
	json_raw(&w, list->buf, list->len);
	json_close(&w, ']');
	json_close(&w, '}');
	return peer_change(t->peer, PEER_POST, target, &body, NULL, err);
}

/* --- What waits for another id ------------------------------------------------- */

void live_wait(struct live_target *t, int kind, const char *waits, int64_t step)
{
	vec_push(&t->pending, ((struct live_pending){ .kind = kind, .run = xstrdup(t->twin->id),
						      .waits = xstrdup(waits), .step = step }));
}

static int settle_one(struct live_target *t, const struct live_pending *p, const char *theirs,
		      struct mlp_error *err)
{
	_cleanup_free_ char *use = xasprintf("%s/%s", p->run, theirs);
	_release_(strbuf_release) struct strbuf list = STRBUF_INIT;
	struct json_writer w = { .out = &list };

	if (p->kind != PENDING_PARENT && strmap_get(&t->uses, use))
		return 0;
	json_open(&w, '{');
	json_put_string(&w, p->kind == PENDING_PARENT ? "value" : "model_id", theirs);
	if (p->kind == PENDING_PARENT)
		json_put_string(&w, "key", LIVE_PARENT_TAG);
	if (p->kind == PENDING_OUTPUT)
		json_put_int(&w, "step", p->step);
	json_close(&w, '}');
	if (p->kind == PENDING_PARENT)
		return live_send_list(t, "mlflow/runs/log-batch", p->run, "tags", &list, err);
	return live_send_list(t, p->kind == PENDING_INPUT ? "mlflow/runs/log-inputs" :
							     "mlflow/runs/outputs",
			      p->run, "models", &list, err);
}

static void pending_release(struct live_pending *p)
{
	free(p->run);
	free(p->waits);
}

int live_settle(struct live_target *t, const char *ours, const char *theirs,
		struct mlp_error *err)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < t->pending.len; i++) {
		struct live_pending p = t->pending.v[i];

		if (r || strcmp(p.waits, ours) != 0) {
			t->pending.v[kept++] = p;
			continue;
		}
		r = settle_one(t, &p, theirs, err);
		pending_release(&p);
	}
	t->pending.len = kept;
	return r;
}

/* --- Experiments --------------------------------------------------------------- */

static int find_experiment(struct live_target *t, const char *name, struct json **out,
			   struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	struct mlp_error why = MLP_ERROR_INIT;
	int r;

	strbuf_addstr(&target, "mlflow/experiments/get-by-name?experiment_name=");
	net_add_escaped(&target, name);
	r = peer_get(t->peer, target.buf, out, &why);
	if (r == MLP_ENOTFOUND)
		return 0;
	if (r && err)
		*err = why;
	return r;
}

static int make_experiment(struct live_target *t, const struct mlflow_experiment *e,
			   struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	struct json_writer w = { .out = &body };
	int r;

	t->experiment_new = true;
	t->base.counts.experiments++;
	if (t->dry)
		return 0;
	json_open(&w, '{');
	json_put_string(&w, "name", e->name);
	wire_put_pairs(&w, "tags", &e->tags);
	json_close(&w, '}');
	r = peer_change(t->peer, PEER_POST_ONCE, "mlflow/experiments/create", &body, &doc, err);
	if (r)
		return r;
	t->experiment = json_as_text(json_get(doc, "experiment_id"));
	return t->experiment ? 0 :
			       mlp_error_set(err, MLP_EFAIL, "'%s' makes an experiment without an id",
					     peer_name(t->peer));
}

/* Tags that the server lacks or has otherwise. */
static int add_experiment_tags(struct live_target *t, const struct mlflow_experiment *e,
			       const struct mlflow_experiment *there, struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; !t->dry && !r && i < e->tags.len; i++) {
		_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
		struct json_writer w = { .out = &body };
		const char *value = key_values_get(&there->tags, e->tags.v[i].key);

		if (value && !strcmp(value, e->tags.v[i].value))
			continue;
		json_open(&w, '{');
		json_put_string(&w, "experiment_id", t->experiment);
		json_put_string(&w, "key", e->tags.v[i].key);
		json_put_string(&w, "value", e->tags.v[i].value);
		json_close(&w, '}');
		r = peer_change(t->peer, PEER_POST, "mlflow/experiments/set-experiment-tag", &body,
				NULL, err);
	}
	return r;
}

static int take_experiment(struct mlflow_target *base, const struct mlflow_experiment *e,
			   struct mlp_error *err)
{
	_release_(mlflow_experiment_release) struct mlflow_experiment there = { 0 };
	_cleanup_(json_free) struct json *doc = NULL;
	struct live_target *t = live_of(base);
	int r = find_experiment(t, e->name, &doc, err);

	free(t->experiment);
	t->experiment = NULL;
	t->experiment_new = false;
	if (r)
		return r;
	if (!doc)
		return make_experiment(t, e, err);
	if (!wire_read_experiment(json_get(doc, "experiment"), &there))
		return mlp_error_set(err, MLP_EFAIL, "'%s' has an experiment without an id",
				     peer_name(t->peer));
	if (there.deleted) {
		mlflow_left_out(&t->base, "experiment '%s', which is deleted there", e->name);
		return 1;
	}
	t->experiment = xstrdup(there.id);
	return add_experiment_tags(t, e, &there, err);
}

/* --- Runs ---------------------------------------------------------------------- */

void live_close(struct live_target *t)
{
	json_free(t->there);
	strmap_release(&t->files);
	strbuf_clear(&t->metrics);
	t->there = NULL;
	t->run = NULL;
	t->model = NULL;
	t->twin = NULL;
	t->grown = t->files_listed = t->files_refused = false;
	t->waiting = 0;
}

static int search_run(struct live_target *t, const char *id, struct json **out,
		      struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	_cleanup_free_ char *filter = xasprintf("tags.`" LIVE_RUN_TAG "` = '%s'", id);
	struct json_writer w = { .out = &body };

	json_open(&w, '{');
	json_key(&w, "experiment_ids");
	json_open(&w, '[');
	json_string(&w, t->experiment);
	json_close(&w, ']');
	json_put_string(&w, "filter", filter);
	json_put_string(&w, "run_view_type", "ALL");
	json_put_int(&w, "max_results", 1);
	json_close(&w, '}');
	return peer_search(t->peer, "mlflow/runs/search", &body, out, err);
}

/* As the server has it: found by our tag, or, where we have it from this server, by its id. */
static int find_run(struct live_target *t, const char *id, struct json **doc,
		    const struct json **run, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	struct mlp_error why = MLP_ERROR_INIT;
	int r;

	if (t->experiment_new)
		return 0;
	r = search_run(t, id, doc, err);
	*run = json_next(json_get(*doc, "runs"), NULL);
	if (r || *run)
		return r;
	json_free(*doc);
	*doc = NULL;
	strbuf_addstr(&target, "mlflow/runs/get?run_id=");
	net_add_escaped(&target, id);
	r = peer_get(t->peer, target.buf, doc, &why);
	*run = json_get(*doc, "run");
	if (r && r != MLP_ENOTFOUND && err)
		*err = why;
	return r == MLP_ENOTFOUND ? 0 : r;
}

static int make_run(struct live_target *t, const struct mlflow_run *run, struct mlp_error *err)
{
	_release_(mlflow_run_release) struct mlflow_run made = { 0 };
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	const char *parent = key_values_get(&run->tags, LIVE_PARENT_TAG);
	const struct live_twin *twin = parent ? strmap_get(&t->runs, parent) : NULL;
	char parent_tag[] = LIVE_PARENT_TAG;
	struct key_value tag = { parent_tag, twin ? twin->id : NULL };
	struct key_values tags = { &tag, twin != NULL, 1 };
	struct json_writer w = { .out = &body };
	int r;

	json_open(&w, '{');
	json_put_string(&w, "experiment_id", t->experiment);
	if (run->name)
		json_put_string(&w, "run_name", run->name);
	if (run->user)
		json_put_string(&w, "user_id", run->user);
	if (run->started_ms)
		json_put_int(&w, "start_time", run->started_ms);
	wire_put_pairs_and(&w, "tags", &tags, LIVE_RUN_TAG, run->id);
	json_close(&w, '}');
	r = peer_change(t->peer, PEER_POST_ONCE, "mlflow/runs/create", &body, &doc, err);
	if (r)
		return r;
	if (!wire_read_run(json_get(doc, "run"), &made))
		return mlp_error_set(err, MLP_EFAIL, "'%s' makes a run without an id",
				     peer_name(t->peer));
	t->twin = live_twin_add(&t->runs, run->id, made.id, made.artifact_uri);
	return 0;
}

/* Appends {"key":..., "value":...}, at most PAIRS_MAX a request. */
static int send_pairs(struct live_target *t, const char *name, const struct key_values *list,
		      struct mlp_error *err)
{
	int r = 0;

	for (size_t start = 0; !r && start < list->len; start += PAIRS_MAX) {
		_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
		struct json_writer w = { .out = &text };

		for (size_t i = start; i < MIN(start + PAIRS_MAX, list->len); i++) {
			json_open(&w, '{');
			json_put_string(&w, "key", list->v[i].key);
			json_put_string(&w, "value", list->v[i].value);
			json_close(&w, '}');
		}
		r = live_send_list(t, "mlflow/runs/log-batch", t->twin->id, name, &text, err);
	}
	t->grown |= list->len > 0;
	return r;
}

/* Those of a run that the server lacks; the list's strings are borrowed. */
static int send_params(struct live_target *t, const struct mlflow_run *there,
		       struct mlp_error *err)
{
	struct key_values list = { 0 };
	int r;

	for (size_t i = 0; i < t->run->params.len; i++) {
		const struct key_value *p = &t->run->params.v[i];
		const char *value = key_values_get(&there->params, p->key);

		if (!value)
			vec_push(&list, *p);
		else if (strcmp(value, p->value) != 0)
			mlflow_left_out(&t->base, "parameter '%s' of run %s, which has another value there",
					p->key, t->run->id);
	}
	r = send_pairs(t, "params", &list, err);
	vec_free(&list);
	return r;
}

static int send_tags(struct live_target *t, const struct mlflow_run *there, struct mlp_error *err)
{
	struct key_values list = { 0 };
	int r;

	for (size_t i = 0; i < t->run->tags.len; i++) {
		struct key_value tag = t->run->tags.v[i];
		const char *value = key_values_get(&there->tags, tag.key);

		if (!strcmp(tag.key, LIVE_RUN_TAG))
			continue;
		if (!strcmp(tag.key, LIVE_PARENT_TAG)) {
			const struct live_twin *parent = strmap_get(&t->runs, tag.value);

			if (parent)
				tag.value = parent->id;
			else if (!value)
				live_wait(t, PENDING_PARENT, tag.value, 0);
		}
		if (!value || strcmp(value, tag.value) != 0)
			vec_push(&list, tag);
	}
	r = send_pairs(t, "tags", &list, err);
	vec_free(&list);
	return r;
}

static bool has_input(const struct mlflow_run *there, const struct dataset *d)
{
	for (size_t i = 0; i < there->inputs.len; i++)
		if (!strcmp(there->inputs.v[i].name, d->name) &&
		    !strcmp(there->inputs.v[i].digest, d->digest))
			return true;
	return false;
}

/* MLflow refuses a link of a run and a model that it has. */
static void keep_uses(struct live_target *t, const struct model_uses *uses)
{
	for (size_t i = 0; i < uses->len; i++) {
		_cleanup_free_ char *key = xasprintf("%s/%s", t->twin->id, uses->v[i].model);

		strmap_set(&t->uses, key, t);
	}
}

static int send_inputs(struct live_target *t, const struct mlflow_run *there,
		       struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct json_writer w = { .out = &text };
	const struct mlflow_run *run = t->run;

	for (size_t i = 0; i < run->inputs.len; i++)
		if (!has_input(there, &run->inputs.v[i]))
			wire_put_dataset(&w, &run->inputs.v[i]);
	/* Models come behind the runs of their experiment: their ids are not known yet. */
	keep_uses(t, &there->model_inputs);
	keep_uses(t, &there->model_outputs);
	for (size_t i = 0; i < run->model_inputs.len; i++)
		live_wait(t, PENDING_INPUT, run->model_inputs.v[i].model, 0);
	for (size_t i = 0; i < run->model_outputs.len; i++)
		live_wait(t, PENDING_OUTPUT, run->model_outputs.v[i].model,
			  run->model_outputs.v[i].step);
	if (!text.len)
		return 0;
	t->grown = true;
	return live_send_list(t, "mlflow/runs/log-inputs", t->twin->id, "datasets", &text, err);
}

static int begin_run(struct mlflow_target *base, const struct mlflow_run *run,
		     struct mlp_error *err)
{
	_release_(mlflow_run_release) struct mlflow_run there = { 0 };
	struct live_target *t = live_of(base);
	const struct json *found = NULL;
	int r;

	live_close(t);
	r = find_run(t, run->id, &t->there, &found, err);
	if (r)
		return r;
	t->run = run;
	if (found && !wire_read_run(found, &there))
		return mlp_error_set(err, MLP_EFAIL, "'%s' has a run without an id",
				     peer_name(t->peer));
	if (found && there.deleted) {
		mlflow_left_out(&t->base, "run %s, which is deleted there", run->id);
		return 1;
	}
	if (found)
		t->twin = live_twin_add(&t->runs, run->id, there.id, there.artifact_uri);
	else if (!t->dry)
		r = make_run(t, run, err);
	if (t->dry || r)
		return r;
	r = send_params(t, &there, err);
	if (!r)
		r = send_tags(t, &there, err);
	return r ? r : send_inputs(t, &there, err);
}

/* The run as it was found, or NULL. */
static const struct json *run_there(const struct live_target *t)
{
	const struct json *runs = json_get(t->there, "runs");

	return runs ? json_next(runs, NULL) : json_get(t->there, "run");
}

static int flush(struct live_target *t, struct mlp_error *err)
{
	int r = t->waiting ? live_send_list(t, "mlflow/runs/log-batch", t->twin->id, "metrics",
					    &t->metrics, err) : 0;

	strbuf_clear(&t->metrics);
	t->writer = (struct json_writer){ .out = &t->metrics };
	t->waiting = 0;
	return r;
}

static int by_step(const void *a, const void *b)
{
	const struct metric_point *x = a, *y = b;

	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	return series_compare(x, y);
}

/* The server's latest point of a key, by (step, time, value). */
static bool latest_there(const struct live_target *t, const char *key, struct metric_point *out)
{
	const struct json *list = json_get(json_get(run_there(t), "data"), "metrics"), *v = NULL;

	while ((v = json_next(list, v))) {
		const char *name = json_text(json_get(v, "key"));

		if (name && !strcmp(name, key))
			return wire_read_point(v, out);
	}
	return false;
}

/*
 * Points go by (step, time, value), so that what a copy that was broken off sent is all up to
 * the server's latest point.  That asks for a source that gives a series in one batch.
 */
static int take_points(struct mlflow_target *base, const struct mlflow_points *points,
		       struct mlp_error *err)
{
	_cleanup_free_ struct metric_point *sorted = xreallocarray(NULL, points->n + 1,
								   sizeof(*sorted));
	struct live_target *t = live_of(base);
	struct metric_point last;
	bool some = latest_there(t, points->key, &last);
	int r = 0;

	for (size_t i = 0; i < points->n; i++) {
		sorted[i] = points->v[i];
		sorted[i].value = metric_from_mlflow(sorted[i].value);
	}
	qsort(sorted, points->n, sizeof(*sorted), by_step);
	if (!t->waiting)
		t->writer = (struct json_writer){ .out = &t->metrics };
	for (size_t i = 0; !r && i < points->n; i++) {
		if (some && by_step(&sorted[i], &last) <= 0)
			continue;
		t->base.counts.points++;
		t->grown = true;
		if (t->dry)
			continue;
		json_open(&t->writer, '{');
		wire_put_point(&t->writer, points->key, &sorted[i]);
		json_close(&t->writer, '}');
		if (++t->waiting == METRICS_MAX)
			r = flush(t, err);
	}
	return r;
}

/* Status and end, when they are others there. */
static int send_state(struct live_target *t, struct mlp_error *err)
{
	const struct json *info = json_get(run_there(t), "info");
	const char *status = json_text(json_get(info, "status"));
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	if (status && !strcmp(status, run_status_mlflow(t->run->status)) &&
	    wire_integer(json_get(info, "end_time"), 0) == t->run->ended_ms)
		return 0;
	t->grown = true;
	json_open(&w, '{');
	json_put_string(&w, "run_id", t->twin->id);
	json_put_string(&w, "status", run_status_mlflow(t->run->status));
	if (t->run->ended_ms)
		json_put_int(&w, "end_time", t->run->ended_ms);
	json_close(&w, '}');
	return peer_change(t->peer, PEER_POST, "mlflow/runs/update", &body, NULL, err);
}

static int end_run(struct mlflow_target *base, struct mlp_error *err)
{
	struct live_target *t = live_of(base);
	bool known = run_there(t);
	int r = 0;

	if (!t->dry) {
		r = flush(t, err);
		if (!r)
			r = send_state(t, err);
		if (!r)
			r = live_settle(t, t->run->id, t->twin->id, err);
	}
	if (!known && t->run->elsewhere && mlflow_run_place(t->run))
		mlp_warn(base->events, "run %s has its files at '%s', which the server is not told",
			 t->run->id, mlflow_run_place(t->run));
	if (!known)
		base->counts.runs++;
	else if (t->grown)
		base->counts.runs_grown++;
	else
		base->counts.runs_known++;
	live_close(t);
	return r;
}

static void close_target(struct mlflow_target *base)
{
	struct live_target *t = live_of(base);

	live_close(t);
	for (size_t i = 0; i < t->pending.len; i++)
		pending_release(&t->pending.v[i]);
	vec_free(&t->pending);
	strmap_release(&t->uses);
	twins_release(&t->runs);
	twins_release(&t->models);
	strbuf_release(&t->metrics);
	free(t->experiment);
	peer_close(t->peer);
	free(t);
}

static const struct mlflow_target_ops ops = {
	.experiment = take_experiment,
	.run_begin = begin_run,
	.points = take_points,
	.run_end = end_run,
	.model_begin = live_model_begin,
	.model_end = live_model_end,
	.artifact_wanted = live_artifact_wanted,
	.artifact = live_artifact,
	.registered = live_registered,
	.close = close_target,
};

int mlflow_target_live(struct mlflow_target **out, const char *where, bool dry,
		       const struct mlp_events *events, struct mlp_error *err)
{
	struct live_target *t = xcalloc(1, sizeof(*t));
	int r = peer_open(&t->peer, where, events, err);

	if (r) {
		free(t);
		return r;
	}
	t->base.ops = &ops;
	t->base.events = events;
	t->dry = dry;
	strbuf_init(&t->metrics);
	*out = &t->base;
	return 0;
}
