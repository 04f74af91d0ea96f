/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets and models that runs read and make. */
#include "config.h"

#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/track/dataset.h"

enum { TAG_KEY_MAX = 255, TAG_VALUE_MAX = 500 };

static void put_dataset(struct json_writer *w, const struct dataset *d)
{
	json_open(w, '{');
	api_put_tags(w, "tags", &d->tags);
	dataset_put_json(w, d);
	json_close(w, '}');
}

static void put_uses(struct json_writer *w, const char *key, const struct model_uses *uses,
		     bool steps)
{
	if (!uses->len)
		return;
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < uses->len; i++) {
		json_open(w, '{');
		json_put_string(w, "model_id", uses->v[i].model);
		if (steps)
			json_put_int(w, "step", uses->v[i].step);
		json_close(w, '}');
	}
	json_close(w, ']');
}

enum api_error api_put_inputs(struct api_call *call, int64_t run)
{
	_release_(datasets_release) struct datasets datasets = { 0 };
	_release_(model_uses_release) struct model_uses inputs = { 0 }, outputs = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct json_writer *w = &call->out;

	if (datasets_get(call->db, run, &datasets, &err) ||
	    model_inputs_get(call->db, run, &inputs, &err) ||
	    model_outputs_get(call->db, run, &outputs, &err))
		return api_fail_error(call, &err);
	json_key(w, "inputs");
	json_open(w, '{');
	if (datasets.len) {
		json_key(w, "dataset_inputs");
		json_open(w, '[');
		for (size_t i = 0; i < datasets.len; i++)
			put_dataset(w, &datasets.v[i]);
		json_close(w, ']');
	}
	put_uses(w, "model_inputs", &inputs, false);
	json_close(w, '}');
	if (outputs.len) {
		json_key(w, "outputs");
		json_open(w, '{');
		put_uses(w, "model_outputs", &outputs, true);
		json_close(w, '}');
	}
	return API_OK;
}

static enum api_error too_long(struct api_call *call, const char *name, size_t most)
{
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"'%s' exceeds the maximum length of %zu characters", name, most);
}

static enum api_error check_tags(struct api_call *call, const struct key_values *tags)
{
	for (size_t i = 0; i < tags->len; i++) {
		if (strlen(tags->v[i].key) > TAG_KEY_MAX)
			return too_long(call, "key", TAG_KEY_MAX);
		if (strlen(tags->v[i].value) > TAG_VALUE_MAX)
			return too_long(call, "value", TAG_VALUE_MAX);
	}
	return API_OK;
}

static enum api_error read_dataset(struct api_call *call, const struct json *input,
				   struct dataset *d)
{
	static const char *const names[] = { "name", "digest", "source_type", "source", "schema",
					     "profile" };
	static const size_t most[] = { 500, 36, SIZE_MAX, 65535, 1048575, 16777215 };
	char **fields[] = { &d->name, &d->digest, &d->source_type, &d->source, &d->schema,
			    &d->profile };
	const struct json *all = call->args;
	enum api_error r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = json_text(json_get(json_get(input, "dataset"), names[i]));

		if (!text && i < 4)
			return api_missing(call, names[i]);
		if (text && strlen(text) > most[i])
			return too_long(call, names[i], most[i]);
		*fields[i] = xstrdup_null(text);
	}
	call->args = input;
	r = api_read_tags(call, &d->tags);
	call->args = all;
	return r ? r : check_tags(call, &d->tags);
}

static enum api_error log_inputs(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	const struct json *datasets = NULL, *models = NULL, *v = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_active_run(call, &run);

	if (!r)
		r = api_get_array(call, "datasets", &datasets);
	if (!r)
		r = api_get_array(call, "models", &models);
	while (!r && (v = json_next(datasets, v))) {
		_release_(dataset_release) struct dataset d = { 0 };

		r = read_dataset(call, v, &d);
		if (!r && dataset_use(call->db, run.id, &d, &err))
			return api_fail_error(call, &err);
	}
	v = NULL;
	while (!r && (v = json_next(models, v))) {
		const char *id = json_text(json_get(v, "model_id"));

		if (!id)
			return api_missing(call, "model_id");
		if (model_input(call->db, run.id, id, &err))
			return api_fail_error(call, &err);
	}
	return r;
}

static enum api_error log_outputs(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	const struct json *models = NULL, *v = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_active_run(call, &run);

	if (!r)
		r = api_get_array(call, "models", &models);
	while (!r && (v = json_next(models, v))) {
		const char *id = json_text(json_get(v, "model_id"));

		if (!id)
			return api_missing(call, "model_id");
		if (model_output(call->db, run.id, id, json_integer(json_get(v, "step"), 0), &err))
			return api_fail_error(call, &err);
	}
	return r;
}

const struct api_route api_input_routes[] = {
	{ "POST", "mlflow/runs/log-inputs", API_WRITE, API_OF_RUN, log_inputs },
	{ "POST", "mlflow/runs/outputs", API_WRITE, API_OF_RUN, log_outputs },
	{ .path = NULL },
};
