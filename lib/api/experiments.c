/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/experiments/... */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/track/experiment.h"
#include "lib/util/text.h"

void api_put_tags(struct json_writer *w, const char *key, const struct key_values *tags)
{
	if (!tags->len)
		return;
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < tags->len; i++) {
		json_open(w, '{');
		json_put_string(w, "key", tags->v[i].key);
		json_put_string(w, "value", tags->v[i].value);
		json_close(w, '}');
	}
	json_close(w, ']');
}

void api_put_id(struct json_writer *w, const char *key, int64_t id)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, id);
	json_put_string(w, key, text);
}

enum api_error api_put_experiment(struct api_call *call, const struct experiment *e)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	_cleanup_free_ char *location = xasprintf("mlflow-artifacts:/%" PRId64, e->id);
	struct mlp_error err = MLP_ERROR_INIT;
	struct json_writer *w = &call->out;

	if (experiment_tags_get(call->db, e->id, &tags, &err))
		return api_fail_error(call, &err);
	json_open(w, '{');
	api_put_id(w, "experiment_id", e->id);
	json_put_string(w, "name", e->name);
	json_put_string(w, "artifact_location",
			e->artifact_location ? e->artifact_location : location);
	json_put_string(w, "lifecycle_stage", e->deleted_ms ? "deleted" : "active");
	json_put_int(w, "last_update_time", e->updated_ms);
	json_put_int(w, "creation_time", e->created_ms);
	api_put_tags(w, "tags", &tags);
	json_close(w, '}');
	return API_OK;
}

enum api_error api_need_experiment(struct api_call *call, struct experiment *out)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *text;
	enum api_error r = api_need_string(call, "experiment_id", &text);
	int64_t id;

	if (r)
		return r;
	if (!text_parse_int(text, &id))
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid experiment ID '%s'. Experiment ID must be a valid integer.",
				text);
	return experiment_get(call->db, id, out, &err) ? api_fail_error(call, &err) : API_OK;
}

enum api_error api_active_experiment(struct api_call *call, struct experiment *out)
{
	enum api_error r = api_need_experiment(call, out);

	if (r || !out->deleted_ms)
		return r;
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"The experiment %" PRId64 " must be in the 'active' state. "
			"Current state is deleted.", out->id);
}

enum api_error api_read_tags(struct api_call *call, struct key_values *out)
{
	const struct json *list = NULL;
	enum api_error r = api_get_array(call, "tags", &list);

	for (const struct json *t = json_next(list, NULL); !r && t; t = json_next(list, t)) {
		const char *key = json_text(json_get(t, "key"));
		const char *value = json_text(json_get(t, "value"));

		vec_push(out, ((struct key_value){ xstrdup(key ? key : ""),
						   xstrdup(value ? value : "") }));
	}
	return r;
}

static enum api_error create(struct api_call *call)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *location = NULL;
	enum api_error r = api_need_string(call, "name", &name);
	int64_t id;

	if (!r)
		r = api_get_string(call, "artifact_location", &location);
	if (!r)
		r = api_read_tags(call, &tags);
	if (r)
		return r;
	if (experiment_create(call->db, name, location && *location ? location : NULL, &id, &err))
		return api_fail_error(call, &err);
	for (size_t i = 0; i < tags.len; i++)
		if (experiment_tag_set(call->db, id, tags.v[i].key, tags.v[i].value, &err))
			return api_fail_error(call, &err);
	json_open(&call->out, '{');
	api_put_id(&call->out, "experiment_id", id);
	json_close(&call->out, '}');
	return API_OK;
}

static enum api_error answer_experiment(struct api_call *call, const struct experiment *e)
{
	enum api_error r;

	json_open(&call->out, '{');
	json_key(&call->out, "experiment");
	r = api_put_experiment(call, e);
	json_close(&call->out, '}');
	return r;
}

static enum api_error get(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	enum api_error r = api_need_experiment(call, &e);

	return r ? r : answer_experiment(call, &e);
}

static enum api_error get_by_name(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name;
	enum api_error r = api_need_string(call, "experiment_name", &name);
	int64_t id;
	int found;

	if (r)
		return r;
	found = experiment_find(call->db, name, &id, &err);
	if (found == MLP_ENOTFOUND)
		return api_fail(call, API_RESOURCE_DOES_NOT_EXIST,
				"Could not find experiment with name '%s'", name);
	if (found || experiment_get(call->db, id, &e, &err))
		return api_fail_error(call, &err);
	return answer_experiment(call, &e);
}

static enum api_error update(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name;
	enum api_error r = api_need_experiment(call, &e);

	if (!r)
		r = api_need_string(call, "new_name", &name);
	if (r)
		return r;
	if (e.deleted_ms)
		return api_fail(call, API_INVALID_STATE,
				"Cannot rename a non-active experiment.");
	return experiment_rename(call->db, e.id, name, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error trash(struct api_call *call, bool deleted)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_need_experiment(call, &e);

	if (r)
		return r;
	if ((e.deleted_ms != 0) == deleted)
		return api_fail(call, API_RESOURCE_DOES_NOT_EXIST,
				"No Experiment with id=%" PRId64 " exists", e.id);
	return experiment_trash(call->db, e.id, deleted, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error delete(struct api_call *call)
{
	return trash(call, true);
}

static enum api_error restore(struct api_call *call)
{
	return trash(call, false);
}

static enum api_error set_tag(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *key, *value = "";
	enum api_error r = api_active_experiment(call, &e);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (!r)
		r = api_get_string(call, "value", &value);
	if (r)
		return r;
	return experiment_tag_set(call->db, e.id, key, value, &err) ? api_fail_error(call, &err) :
								      API_OK;
}

static enum api_error delete_tag(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *key;
	enum api_error r = api_active_experiment(call, &e);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (r)
		return r;
	return experiment_tag_unset(call->db, e.id, key, &err) ? api_fail_error(call, &err) : API_OK;
}

const struct api_route api_experiment_routes[] = {
	{ "POST", "mlflow/experiments/create", API_WRITE, API_OF_ALL, create },
	{ "GET", "mlflow/experiments/get", API_READ, API_OF_EXPERIMENT, get },
	{ "GET", "mlflow/experiments/get-by-name", API_READ, API_OF_EXPERIMENT, get_by_name },
	{ "POST", "mlflow/experiments/update", API_WRITE, API_OF_EXPERIMENT, update },
	{ "POST", "mlflow/experiments/delete", API_WRITE, API_OF_EXPERIMENT, delete },
	{ "POST", "mlflow/experiments/restore", API_WRITE, API_OF_EXPERIMENT, restore },
	{ "POST", "mlflow/experiments/set-experiment-tag", API_WRITE, API_OF_EXPERIMENT, set_tag },
	{ "POST", "mlflow/experiments/delete-experiment-tag", API_WRITE, API_OF_EXPERIMENT,
	  delete_tag },
	{ .path = NULL },
};
