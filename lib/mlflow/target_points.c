/* SPDX-License-Identifier: Apache-2.0 */
/* Our own store as a target: the points of a run. */
#include "config.h"

#include <string.h>

#include "lib/mlflow/store.h"
#include "lib/track/compact.h"
#include "lib/track/series.h"

/* Those of the series that the run does not have yet go into the batch. */
static int add_missing(struct store_target *t, struct mlp_error *err)
{
	_cleanup_free_ struct metric_point *known_points = NULL;
	struct metric_points known = VEC_INIT, *series = &t->run.series;
	size_t k = 0;
	int r = metric_read(t->db, t->run.row.id, t->run.key, &known, err);

	known_points = known.v;
	compact_sort(series, 0);
	for (size_t i = 0; i < series->len && !r; i++) {
		const struct metric_point *p = &series->v[i];

		while (k < known.len && series_compare(&known.v[k], p) < 0)
			k++;
		if (k == known.len || series_compare(&known.v[k], p))
			r = metric_batch_add(t->run.batch, t->run.key, strlen(t->run.key), p, err);
	}
	return r;
}

int store_end_series(struct store_target *t, struct mlp_error *err)
{
	struct open_run *run = &t->run;
	int r = 0;

	if (run->key && !key_is_valid(run->key, strlen(run->key)))
		mlflow_left_out(&t->base, "'%s' of '%s' cannot name a metric", run->key, run->source->id);
	else if (run->key && run->bulk)
		r = metric_bulk_add(run->bulk, run->key, &run->series, err);
	else if (run->key)
		r = add_missing(t, err);
	free(run->key);
	run->key = NULL;
	run->series.len = 0;
	return r;
}

int store_points(struct mlflow_target *base, const struct mlflow_points *points,
		 struct mlp_error *err)
{
	struct store_target *t = (struct store_target *)base;
	struct metric_points *series = &t->run.series;

	if (t->run.key && strcmp(t->run.key, points->key) != 0) {
		int r = store_end_series(t, err);

		if (r)
			return r;
	}
	if (!t->run.key)
		t->run.key = xstrdup(points->key);
	if (!points->n)
		return 0;
	vec_reserve(series, points->n);
	memcpy(series->v + series->len, points->v, points->n * sizeof(*points->v));
	series->len += points->n;
	return 0;
}
