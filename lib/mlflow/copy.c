/* SPDX-License-Identifier: Apache-2.0 */
/* One store of MLflow's world into another. */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "lib/mlflow/target.h"
#include "lib/util/hashmap.h"

struct walk {
	struct mlflow_source *from;
	struct mlflow_target *to;
	const struct mlflow_copy *options;
	struct strmap taken;	 /* ids of runs and logged models */
	struct strmap met;	 /* names of --experiment that the source has */
	int64_t runs_seen;
};

void mlflow_source_close(struct mlflow_source *s)
{
	if (s)
		s->ops->close(s);
}

void mlflow_target_close(struct mlflow_target *t)
{
	if (t)
		t->ops->close(t);
}

void mlflow_left_out(const struct mlflow_target *t, const char *fmt, ...)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	mlp_warn(t->events, "left out: %s", text.buf);
}

static bool takes_all(const struct walk *w)
{
	return !w->options->experiments || !w->options->experiments->len;
}

static bool takes_experiment(struct walk *w, const struct mlflow_experiment *e)
{
	const struct strvec *names = w->options->experiments;

	for (size_t i = 0; !takes_all(w) && i < names->len; i++)
		if (!strcmp(names->v[i], e->name)) {
			strmap_set(&w->met, e->name, w);
			return true;
		}
	return takes_all(w);
}

static int copy_artifact(struct walk *w, const struct mlflow_artifact *a, struct mlp_error *err)
{
	_cleanup_close_ int fd = -1;
	int r = w->to->ops->artifact_wanted(w->to, a, err);

	if (r <= 0)
		return r;
	fd = w->from->ops->artifact_open(w->from, a, err);
	if (fd == MLP_ENOTFOUND) {
		mlp_warn(w->options->events, "left out: %s", err ? err->text : a->path);
		return 0;
	}
	return fd < 0 ? fd : w->to->ops->artifact(w->to, a, fd, err);
}

static int copy_artifacts(struct walk *w, bool elsewhere, struct mlp_error *err)
{
	int r = 0;

	while (!elsewhere) {
		_release_(mlflow_artifact_release) struct mlflow_artifact a = { 0 };

		r = w->from->ops->artifact_next(w->from, &a, err);
		if (r <= 0)
			break;
		r = copy_artifact(w, &a, err);
		if (r)
			break;
	}
	return r;
}

static int copy_points(struct walk *w, struct mlp_error *err)
{
	struct mlflow_points points;
	int r;

	while ((r = w->from->ops->points_next(w->from, &points, err)) > 0) {
		r = w->to->ops->points(w->to, &points, err);
		if (r)
			return r;
	}
	return r;
}

static int copy_run(struct walk *w, struct mlflow_run *run, struct mlp_error *err)
{
	int r;

	if (w->options->without_artifacts)
		run->elsewhere = true;
	r = w->to->ops->run_begin(w->to, run, err);
	if (r)
		return MIN(r, 0);
	r = copy_points(w, err);
	if (!r)
		r = copy_artifacts(w, run->elsewhere, err);
	if (!r)
		r = w->to->ops->run_end(w->to, err);
	strmap_set(&w->taken, run->id, w);
	mlp_progress(w->options->events, "runs", ++w->runs_seen, 0);
	return r;
}

static int copy_model(struct walk *w, struct mlflow_model *m, struct mlp_error *err)
{
	int r;

	if (w->options->without_artifacts)
		m->elsewhere = true;
	r = w->to->ops->model_begin(w->to, m, err);
	if (r)
		return MIN(r, 0);
	r = copy_artifacts(w, m->elsewhere, err);
	if (!r)
		r = w->to->ops->model_end(w->to, err);
	strmap_set(&w->taken, m->id, w);
	return r;
}

static int copy_runs(struct walk *w, struct mlp_error *err)
{
	int r;

	do {
		_release_(mlflow_run_release) struct mlflow_run run = { 0 };

		r = w->from->ops->run_next(w->from, &run, err);
		if (r > 0) {
			r = copy_run(w, &run, err);
			r = r ? r : 1;
		}
	} while (r > 0);
	return r;
}

static int copy_models(struct walk *w, struct mlp_error *err)
{
	int r;

	do {
		_release_(mlflow_model_release) struct mlflow_model m = { 0 };

		r = w->from->ops->model_next(w->from, &m, err);
		if (r > 0) {
			r = copy_model(w, &m, err);
			r = r ? r : 1;
		}
	} while (r > 0);
	return r;
}

static int copy_experiment(struct walk *w, const struct mlflow_experiment *e,
			   struct mlp_error *err)
{
	int r = w->to->ops->experiment(w->to, e, err);

	if (r)
		return MIN(r, 0);
	r = copy_runs(w, err);
	return r ? r : copy_models(w, err);
}

static int copy_experiments(struct walk *w, struct mlp_error *err)
{
	int r;

	do {
		_release_(mlflow_experiment_release) struct mlflow_experiment e = { 0 };

		r = w->from->ops->experiment_next(w->from, &e, err);
		if (r <= 0 || !takes_experiment(w, &e))
			continue;
		r = copy_experiment(w, &e, err);
		r = r ? r : 1;
	} while (r > 0);
	return r;
}

static int copy_registry(struct walk *w, struct mlp_error *err)
{
	int r;

	do {
		_release_(mlflow_registered_release) struct mlflow_registered m = { 0 };

		r = w->from->ops->registered_next(w->from, &m, err);
		if (r > 0 && (takes_all(w) || mlflow_registered_of(&m, &w->taken))) {
			r = w->to->ops->registered(w->to, &m, err);
			r = r ? r : 1;
		}
	} while (r > 0);
	return r;
}

static int check_met(const struct walk *w, struct mlp_error *err)
{
	for (size_t i = 0; !takes_all(w) && i < w->options->experiments->len; i++)
		if (!strmap_get(&w->met, w->options->experiments->v[i]))
			return mlp_error_set(err, MLP_ENOTFOUND, "no experiment '%s' in the source",
					     w->options->experiments->v[i]);
	return 0;
}

int mlflow_copy(struct mlflow_source *from, struct mlflow_target *to,
		const struct mlflow_copy *options, struct mlp_error *err)
{
	struct walk w = { .from = from, .to = to, .options = options };
	int r = copy_experiments(&w, err);

	if (!r)
		r = copy_registry(&w, err);
	if (!r)
		r = check_met(&w, err);
	if (!r && to->ops->finish)
		r = to->ops->finish(to, err);
	strmap_release(&w.taken);
	strmap_release(&w.met);
	return r;
}
