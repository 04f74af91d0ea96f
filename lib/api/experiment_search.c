/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/experiments/search and search-datasets */
#include "config.h"

#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/track/dataset.h"
#include "lib/util/text.h"

enum {
	RESULTS_DEFAULT = 1000,
	RESULTS_MAX = 50000,
	DATASET_EXPERIMENTS_MAX = 20,
	DATASETS_MAX = 1000,
};

static enum api_error read_view(struct api_call *call, const char **condition)
{
	const char *view = "ACTIVE_ONLY";
	enum api_error r = api_get_string(call, "view_type", &view);

	if (!strcmp(view, "DELETED_ONLY"))
		*condition = "r.deleted_ms IS NOT NULL";
	else if (!strcmp(view, "ALL"))
		*condition = "1";
	else /* as MLflow takes what it does not know */
		*condition = "r.deleted_ms IS NULL";
	return r;
}

/* Empty lists are left out. */
static void open_list(struct json_writer *w, const char *key, bool first)
{
	if (!first)
		return;
	json_key(w, key);
	json_open(w, '[');
}

static enum api_error put_experiments(struct api_call *call, const struct listing *l,
				      struct db_stmt *st, size_t *n)
{
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = API_OK;
	int more = 0;

	while (!r && (more = db_step(st, &err)) > 0) {
		_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;

		open_list(&call->out, "experiments", !*n);
		if ((int64_t)(*n)++ == l->limit)
			break;
		if (experiment_get(call->db, db_int(st, 0), &e, &err))
			return api_fail_error(call, &err);
		r = api_put_experiment(call, &e);
	}
	if (*n)
		json_close(&call->out, ']');
	return more < 0 ? api_fail_error(call, &err) : r;
}

static enum api_error search(struct api_call *call)
{
	_release_(listing_release) struct listing l = { .target = FIELD_OF_EXPERIMENTS,
							.limit = RESULTS_DEFAULT };
	_release_(query_release) struct query q = QUERY_INIT;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *condition;
	enum api_error r = api_read_listing(call, RESULTS_MAX, &l);
	size_t n = 0;

	if (!r)
		r = read_view(call, &condition);
	if (r)
		return r;
	query_add(&q, "SELECT r.id FROM experiment r WHERE ");
	query_add(&q, condition);
	listing_add(&l, l.order.len ? "r.id DESC" : "r.created_ms DESC, r.id", &q);
	st = query_run(&q, call->db, &err);
	if (!st)
		return api_fail_error(call, &err);
	json_open(&call->out, '{');
	r = put_experiments(call, &l, st, &n);
	api_put_next_page(&call->out, &l, n);
	json_close(&call->out, '}');
	return r;
}

static void put_summary(struct json_writer *w, struct db_stmt *st)
{
	json_open(w, '{');
	api_put_id(w, "experiment_id", db_int(st, 0));
	json_put_string(w, "name", db_text(st, 1));
	json_put_string(w, "digest", db_text(st, 2));
	if (db_text(st, 3))
		json_put_string(w, "context", db_text(st, 3));
	json_close(w, '}');
}

static void add_datasets_query(const struct strvec *ids, struct query *q)
{
	bool any = false;
	int64_t id;

	query_add(q, "SELECT DISTINCT d.experiment_id, d.name, d.digest, t.value FROM run_input i"
		     " JOIN dataset d ON d.id = i.dataset_id LEFT JOIN run_input_tag t"
		     " ON t.input_id = i.id AND t.key = 'mlflow.data.context'"
		     " WHERE d.experiment_id IN (");
	for (size_t i = 0; i < ids->len; i++) {
		if (!text_parse_int(ids->v[i], &id))
			continue;
		query_add(q, any ? ", " : "");
		query_int(q, id);
		any = true;
	}
	query_add(q, ") ORDER BY 1, 2, 3, 4 LIMIT ");
	query_int(q, DATASETS_MAX);
}

static enum api_error search_datasets(struct api_call *call)
{
	_release_(strvec_release) struct strvec ids = STRVEC_INIT;
	_release_(query_release) struct query q = QUERY_INIT;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_get_strings(call, "experiment_ids", &ids);
	size_t n = 0;
	int more;

	if (r)
		return r;
	if (!ids.len)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"SearchDatasets request must specify at least one experiment_id.");
	if (ids.len > DATASET_EXPERIMENTS_MAX)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"SearchDatasets request cannot specify more than %d experiment_ids. "
				"Received %zu experiment_ids.", DATASET_EXPERIMENTS_MAX, ids.len);
	add_datasets_query(&ids, &q);
	st = query_run(&q, call->db, &err);
	if (!st)
		return api_fail_error(call, &err);
	json_open(&call->out, '{');
	while ((more = db_step(st, &err)) > 0) {
		open_list(&call->out, "dataset_summaries", !n++);
		put_summary(&call->out, st);
	}
	if (n)
		json_close(&call->out, ']');
	json_close(&call->out, '}');
	return more < 0 ? api_fail_error(call, &err) : API_OK;
}

const struct api_route api_experiment_search_routes[] = {
	{ "*", "mlflow/experiments/search", API_READ, API_OF_ALL, search },
	{ "POST", "mlflow/experiments/search-datasets", API_READ, API_OF_EXPERIMENT,
	  search_datasets },
	{ .path = NULL },
};
