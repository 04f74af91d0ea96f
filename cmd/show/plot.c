/* SPDX-License-Identifier: Apache-2.0 */
/* mlp show --plot: a chart a metric, the runs over one another. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/chart.h"
#include "cmd/show/show.h"

enum { CHART_WIDTH_MAX = 200, CHART_HEIGHT = 20 };

/* Steps that never change (a script that logs none) say nothing: then it is time. */
static bool steps_differ(const struct show_series *all, size_t n)
{
	for (size_t s = 0; s < n; s++)
		for (size_t i = 1; i < all[s].n; i++)
			if (all[s].step[i] > all[s].step[0] || all[s].step[i] < all[s].step[0])
				return true;
	return false;
}

struct point {
	double x, y;
	size_t i;
};

static int by_x(const void *pa, const void *pb)
{
	const struct point *a = pa, *b = pb;

	if (a->x < b->x || a->x > b->x)
		return a->x < b->x ? -1 : 1;
	return a->i < b->i ? -1 : a->i > b->i;
}

/* Points come by time; a run that went back to a checkpoint has steps out of order. */
static void sort_by_step(struct show_series *s)
{
	_cleanup_free_ struct point *points = xcalloc(s->n + 1, sizeof(*points));

	for (size_t i = 0; i < s->n; i++)
		points[i] = (struct point){ s->step[i], s->value[i], i };
	qsort(points, s->n, sizeof(*points), by_x);
	for (size_t i = 0; i < s->n; i++) {
		s->step[i] = points[i].x;
		s->value[i] = points[i].y;
	}
}

static char *run_label(struct cmd_ctx *ctx, int64_t id)
{
	_release_(run_release) struct run run = RUN_INIT;

	return run_get(ctx->db, id, &run, NULL) ? xstrdup("?") : steal_ptr(&run.name);
}

static void draw(struct cmd_ctx *ctx, const char *key, struct show_series *all,
		 struct chart_series *series, size_t n, const struct show_opts *o)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	bool time = o->x ? !strcmp(o->x, "time") : !steps_differ(all, n);
	struct chart chart = {
		.printer = &ctx->out,
		.title = key,
		.x_name = time ? "time" : "step",
		.x_is_time = time,
		.width = o->width ? (int)o->width : MIN(ctx->out.width, CHART_WIDTH_MAX),
		.height = o->height ? (int)o->height : CHART_HEIGHT,
		.log = o->log,
		.series = series,
		.nseries = n,
	};

	for (size_t i = 0; i < n; i++) {
		if (!time)
			sort_by_step(&all[i]);
		series[i].x = time ? all[i].time_ms : all[i].step;
		series[i].y = all[i].value;
		series[i].n = all[i].n;
	}
	chart_add(&text, &chart);
	fwrite(text.buf, 1, text.len, ctx->out.f);
}

static int plot_key(struct cmd_ctx *ctx, const char *key, const int64_t *ids, size_t n,
		    const struct show_opts *o)
{
	_cleanup_free_ struct chart_series *series = xcalloc(n, sizeof(*series));
	_cleanup_free_ struct show_series *all = xcalloc(n, sizeof(*all));
	size_t used = 0;
	int r = 0;

	/* Runs without the metric are left out of the legend too. */
	for (size_t i = 0; !r && i < n; i++) {
		r = show_series_read(ctx, ids[i], key, &all[used]);
		if (!r && all[used].n)
			series[used++].label = run_label(ctx, ids[i]);
		else
			show_series_release(&all[used]);
	}
	if (!r && !used)
		r = mlp_error_set(&ctx->err, MLP_ENOTFOUND, "no points of metric '%s'", key);
	if (!r)
		draw(ctx, key, all, series, used, o);
	for (size_t i = 0; i < used; i++) {
		show_series_release(&all[i]);
		free((void *)(uintptr_t)series[i].label);
	}
	return r;
}

/* The points themselves, for programs that draw. */
static int list_points(struct cmd_ctx *ctx, const int64_t *ids, size_t n,
		       const struct show_opts *o)
{
	static const struct column cols[] = { { "run", "RUN" }, { "key", "METRIC" },
					      { "step", "STEP" }, { "time", "TIME" },
					      { "value", "VALUE" } };

	print_begin(&ctx->out, cols, ARRAY_SIZE(cols));
	for (size_t k = 0; k < o->plot.len * n; k++) {
		_release_(run_release) struct run run = RUN_INIT;
		const char *key = o->plot.v[k / n];
		struct metric_points points = { 0 };
		int r = run_get(ctx->db, ids[k % n], &run, &ctx->err);

		if (!r)
			r = metric_read(ctx->db, ids[k % n], key, &points, &ctx->err);
		for (size_t i = 0; !r && i < points.len; i++) {
			print_string(&ctx->out, run.uuid);
			print_string(&ctx->out, key);
			print_int(&ctx->out, points.v[i].step);
			print_time(&ctx->out, points.v[i].time_ms);
			print_double(&ctx->out, points.v[i].value);
			print_end_row(&ctx->out);
		}
		vec_free(&points);
		if (r)
			return r;
	}
	print_end(&ctx->out);
	return 0;
}

int show_plot(struct cmd_ctx *ctx, const int64_t *ids, size_t n, const struct show_opts *o)
{
	int r = 0;

	if (ctx->out.mode != PRINT_TEXT)
		return list_points(ctx, ids, n, o);
	for (size_t i = 0; !r && i < o->plot.len; i++) {
		if (i)
			fputc('\n', ctx->out.f);
		r = plot_key(ctx, o->plot.v[i], ids, n, o);
	}
	return r;
}
