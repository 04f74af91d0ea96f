/* SPDX-License-Identifier: Apache-2.0 */
/* Logging metrics and batches, and reading histories. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/api/join.h"
#include "lib/track/logged_model_metric.h"
#include "lib/util/clock.h"
#include "lib/util/hashmap.h"
#include "lib/util/text.h"

enum { BATCH_METRICS_MAX = 1000, BATCH_OTHERS_MAX = 100, HISTORY_MAX = 25000 };

void api_put_metric_members(struct json_writer *w, const char *key, const struct metric_point *p)
{
	json_put_string(w, "key", key);
	json_put_double(w, "value", metric_to_mlflow(p->value));
	json_put_int(w, "timestamp", p->time_ms);
	json_put_int(w, "step", p->step);
}

void api_put_metric(struct json_writer *w, const char *key, const struct metric_point *p)
{
	json_open(w, '{');
	api_put_metric_members(w, key, p);
	json_close(w, '}');
}

/* The fields of one metric, of the call itself or of one in a batch. */
static enum api_error read_metric(struct api_call *call, const struct json *m, const char **key,
				  struct metric_point *p)
{
	const struct json *all = call->args, *value = json_get(m, "value");
	const struct json *time = json_get(m, "timestamp");
	enum api_error r;

	call->args = m;
	*p = (struct metric_point){ 0 };
	r = api_need_string(call, "key", key);
	if (!r && (!value || json_is_null(value)))
		r = api_missing(call, "value");
	if (!r)
		r = api_get_double(call, "value", &p->value);
	if (!r && (!time || json_is_null(time)))
		r = api_missing(call, "timestamp");
	if (!r)
		r = api_get_int(call, "timestamp", &p->time_ms);
	if (!r)
		r = api_get_int(call, "step", &p->step);
	if (!r && p->time_ms < 0)
		r = api_fail(call, API_INVALID_PARAMETER_VALUE,
			     "Invalid value %" PRId64 " for parameter 'timestamp' supplied: metric '%s' "
			     "(value=%.17g). Timestamp must be a nonnegative long (64-bit integer) ",
			     p->time_ms, *key, p->value);
	p->value = metric_from_mlflow(p->value);
	call->args = all;
	return r;
}

/* A metric that is also one of a logged model, maybe on a dataset. */
static enum api_error log_model_metric(struct api_call *call, int64_t run,
				       const struct json *m, const struct metric_point *p)
{
	_release_(logged_model_metrics_release) struct logged_model_metrics one = { 0 };
	const char *model = json_text(json_get(m, "model_id"));
	struct mlp_error err = MLP_ERROR_INIT;

	if (!model || !*model)
		return API_OK;
	vec_push(&one, ((struct logged_model_metric){
			       .key = xstrdup(json_text(json_get(m, "key"))),
			       .dataset = xstrdup_null(json_text(json_get(m, "dataset_name"))),
			       .digest = xstrdup_null(json_text(json_get(m, "dataset_digest"))),
			       .point = *p }));
	return logged_model_metric_log(call->db, model, run, &one.v[0], &err) ?
		       api_fail_error(call, &err) :
		       API_OK;
}

static enum api_error log_metric(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct metric_point p;
	const char *key;
	int64_t run;
	enum api_error r = api_active_run_id(call, &run);

	if (!r)
		r = read_metric(call, call->args, &key, &p);
	if (r)
		return r;
	r = api_check_key(call, "name", "Metric name", key);
	if (r)
		return r;
	if (metric_log(call->db, run, key, &p, &err))
		return api_fail_error(call, &err);
	return log_model_metric(call, run, call->args, &p);
}

/* A script logs what it made of the words that it was given. */
static enum api_error param_conflict(struct api_call *call, int64_t run, const char *key,
				     const char *value)
{
	_release_(key_values_release) struct key_values params = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	const char *before, *uuid;

	if (api_need_run_uuid(call, &uuid))
		return API_INVALID_PARAMETER_VALUE;
	if (api_join_has_param(call, uuid, key, value))
		return API_OK;
	if (params_get(call->db, run, &params, &err))
		return api_fail_error(call, &err);
	before = key_values_get(&params, key);
	if (call->list)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Changing param values is not allowed. Params were already logged="
				"'[{'key': '%s', 'old_value': '%.200s', 'new_value': '%.200s'}]' for "
				"run ID='%s'.", key, before, value, uuid);
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"Changing param values is not allowed. Param with key='%s' was already logged "
			"with value='%.200s' for run ID='%s'. Attempted logging new value '%.200s'.",
			key, before, uuid, value);
}

enum api_error api_log_param(struct api_call *call, int64_t run, const char *key,
			     const char *value)
{
	_cleanup_free_ char *cut = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error checked = api_check_key(call, "key", "Param key", key);
	int r;

	if (checked)
		return checked;
	/* MLflow cuts long values silently unless told otherwise. */
	cut = xmemdupz(value, text_utf8_cut(value, RUN_PARAM_MAX));
	r = param_set(call->db, run, key, cut, &err);
	if (r == MLP_ECONFLICT)
		return param_conflict(call, run, key, cut);
	return r ? api_fail_error(call, &err) : API_OK;
}

static enum api_error log_batch_metrics(struct api_call *call, int64_t run,
					const struct json *metrics)
{
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	struct mlp_error err = MLP_ERROR_INIT;
	const struct json *m = NULL;

	call->list = "metrics";
	for (call->item = 0; (m = json_next(metrics, m)); call->item++) {
		struct metric_point p;
		const char *key;
		enum api_error r = read_metric(call, m, &key, &p);

		if (r)
			return r;
		if (metric_batch_add(batch, key, strlen(key), &p, &err))
			return api_check_key(call, "name", "Metric name", key);
		r = log_model_metric(call, run, m, &p);
		if (r)
			return r;
	}
	return metric_batch_commit(batch, call->db, run, &err) ? api_fail_error(call, &err) :
								     API_OK;
}

static enum api_error log_batch_params(struct api_call *call, int64_t run,
				       const struct json *params)
{
	_release_(strmap_release) struct strmap seen = STRMAP_INIT;

	const struct json *p = NULL;

	call->list = "params";
	for (call->item = 0; (p = json_next(params, p)); call->item++) {
		const char *key = json_text(json_get(p, "key"));
		const char *value = json_text(json_get(p, "value"));
		enum api_error r;

		if (!key)
			return api_missing(call, "key");
		if (strmap_set(&seen, key, call))
			return api_fail(call, API_INVALID_PARAMETER_VALUE,
					"Duplicate parameter keys have been submitted: ['%s']. Please "
					"ensure the request contains only one param value per param "
					"key.", key);
		r = api_log_param(call, run, key, value ? value : "");
		if (r)
			return r;
	}
	return API_OK;
}

static enum api_error check_batch(struct api_call *call, const char *what, size_t n, size_t most)
{
	if (n <= most)
		return API_OK;
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"A batch logging request can contain at most %zu %s. Got %zu %s. Please split "
			"up %s across multiple requests and try again.", most, what, n, what, what);
}

static enum api_error log_batch_tags(struct api_call *call, int64_t run,
				     const struct key_values *tags)
{
	call->list = "tags";
	for (call->item = 0; call->item < tags->len; call->item++)
		if (!*tags->v[call->item].key)
			return api_missing(call, "key");
	return api_set_tags(call, run, tags);
}

static enum api_error log_batch(struct api_call *call)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	const struct json *metrics = NULL, *params = NULL;
	size_t nmetrics, nparams;
	int64_t run;
	enum api_error r = api_active_run_id(call, &run);

	if (!r)
		r = api_get_array(call, "metrics", &metrics);
	if (!r)
		r = api_get_array(call, "params", &params);
	if (!r)
		r = api_read_tags(call, &tags);
	nmetrics = json_count(metrics);
	nparams = json_count(params);
	if (!r)
		r = check_batch(call, "metrics", nmetrics, BATCH_METRICS_MAX);
	if (!r)
		r = check_batch(call, "params", nparams, BATCH_OTHERS_MAX);
	if (!r)
		r = check_batch(call, "tags", tags.len, BATCH_OTHERS_MAX);
	if (!r)
		r = check_batch(call, "metrics, params, and tags", nmetrics + nparams + tags.len,
				BATCH_METRICS_MAX);
	if (!r)
		r = log_batch_params(call, run, params);
	if (!r)
		r = log_batch_metrics(call, run, metrics);
	return r ? r : log_batch_tags(call, run, &tags);
}

static enum api_error get_history(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct metric_points points = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct json_writer *w = &call->out;
	const char *key, *token = NULL;
	struct metric_range range = { 0, HISTORY_MAX };
	int64_t max = 0;
	size_t n;
	enum api_error r = api_need_run(call, &run);

	if (!r)
		r = api_need_string(call, "metric_key", &key);
	if (!r)
		r = api_get_int(call, "max_results", &max);
	if (!r)
		r = api_get_string(call, "page_token", &token);
	if (r)
		return r;
	if (token && *token && (!text_parse_int(token, &range.offset) || range.offset < 0))
		return api_fail(call, API_INVALID_PARAMETER_VALUE, "Invalid page token '%s'", token);
	if (json_get(call->args, "max_results") && max <= 0)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid value %" PRId64 " for parameter 'max_results' supplied. It must "
				"be a positive integer.", max);
	if (max)
		range.limit = MIN(max, range.limit);
	range.limit++; /* one more tells that there is another page */
	if (metric_read_range(call->db, run.id, key, range, &points, &err))
		return api_fail_error(call, &err);
	n = MIN(points.len, (size_t)range.limit - 1);
	json_open(w, '{');
	json_key(w, "metrics");
	json_open(w, '[');
	for (size_t i = 0; i < n; i++)
		api_put_metric(w, key, &points.v[i]);
	json_close(w, ']');
	if (n < points.len)
		api_put_id(w, "next_page_token", range.offset + (int64_t)n);
	json_close(w, '}');
	vec_free(&points);
	return API_OK;
}

const struct api_route api_metric_routes[] = {
	{ "POST", "mlflow/runs/log-metric", API_WRITE, API_OF_RUN, log_metric },
	{ "POST", "mlflow/runs/log-batch", API_WRITE, API_OF_RUN, log_batch },
	{ "GET", "mlflow/metrics/get-history", API_READ | API_LONG, API_OF_RUN, get_history },
	{ .path = NULL },
};
