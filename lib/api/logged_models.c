/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/logged-models/...: MLflow 3's models as things of their own. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/core/id.h"
#include "lib/track/logged_model.h"
#include "lib/track/logged_model_metric.h"
#include "lib/util/text.h"

static void put_metrics(struct json_writer *w, const struct logged_model *m,
			const struct logged_model_metrics *metrics)
{
	if (!metrics->len)
		return;
	json_key(w, "metrics");
	json_open(w, '[');
	for (size_t i = 0; i < metrics->len; i++) {
		const struct logged_model_metric *x = &metrics->v[i];

		json_open(w, '{');
		api_put_metric_members(w, x->key, &x->point);
		if (x->dataset)
			json_put_string(w, "dataset_name", x->dataset);
		if (x->digest)
			json_put_string(w, "dataset_digest", x->digest);
		json_put_string(w, "model_id", m->id);
		json_put_string(w, "run_id", x->run);
		json_close(w, '}');
	}
	json_close(w, ']');
}

enum api_error api_put_logged_model(struct api_call *call, const struct logged_model *m)
{
	_release_(key_values_release) struct key_values tags = { 0 }, params = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	_release_(logged_model_metrics_release) struct logged_model_metrics metrics = { 0 };
	struct json_writer *w = &call->out;

	if (logged_model_tags_get(call->db, m->id, &tags, &err) ||
	    logged_model_metrics_get(call->db, m->id, &metrics, &err) ||
	    logged_model_params_get(call->db, m->id, &params, &err))
		return api_fail_error(call, &err);
	json_open(w, '{');
	json_key(w, "info");
	json_open(w, '{');
	json_put_string(w, "model_id", m->id);
	api_put_id(w, "experiment_id", m->experiment_id);
	json_put_string(w, "name", m->name);
	json_put_int(w, "creation_timestamp_ms", m->created_ms);
	json_put_int(w, "last_updated_timestamp_ms", m->updated_ms);
	json_put_string(w, "artifact_uri", m->artifact_location);
	json_put_string(w, "status", logged_model_status_name(m->status));
	json_put_string(w, "model_type", m->model_type ? m->model_type : "");
	json_put_string(w, "source_run_id", m->source_run ? m->source_run : "");
	if (m->status_message)
		json_put_string(w, "status_message", m->status_message);
	api_put_tags(w, "tags", &tags);
	json_close(w, '}');
	json_key(w, "data");
	json_open(w, '{');
	api_put_tags(w, "params", &params);
	put_metrics(w, m, &metrics);
	json_close(w, '}');
	json_close(w, '}');
	return API_OK;
}

static enum api_error answer_model(struct api_call *call, const struct logged_model *m)
{
	enum api_error r;

	json_open(&call->out, '{');
	json_key(&call->out, "model");
	r = api_put_logged_model(call, m);
	json_close(&call->out, '}');
	return r;
}

static enum api_error need_model(struct api_call *call, struct logged_model *out)
{
	struct mlp_error err = MLP_ERROR_INIT;

	return logged_model_get(call->db, call->words[0], out, &err) ? api_fail_error(call, &err) :
								       API_OK;
}

static enum api_error set_params(struct api_call *call, const char *id)
{
	const struct json *list = NULL, *p = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_get_array(call, "params", &list);

	while (!r && (p = json_next(list, p))) {
		const char *key = json_text(json_get(p, "key"));
		const char *value = json_text(json_get(p, "value"));

		if (!key)
			return api_missing(call, "key");
		if (logged_model_param_set(call->db, id, key, value ? value : "", &err))
			return api_fail_error(call, &err);
	}
	return r;
}

static enum api_error set_tags(struct api_call *call, const char *id)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_read_tags(call, &tags);

	for (size_t i = 0; !r && i < tags.len; i++)
		if (logged_model_tag_set(call->db, id, tags.v[i].key, tags.v[i].value, &err))
			return api_fail_error(call, &err);
	return r;
}

/* Names stand in URIs and paths. */
static enum api_error check_name(struct api_call *call, const char *name)
{
	if (!name || !*name || !name[strcspn(name, "/:.%\"'")])
		return API_OK;
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"Invalid model name ('%.200s') provided. Model name must be a non-empty string and "
			"cannot contain the following characters: ('/', ':', '.', '%%', '\"', \"'\")",
			name);
}

static enum api_error create(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	struct logged_model_new new_model = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	char id[LOGGED_MODEL_ID_LEN + 1];
	enum api_error r = api_active_experiment(call, &e);

	if (!r)
		r = api_get_string(call, "name", &new_model.name);
	if (!r)
		r = api_get_string(call, "model_type", &new_model.model_type);
	if (!r)
		r = api_get_string(call, "source_run_id", &new_model.source_run);
	if (!r)
		r = check_name(call, new_model.name);
	if (r)
		return r;
	new_model.experiment_id = e.id;
	if (logged_model_create(call->db, &new_model, id, &err))
		return api_fail_error(call, &err);
	r = set_params(call, id);
	if (!r)
		r = set_tags(call, id);
	if (r)
		return r;
	if (logged_model_get(call->db, id, &m, &err))
		return api_fail_error(call, &err);
	return answer_model(call, &m);
}

static enum api_error get(struct api_call *call)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	enum api_error r = need_model(call, &m);

	return r ? r : answer_model(call, &m);
}

static enum api_error finalize(struct api_call *call)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *text;
	enum api_error r = need_model(call, &m);

	if (!r)
		r = api_need_string(call, "status", &text);
	if (r)
		return r;
	m.status = logged_model_status_parse(text);
	if (!m.status)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid model status: %s. Expected statuses: 'PENDING', 'READY', "
				"'FAILED'", text);
	if (logged_model_set_status(call->db, m.id, m.status, &err))
		return api_fail_error(call, &err);
	return answer_model(call, &m);
}

static enum api_error delete(struct api_call *call)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = need_model(call, &m);

	if (r)
		return r;
	return logged_model_trash(call->db, m.id, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error patch_tags(struct api_call *call)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	enum api_error r = need_model(call, &m);

	return r ? r : set_tags(call, m.id);
}

static enum api_error delete_tag(struct api_call *call)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = need_model(call, &m);

	if (r)
		return r;
	return logged_model_tag_unset(call->db, m.id, call->words[1], &err) ?
		       api_fail_error(call, &err) :
		       API_OK;
}

static enum api_error log_params(struct api_call *call)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	enum api_error r = need_model(call, &m);

	return r ? r : set_params(call, m.id);
}

static enum api_error list_directory(struct api_call *call)
{
	_release_(artifacts_release) struct artifacts found = { 0 };
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	struct artifact_place place = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	const char *path = "";
	enum api_error r = need_model(call, &m);
	int failed;

	if (!r)
		r = api_get_string(call, "artifact_directory_path", &path);
	if (r)
		return r;
	place.model = xstrdup(m.id);
	place.path = xstrdup(path);
	failed = artifact_tree_list(call->db, &place, &found, &err);
	artifact_place_release(&place);
	if (failed)
		return api_fail_error(call, &err);
	json_open(&call->out, '{');
	json_put_string(&call->out, "root_uri", m.artifact_location);
	api_put_files(&call->out, &found, false);
	json_close(&call->out, '}');
	return API_OK;
}

const struct api_route api_logged_model_routes[] = {
	{ "POST", "mlflow/logged-models", API_WRITE, API_OF_EXPERIMENT, create },
	{ "GET", "mlflow/logged-models/{}", API_READ, API_OF_MODEL, get },
	{ "PATCH", "mlflow/logged-models/{}", API_WRITE, API_OF_MODEL, finalize },
	{ "DELETE", "mlflow/logged-models/{}", API_WRITE, API_OF_MODEL, delete },
	{ "PATCH", "mlflow/logged-models/{}/tags", API_WRITE, API_OF_MODEL, patch_tags },
	{ "DELETE", "mlflow/logged-models/{}/tags/{}", API_WRITE, API_OF_MODEL, delete_tag },
	{ "POST", "mlflow/logged-models/{}/params", API_WRITE, API_OF_MODEL, log_params },
	{ "GET", "mlflow/logged-models/{}/artifacts/directories", API_READ, API_OF_MODEL,
	  list_directory },
	{ .path = NULL },
};
