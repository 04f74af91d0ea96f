/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of many runs at once, for charts; and models as clients before MLflow 3 log them. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"

enum { RUNS_MAX = 100, BULK_MAX = 25000, SAMPLES_MAX = 2500 };

struct request {
	struct strvec runs; /* uuids */
	const char *key;
	int64_t start, end; /* steps */
	int64_t max;
};

static void request_release(struct request *q)
{
	strvec_release(&q->runs);
}

/* One series is in memory at a time.  A run that is not there has no points. */
static enum api_error read_series(struct api_call *call, const char *uuid, const char *key,
				  int64_t limit, struct metric_points *out)
{
	struct mlp_error err = MLP_ERROR_INIT;
	int64_t id;
	int r = run_find(call->db, uuid, &id, &err);

	if (!r)
		r = metric_read_range(call->db, id, key, (struct metric_range){ 0, limit }, out, &err);
	return r && r != MLP_ENOTFOUND ? api_fail_error(call, &err) : API_OK;
}

static void put_point(struct json_writer *w, const char *key, const char *run,
		      const struct metric_point *p)
{
	json_open(w, '{');
	api_put_metric_members(w, key, p);
	json_put_string(w, "run_id", run);
	json_close(w, '}');
}

/* In order of the runs' ids, until there are enough. */
static enum api_error put_bulk(struct api_call *call, struct request *q)
{
	int64_t left = MIN(q->max, (int64_t)BULK_MAX);
	enum api_error r = API_OK;

	strvec_sort(&q->runs);
	for (size_t i = 0; !r && i < q->runs.len && left > 0; i++) {
		struct metric_points points = VEC_INIT;

		r = read_series(call, q->runs.v[i], q->key, left, &points);
		for (size_t k = 0; k < points.len; k++)
			put_point(&call->out, q->key, q->runs.v[i], &points.v[k]);
		left -= (int64_t)points.len;
		vec_free(&points);
	}
	return r;
}

static enum api_error get_bulk(struct api_call *call)
{
	_release_(request_release) struct request q = { .max = BULK_MAX };
	struct json_writer *w = &call->out;
	enum api_error r = api_get_strings(call, "run_id", &q.runs);

	if (!r)
		r = api_get_int(call, "max_results", &q.max);
	if (!r)
		r = api_get_string(call, "metric_key", &q.key);
	if (!r && !q.runs.len)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"GetMetricHistoryBulk request must specify at least one run_id.");
	if (!r && q.runs.len > RUNS_MAX)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"GetMetricHistoryBulk request cannot specify more than %d run_ids. "
				"Received %zu run_ids.", RUNS_MAX, q.runs.len);
	if (!r && !q.key)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"GetMetricHistoryBulk request must specify a metric_key.");
	if (r)
		return r;
	json_open(w, '{');
	json_key(w, "metrics");
	json_open(w, '[');
	r = put_bulk(call, &q);
	json_close(w, ']');
	json_close(w, '}');
	return r;
}

struct steps {
	int64_t *v;
	size_t len, cap;
};

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void sort_steps(struct steps *steps)
{
	size_t n = 0;

	if (steps->len)
		qsort(steps->v, steps->len, sizeof(*steps->v), by_number);
	for (size_t i = 0; i < steps->len; i++)
		if (!n || steps->v[n - 1] != steps->v[i])
			steps->v[n++] = steps->v[i];
	steps->len = n;
}

/* Among the first n, sorted.  *at is where the next one may stand: runs mostly have the same
 * steps, in order. */
static bool is_known(const int64_t *steps, size_t n, size_t *at, int64_t step)
{
	const int64_t *found = NULL;

	if (*at < n && steps[*at] == step)
		found = steps + *at;
	else if (n)
		found = bsearch(&step, steps, n, sizeof(*steps), by_number);
	if (found)
		*at = (size_t)(found - steps) + 1;
	return found;
}

/* Adds a run's steps in the range to all, and its first and last to out. */
static void gather_steps(const struct request *q, const struct metric_points *points,
			 struct steps *all, struct steps *out)
{
	int64_t first = INT64_MAX, last = INT64_MIN;
	size_t known = all->len, at = 0;

	for (size_t k = 0; k < points->len; k++) {
		int64_t step = points->v[k].step;

		first = MIN(first, step);
		last = MAX(last, step);
		if (step >= q->start && step <= q->end && !is_known(all->v, known, &at, step))
			vec_push(all, step);
	}
	if (points->len && first >= q->start && first <= q->end)
		vec_push(out, first);
	if (points->len && last >= q->start && last <= q->end)
		vec_push(out, last);
	if (all->len > known)
		sort_steps(all);
}

/* The steps of all runs in the range, evenly thinned to max; and each run's first and last. */
static enum api_error sample_steps(struct api_call *call, const struct request *q,
				   struct steps *out)
{
	struct steps all = { 0 };
	enum api_error r = API_OK;

	for (size_t i = 0; !r && i < q->runs.len; i++) {
		struct metric_points points = VEC_INIT;

		r = read_series(call, q->runs.v[i], q->key, INT64_MAX, &points);
		gather_steps(q, &points, &all, out);
		vec_free(&points);
	}
	for (int64_t i = 0; i < MIN((int64_t)all.len, q->max); i++)
		vec_push(out, (int64_t)all.len <= q->max ?
				      all.v[i] :
				      all.v[i * (int64_t)all.len / q->max]);
	if (all.len)
		vec_push(out, all.v[all.len - 1]);
	sort_steps(out);
	vec_free(&all);
	return r;
}

static int by_step(const void *a, const void *b)
{
	const struct metric_point *x = a, *y = b;

	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

/* Keeps of a run's points those of the steps, in order of the steps. */
static void keep_steps(struct metric_points *points, const struct steps *steps)
{
	size_t n = 0;

	for (size_t i = 0; i < points->len; i++)
		if (bsearch(&points->v[i].step, steps->v, steps->len, sizeof(*steps->v), by_number))
			points->v[n++] = points->v[i];
	points->len = n;
	if (n)
		qsort(points->v, n, sizeof(*points->v), by_step);
}

/* Where many points share a step, those of a run are thinned again, from first to last. */
static void put_run_samples(struct json_writer *w, const struct request *q, const char *run,
			    const struct metric_points *points, size_t most)
{
	size_t n = MIN(points->len, most);

	for (size_t k = 0; k < n; k++)
		put_point(w, q->key, run,
			  &points->v[n > 1 ? k * (points->len - 1) / (n - 1) : points->len - 1]);
}

static enum api_error put_samples(struct api_call *call, const struct request *q,
				  const struct steps *steps)
{
	size_t most = MAX((size_t)q->max, steps->len);
	enum api_error r = API_OK;

	for (size_t i = 0; !r && i < q->runs.len; i++) {
		struct metric_points points = VEC_INIT;

		r = read_series(call, q->runs.v[i], q->key, INT64_MAX, &points);
		keep_steps(&points, steps);
		put_run_samples(&call->out, q, q->runs.v[i], &points, most);
		vec_free(&points);
	}
	return r;
}

static enum api_error read_range(struct api_call *call, struct request *q)
{
	bool start = json_get(call->args, "start_step"), end = json_get(call->args, "end_step");
	enum api_error r = api_get_int(call, "max_results", &q->max);

	if (!r)
		r = api_get_int(call, "start_step", &q->start);
	if (!r)
		r = api_get_int(call, "end_step", &q->end);
	if (r)
		return r;
	if (q->max < 1 || q->max > SAMPLES_MAX)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"max_results must be between 1 and %d. See the API docs for more "
				"information about request parameters.", SAMPLES_MAX);
	if (start != end)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"If either start step or end step are specified, both must be specified.");
	if (q->start > q->end)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"end_step must be greater than start_step. Found start_step=%" PRId64
				" and end_step=%" PRId64 ".", q->start, q->end);
	return API_OK;
}

static enum api_error put_interval(struct api_call *call, const struct request *q)
{
	struct json_writer *w = &call->out;
	struct steps steps = { 0 };
	enum api_error r = sample_steps(call, q, &steps);

	if (!r && steps.len) {
		json_open(w, '{');
		json_key(w, "metrics");
		json_open(w, '[');
		r = put_samples(call, q, &steps);
		json_close(w, ']');
		json_close(w, '}');
	}
	vec_free(&steps);
	return r;
}

static enum api_error get_interval(struct api_call *call)
{
	_release_(request_release) struct request q = { .max = SAMPLES_MAX, .end = INT64_MAX };
	enum api_error r = api_get_strings(call, "run_ids", &q.runs);

	if (!r && !q.runs.len)
		r = api_missing(call, "run_ids");
	if (!r && q.runs.len > RUNS_MAX)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"GetMetricHistoryBulkInterval request must specify at most %d run_ids. "
				"Received %zu run_ids.", RUNS_MAX, q.runs.len);
	if (!r)
		r = api_need_string(call, "metric_key", &q.key);
	if (!r)
		r = read_range(call, &q);
	return r ? r : put_interval(call, &q);
}

/* Appends a JSON value to the list that a tag holds. */
static enum api_error append_to_tag(struct api_call *call, int64_t run, const char *key,
				    const struct json *value)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *before;

	if (tags_get(call->db, run, &tags, &err))
		return api_fail_error(call, &err);
	before = key_values_get(&tags, key);
	strbuf_addstr(&text, before && *before == '[' ? before : "[]");
	strbuf_setlen(&text, text.len - 1);
	if (text.len > 1)
		strbuf_addstr(&text, ", ");
	json_print(value, &text);
	strbuf_addch(&text, ']');
	/* Cut, it would be no JSON. */
	if (text.len > RUN_TAG_MAX)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"'%s' exceeds the maximum length of %d characters", key, RUN_TAG_MAX);
	return tag_set(call->db, run, key, text.buf, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error log_model(struct api_call *call)
{
	static const char *const needed[] = { "artifact_path", "flavors", "utc_time_created",
					      "run_id" };
	_release_(run_release) struct run run = RUN_INIT;
	_release_(strbuf_release) struct strbuf missing = STRBUF_INIT;
	_cleanup_(json_free) struct json *model = NULL;
	const char *text, *id;
	enum api_error r = api_need_string(call, "run_id", &id);

	if (!r)
		r = api_need_string(call, "model_json", &text);
	if (r)
		return r;
	model = json_parse(text, strlen(text), NULL);
	if (!json_is_object(model))
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Malformed model info. \n %.300s \n is not a valid JSON.", text);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!json_get(model, needed[i]))
			strbuf_addf(&missing, "%s'%s'", missing.len ? ", " : "", needed[i]);
	if (missing.len)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Model json is missing mandatory fields: {%s}", missing.buf);
	r = api_active_run(call, &run);
	return r ? r : append_to_tag(call, run.id, "mlflow.log-model.history", model);
}

const struct api_route api_history_routes[] = {
	{ "GET", "mlflow/metrics/get-history-bulk", API_READ | API_LONG, API_OF_RUN, get_bulk },
	{ "GET", "mlflow/metrics/get-history-bulk-interval", API_READ | API_LONG, API_OF_RUN,
	  get_interval },
	{ "POST", "mlflow/runs/log-model", API_WRITE, API_OF_RUN, log_model },
	{ .path = NULL },
};
