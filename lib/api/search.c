/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/runs/search */
#include "config.h"

#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/util/text.h"

enum { RESULTS_DEFAULT = 1000, RESULTS_MAX = 50000 };

struct request {
	VEC(int64_t) experiments;
	struct filter *filter;
	VEC(struct run_order) order;
	struct run_search search;
	struct run_parts parts;
	struct strvec metric_keys, param_keys, tag_keys;
};

static void request_release(struct request *q)
{
	for (size_t i = 0; i < q->order.len; i++)
		run_order_release(&q->order.v[i]);
	vec_free(&q->order);
	vec_free(&q->experiments);
	filter_free(q->filter);
	metric_names_release(&q->parts.names);
	strvec_release(&q->metric_keys);
	strvec_release(&q->param_keys);
	strvec_release(&q->tag_keys);
}

static enum api_error read_view(struct api_call *call, enum run_view *out)
{
	static const struct {
		const char *name;
		enum run_view view;
	} views[] = { { "ACTIVE_ONLY", RUN_VIEW_ACTIVE },
		      { "DELETED_ONLY", RUN_VIEW_DELETED },
		      { "ALL", RUN_VIEW_ALL } };
	const char *text = "ACTIVE_ONLY";
	enum api_error r = api_get_string(call, "run_view_type", &text);

	for (size_t i = 0; !r && i < ARRAY_SIZE(views); i++)
		if (!strcmp(views[i].name, text)) {
			*out = views[i].view;
			return API_OK;
		}
	return r ? r :
		   api_fail(call, API_INVALID_PARAMETER_VALUE,
			    "Invalid value \"%s\" for parameter 'run_view_type' supplied.", text);
}

static enum api_error read_page(struct api_call *call, struct run_search *s)
{
	struct listing page = { .limit = RESULTS_DEFAULT };
	enum api_error r = api_read_page(call, RESULTS_MAX, &page);

	s->limit = page.limit;
	s->offset = page.offset;
	return r;
}

static enum api_error read_lists(struct api_call *call, struct request *q)
{
	const struct json *ids = NULL, *order = NULL, *v = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_get_array(call, "experiment_ids", &ids);

	if (!r)
		r = api_get_array(call, "order_by", &order);
	while (!r && (v = json_next(ids, v))) {
		int64_t id = -1;

		if (!json_text(v) || !text_parse_int(json_text(v), &id))
			id = json_integer(v, -1);
		vec_push(&q->experiments, id);
	}
	v = NULL;
	while (!r && (v = json_next(order, v))) {
		struct run_order o;

		if (!json_text(v) || run_order_parse(&o, json_text(v), &err))
			return api_fail(call, API_INVALID_PARAMETER_VALUE, "Invalid order_by clause: %s",
					err.text);
		vec_push(&q->order, o);
	}
	return r;
}

/* Only the keys named, sorted and each once; all without the argument. */
static enum api_error read_keys(struct api_call *call, const char *name, struct strvec *keys,
				const struct strvec **out)
{
	const struct json *v = json_get(call->args, name);
	enum api_error r = api_get_strings(call, name, keys);
	size_t n = 0;

	if (r || !v || json_is_null(v))
		return r;
	strvec_sort(keys);
	for (size_t i = 0; i < keys->len; i++) {
		if (n && !strcmp(keys->v[n - 1], keys->v[i]))
			free(keys->v[i]);
		else
			keys->v[n++] = keys->v[i];
	}
	keys->len = n;
	*out = keys;
	return API_OK;
}

static enum api_error read_request(struct api_call *call, struct request *q)
{
	struct filter_options options = { .target = FIELD_OF_RUNS };
	struct mlp_error err = MLP_ERROR_INIT;
	const char *filter = NULL;
	enum api_error r = read_lists(call, q);

	if (!r)
		r = read_view(call, &q->search.view);
	if (!r)
		r = read_page(call, &q->search);
	if (!r)
		r = read_keys(call, "metric_keys", &q->metric_keys, &q->parts.metric_keys);
	if (!r)
		r = read_keys(call, "param_keys", &q->param_keys, &q->parts.param_keys);
	if (!r)
		r = read_keys(call, "tag_keys", &q->tag_keys, &q->parts.tag_keys);
	if (!r)
		r = api_get_string(call, "filter", &filter);
	if (r)
		return r;
	if (filter && filter_parse(&q->filter, filter, strlen(filter), &options, &err))
		return api_fail_error(call, &err);
	q->search.filter = q->filter;
	q->search.experiments = q->experiments.v;
	q->search.nexperiments = q->experiments.len;
	q->search.order = q->order.v;
	q->search.norder = q->order.len;
	q->search.text_order = true;
	return API_OK;
}

static enum api_error put_rows(struct api_call *call, struct request *q, int64_t *n)
{
	_cleanup_(run_search_close) struct run_cursor *cursor = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	struct run_row row = RUN_ROW_INIT;
	enum api_error failed = API_OK;
	int r = run_search_open(&cursor, call->db, &q->search, &err);

	while (!r && !failed && (r = run_search_next(cursor, &row, &err)) > 0) {
		/* The last one asked for only tells that there is another page. */
		if (++*n < q->search.limit)
			failed = api_put_run(call, &row.run, &q->parts);
		run_row_release(&row);
		r = 0;
	}
	return r < 0 ? api_fail_error(call, &err) : failed;
}

static enum api_error search(struct api_call *call)
{
	_release_(request_release) struct request q = { 0 };
	enum api_error r = read_request(call, &q);
	int64_t n = 0, most = q.search.limit++;

	if (r)
		return r;
	json_open(&call->out, '{');
	json_key(&call->out, "runs");
	json_open(&call->out, '[');
	/* No experiment named means none, not all. */
	if (q.experiments.len)
		r = put_rows(call, &q, &n);
	json_close(&call->out, ']');
	if (n > most)
		api_put_id(&call->out, "next_page_token", q.search.offset + most);
	json_close(&call->out, '}');
	return r;
}

const struct api_route api_search_routes[] = {
	{ "POST", "mlflow/runs/search", API_READ | API_LONG, API_OF_EXPERIMENT, search },
	{ .path = NULL },
};
