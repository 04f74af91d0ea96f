/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "cmd/run_text.h"
#include "cmd/show/show.h"
#include "lib/json/read.h"
#include "lib/store/object.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"

void show_release(struct show_data *d)
{
	struct show_environment *e = &d->environment;

	run_release(&d->run);
	run_release(&d->parent);
	key_values_release(&d->params);
	key_values_release(&d->tags);
	metric_latests_release(&d->metrics);
	attempts_release(&d->attempts);
	run_command_release(&d->command);
	run_code_release(&d->code);
	run_files_release(&d->files);
	free(e->object);
	free(e->python);
	free(e->guessed_by);
	free(e->cpu);
	free(e->kernel);
	free(e->os);
	free(e->gpu);
	free(e->driver);
	free(e->cuda);
	free(e->container);
}

/* A part of a run that may be absent. */
static int optional(int r, bool *has)
{
	*has = r == 0;
	return r == MLP_ENOTFOUND ? 0 : r;
}

static char *text_at(const struct json *object, const char *key)
{
	const char *s = json_text(json_get(object, key));

	return s && *s ? xstrdup(s) : NULL;
}

static int read_document(struct cmd_ctx *ctx, const struct strbuf *text, struct show_environment *e)
{
	_cleanup_(json_free) struct json *doc = json_parse(text->buf, text->len, &ctx->err);
	const struct json *python = json_get(doc, "python"), *cpu = json_get(doc, "cpu");
	const struct json *gpu = json_get(doc, "gpu"), *devices = json_get(gpu, "devices");
	const struct json *container = json_get(doc, "container");

	if (!doc)
		return MLP_ECORRUPT;
	e->python = text_at(python, "version");
	e->guessed_by = text_at(python, "guessed_by");
	if (json_is_object(json_get(python, "packages")))
		e->packages = (int64_t)json_count(json_get(python, "packages"));
	e->cpu = text_at(cpu, "model");
	e->cores = json_integer(json_get(cpu, "usable"), -1);
	e->kernel = text_at(json_get(doc, "os"), "kernel");
	e->os = text_at(json_get(doc, "os"), "name");
	e->gpus = (int64_t)json_count(devices);
	e->gpu = text_at(json_next(devices, NULL), "model");
	e->driver = text_at(gpu, "driver");
	e->cuda = text_at(gpu, "cuda");
	e->container = text_at(container, "image");
	if (!e->container)
		e->container = text_at(container, "kind");
	return 0;
}

static int load_environment(struct cmd_ctx *ctx, struct show_data *d)
{
	_release_(strbuf_release) struct strbuf doc = STRBUF_INIT;
	int r = run_environment_object(ctx, d->run.id, &d->environment.object);

	d->environment.packages = d->environment.cores = -1;
	if (r || !d->environment.object)
		return r;
	/* A damaged document must not hide the rest of the run; mlp doctor finds it. */
	if (object_read(&ctx->repo, d->environment.object, ENVIRONMENT_MAX, &doc, &ctx->err) ||
	    read_document(ctx, &doc, &d->environment))
		cmd_warn("cannot read the recorded environment: %s", ctx->err.text);
	return 0;
}

int show_load(struct cmd_ctx *ctx, int64_t id, struct show_data *d)
{
	struct mlp_error *err = &ctx->err;
	struct db *db = ctx->db;
	int r = run_get(db, id, &d->run, err);

	if (!r && d->run.parent_id)
		r = run_get(db, d->run.parent_id, &d->parent, err);
	if (!r)
		r = params_get(db, id, &d->params, err);
	if (!r)
		r = tags_get(db, id, &d->tags, err);
	if (!r)
		r = metric_latest(db, id, &d->metrics, err);
	if (!r)
		r = attempts_get(db, id, &d->attempts, err);
	if (!r)
		r = optional(run_command_get(db, id, &d->command, err), &d->has_command);
	if (!r)
		r = optional(run_code_get(db, id, &d->code, err), &d->has_code);
	if (!r)
		r = run_files_get(db, id, 0, &d->files, err);
	if (!r)
		r = load_environment(ctx, d);
	if (!r)
		r = optional(cost_of_run(db, &ctx->repo.settings, d->run.uuid, &d->cost, err),
			     &d->has_cost);
	if (r)
		return r;
	run_short(d->run.uuid, d->id);
	d->status = live_status(&ctx->repo, &d->run);
	if (d->status == RUN_LOST)
		d->run.heartbeat_ms = live_last_seen(&ctx->repo, &d->run);
	d->supervisor = live_holder(&ctx->repo, d->run.uuid);
	return 0;
}

int show_series_read(struct cmd_ctx *ctx, int64_t run, const char *key, struct show_series *s)
{
	struct metric_points points = { 0 };
	int r = metric_read(ctx->db, run, key, &points, &ctx->err);

	*s = (struct show_series){ .n = points.len, .min = (double)NAN, .max = (double)NAN };
	s->step = xcalloc(points.len + 1, sizeof(double));
	s->time_ms = xcalloc(points.len + 1, sizeof(double));
	s->value = xcalloc(points.len + 1, sizeof(double));
	for (size_t i = 0; !r && i < points.len; i++) {
		double v = points.v[i].value;

		s->step[i] = (double)points.v[i].step;
		s->time_ms[i] = (double)clock_between(points.v[0].time_ms, points.v[i].time_ms);
		s->value[i] = v;
		if (!isfinite(v))
			continue;
		s->min = fmin(s->min, v);
		s->max = fmax(s->max, v);
	}
	vec_free(&points);
	return r;
}

void show_series_release(struct show_series *s)
{
	free(s->step);
	free(s->time_ms);
	free(s->value);
	*s = (struct show_series){ 0 };
}
