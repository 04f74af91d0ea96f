/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/logged-models/search */
#include "config.h"

#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/track/logged_model_search.h"
#include "lib/util/text.h"

enum { RESULTS_DEFAULT = 50, RESULTS_MAX = 1000 };

static enum api_error read_experiments(struct api_call *call, struct logged_model_search *s)
{
	_release_(strvec_release) struct strvec ids = STRVEC_INIT;
	enum api_error r = api_get_strings(call, "experiment_ids", &ids);
	int64_t id;

	if (!r && !ids.len)
		return api_missing(call, "experiment_ids");
	for (size_t i = 0; i < ids.len; i++)
		if (text_parse_int(ids.v[i], &id)) /* other ids have no models */
			vec_push(&s->experiments, id);
	return r;
}

static enum api_error read_datasets(struct api_call *call, struct logged_model_search *s)
{
	const struct json *list = NULL, *d = NULL;
	enum api_error r = api_get_array(call, "datasets", &list);

	while (!r && (d = json_next(list, d))) {
		struct dataset_name name = { json_text(json_get(d, "dataset_name")),
					     json_text(json_get(d, "dataset_digest")) };

		if (!name.name || !*name.name)
			return api_fail(call, API_INVALID_PARAMETER_VALUE,
					"`dataset_name` in the `datasets` clause must be specified.");
		if (name.digest && !*name.digest)
			name.digest = NULL;
		vec_push(&s->datasets, name);
	}
	return r;
}

static enum api_error read_order(struct api_call *call, struct logged_model_search *s)
{
	const struct json *list = NULL, *item = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_get_array(call, "order_by", &list);

	while (!r && (item = json_next(list, item))) {
		const char *field = json_text(json_get(item, "field_name"));
		struct logged_model_order o = {
			.dataset = { json_text(json_get(item, "dataset_name")),
				     json_text(json_get(item, "dataset_digest")) }
		};

		if (!field || run_order_parse_of(&o.by, FIELD_OF_LOGGED_MODELS, field, &err))
			return api_fail(call, API_INVALID_PARAMETER_VALUE,
					"Invalid order by field name: %s", field ? field : "");
		o.by.descending = !json_truth(json_get(item, "ascending"), true);
		vec_push(&s->order, o);
	}
	return r;
}

static enum api_error read_request(struct api_call *call, struct logged_model_search *s)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *filter = NULL;
	enum api_error r = read_experiments(call, s);

	if (!r)
		r = read_datasets(call, s);
	if (!r)
		r = read_order(call, s);
	if (!r)
		r = api_read_page(call, RESULTS_MAX, &s->page);
	if (!r)
		r = api_get_string(call, "filter", &filter);
	if (r)
		return r;
	return filter && listing_filter(&s->page, filter, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error search(struct api_call *call)
{
	_release_(logged_model_search_release) struct logged_model_search s = {
		.page = { .target = FIELD_OF_LOGGED_MODELS, .limit = RESULTS_DEFAULT }
	};
	_release_(strvec_release) struct strvec ids = STRVEC_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	struct json_writer *w = &call->out;
	enum api_error r = read_request(call, &s);

	if (r)
		return r;
	if (logged_model_search(call->db, &s, &ids, &err))
		return api_fail_error(call, &err);
	json_open(w, '{');
	if (ids.len) {
		json_key(w, "models");
		json_open(w, '[');
		for (size_t i = 0; !r && i < MIN(ids.len, (size_t)s.page.limit); i++) {
			_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;

			if (logged_model_get(call->db, ids.v[i], &m, &err))
				return api_fail_error(call, &err);
			r = api_put_logged_model(call, &m);
		}
		json_close(w, ']');
	}
	api_put_next_page(w, &s.page, ids.len);
	json_close(w, '}');
	return r;
}

const struct api_route api_logged_model_search_routes[] = {
	{ "POST", "mlflow/logged-models/search", API_READ | API_LONG, API_OF_EXPERIMENT,
	  search },
	{ .path = NULL },
};
