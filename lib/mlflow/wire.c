/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/mlflow/wire.h"

#include <math.h>
#include <string.h>

#include "lib/util/text.h"
#include "lib/util/xalloc.h"

int64_t wire_integer(const struct json *v, int64_t def)
{
	const char *text = json_text(v);
	int64_t n;

	if (!text)
		return json_integer(v, def);
	return text_parse_int(text, &n) ? n : def;
}

static char *text_of(const struct json *v, const char *name)
{
	return json_as_text(json_get(v, name));
}

/* MLflow leaves empty ones as "". */
static char *word_of(const struct json *v, const char *name)
{
	char *text = text_of(v, name);

	if (text && !*text) {
		free(text);
		return NULL;
	}
	return text;
}

static void read_pairs(const struct json *list, const char *key, struct key_values *out)
{
	const struct json *v = NULL;

	while ((v = json_next(list, v))) {
		struct key_value pair = { text_of(v, key), text_of(v, "value") };

		if (pair.key && !pair.value)
			pair.value = xstrdup("");
		if (pair.key) {
			vec_push(out, pair);
			continue;
		}
		free(pair.value);
	}
}

static bool is_deleted(const struct json *v)
{
	const char *stage = json_text(json_get(v, "lifecycle_stage"));

	return stage && !strcasecmp(stage, "deleted");
}

bool wire_read_experiment(const struct json *v, struct mlflow_experiment *out)
{
	*out = (struct mlflow_experiment){
		.id = text_of(v, "experiment_id"),
		.name = text_of(v, "name"),
		.artifact_location = word_of(v, "artifact_location"),
		.deleted = is_deleted(v),
		.created_ms = wire_integer(json_get(v, "creation_time"), 0),
		.updated_ms = wire_integer(json_get(v, "last_update_time"), 0),
	};
	read_pairs(json_get(v, "tags"), "key", &out->tags);
	return out->id && out->name;
}

bool wire_read_point(const struct json *v, struct metric_point *out)
{
	const struct json *value = json_get(v, "value");
	const char *text = json_text(value);

	*out = (struct metric_point){
		.time_ms = wire_integer(json_get(v, "timestamp"), 0),
		.step = wire_integer(json_get(v, "step"), 0),
		/* Zero is left out by some writers of JSON. */
		.value = json_number(value, value ? NAN : 0),
	};
	if (text && !text_parse_double(text, &out->value))
		return false;
	out->value = metric_from_mlflow(out->value);
	return json_is_object(v);
}

static void read_inputs(const struct json *v, struct mlflow_run *out)
{
	const struct json *inputs = json_get(v, "inputs"), *item = NULL;

	while ((item = json_next(json_get(inputs, "dataset_inputs"), item))) {
		const struct json *set = json_get(item, "dataset");
		struct dataset d = {
			.name = text_of(set, "name"), .digest = text_of(set, "digest"),
			.source_type = text_of(set, "source_type"), .source = text_of(set, "source"),
			.schema = text_of(set, "schema"), .profile = text_of(set, "profile"),
		};

		read_pairs(json_get(item, "tags"), "key", &d.tags);
		if (d.name && d.digest && d.source_type && d.source)
			vec_push(&out->inputs, d);
		else
			dataset_release(&d);
	}
	item = NULL;
	while ((item = json_next(json_get(inputs, "model_inputs"), item))) {
		struct model_use use = { .model = word_of(item, "model_id") };

		if (use.model)
			vec_push(&out->model_inputs, use);
	}
	item = NULL;
	while ((item = json_next(json_get(json_get(v, "outputs"), "model_outputs"), item))) {
		struct model_use use = { .model = word_of(item, "model_id"),
					 .step = wire_integer(json_get(item, "step"), 0) };

		if (use.model)
			vec_push(&out->model_outputs, use);
	}
}

bool wire_read_run(const struct json *v, struct mlflow_run *out)
{
	const struct json *info = json_get(v, "info"), *data = json_get(v, "data");
	const char *status = json_text(json_get(info, "status"));

	*out = (struct mlflow_run){
		.id = word_of(info, "run_id"),
		.name = word_of(info, "run_name"),
		.user = word_of(info, "user_id"),
		.status = status ? run_status_parse(status) : 0,
		.started_ms = wire_integer(json_get(info, "start_time"), 0),
		.ended_ms = wire_integer(json_get(info, "end_time"), 0),
		.deleted = is_deleted(info),
		.artifact_uri = word_of(info, "artifact_uri"),
	};
	if (!out->id) /* before MLflow 1.0 */
		out->id = word_of(info, "run_uuid");
	if (!out->status)
		out->status = RUN_FINISHED;
	read_pairs(json_get(data, "params"), "key", &out->params);
	read_pairs(json_get(data, "tags"), "key", &out->tags);
	read_inputs(v, out);
	return out->id;
}

static enum logged_model_status model_status(const char *name)
{
	if (name && strstr(name, "PENDING"))
		return LOGGED_MODEL_PENDING;
	return name && strstr(name, "FAILED") ? LOGGED_MODEL_FAILED : LOGGED_MODEL_READY;
}

static void read_model_metrics(const struct json *list, struct logged_model_metrics *out)
{
	const struct json *v = NULL;

	while ((v = json_next(list, v))) {
		struct logged_model_metric m = {
			.key = text_of(v, "key"), .run = word_of(v, "run_id"),
			.dataset = word_of(v, "dataset_name"), .digest = word_of(v, "dataset_digest"),
		};

		if (wire_read_point(v, &m.point) && m.key && m.run) {
			vec_push(out, m);
			continue;
		}
		free(m.key);
		free(m.run);
		free(m.dataset);
		free(m.digest);
	}
}

bool wire_read_model(const struct json *v, struct mlflow_model *out)
{
	const struct json *info = json_get(v, "info"), *data = json_get(v, "data");

	*out = (struct mlflow_model){
		.id = word_of(info, "model_id"),
		.name = word_of(info, "name"),
		.artifact_location = word_of(info, "artifact_uri"),
		.source_run = word_of(info, "source_run_id"),
		.model_type = word_of(info, "model_type"),
		.status_message = word_of(info, "status_message"),
		.status = model_status(json_text(json_get(info, "status"))),
		.deleted = is_deleted(info),
		.created_ms = wire_integer(json_get(info, "creation_timestamp_ms"), 0),
		.updated_ms = wire_integer(json_get(info, "last_updated_timestamp_ms"), 0),
	};
	read_pairs(json_get(info, "tags"), "key", &out->tags);
	read_pairs(json_get(data, "params"), "key", &out->params);
	read_model_metrics(json_get(data, "metrics"), &out->metrics);
	return out->id && out->name;
}

bool wire_read_registered(const struct json *v, struct mlflow_registered *out)
{
	const struct json *alias = NULL;

	*out = (struct mlflow_registered){
		.name = word_of(v, "name"),
		.description = word_of(v, "description"),
		.created_ms = wire_integer(json_get(v, "creation_timestamp"), 0),
		.updated_ms = wire_integer(json_get(v, "last_updated_timestamp"), 0),
	};
	read_pairs(json_get(v, "tags"), "key", &out->tags);
	while ((alias = json_next(json_get(v, "aliases"), alias))) {
		struct key_value pair = { word_of(alias, "alias"), word_of(alias, "version") };

		if (pair.key && pair.value) {
			vec_push(&out->aliases, pair);
			continue;
		}
		free(pair.key);
		free(pair.value);
	}
	return out->name;
}

static enum mlflow_version_status version_status(const char *name)
{
	if (name && strstr(name, "PENDING"))
		return MLFLOW_VERSION_PENDING;
	return name && strstr(name, "FAILED") ? MLFLOW_VERSION_FAILED : MLFLOW_VERSION_READY;
}

bool wire_read_version(const struct json *v, struct mlflow_version *out)
{
	*out = (struct mlflow_version){
		.version = wire_integer(json_get(v, "version"), 0),
		.description = word_of(v, "description"),
		.user = word_of(v, "user_id"),
		.source = word_of(v, "source"),
		.run = word_of(v, "run_id"),
		.run_link = word_of(v, "run_link"),
		.model = word_of(v, "model_id"),
		.stage = word_of(v, "current_stage"),
		.status = version_status(json_text(json_get(v, "status"))),
		.status_message = word_of(v, "status_message"),
		.created_ms = wire_integer(json_get(v, "creation_timestamp"), 0),
		.updated_ms = wire_integer(json_get(v, "last_updated_timestamp"), 0),
	};
	if (!out->stage)
		out->stage = xstrdup("None");
	read_pairs(json_get(v, "tags"), "key", &out->tags);
	return out->version > 0;
}

static void put_pair(struct json_writer *w, const char *key, const char *value)
{
	json_open(w, '{');
	json_put_string(w, "key", key);
	json_put_string(w, "value", value);
	json_close(w, '}');
}

void wire_put_pairs_and(struct json_writer *w, const char *name, const struct key_values *list,
			const char *key, const char *value)
{
	json_key(w, name);
	json_open(w, '[');
	for (size_t i = 0; i < list->len; i++)
		if (!key || strcmp(list->v[i].key, key) != 0)
			put_pair(w, list->v[i].key, list->v[i].value);
	if (key)
		put_pair(w, key, value);
	json_close(w, ']');
}

void wire_put_pairs(struct json_writer *w, const char *name, const struct key_values *list)
{
	wire_put_pairs_and(w, name, list, NULL, NULL);
}

void wire_put_point(struct json_writer *w, const char *key, const struct metric_point *p)
{
	json_put_string(w, "key", key);
	json_put_double(w, "value", p->value);
	json_put_int(w, "timestamp", p->time_ms);
	json_put_int(w, "step", p->step);
}

void wire_put_dataset(struct json_writer *w, const struct dataset *d)
{
	json_open(w, '{');
	wire_put_pairs(w, "tags", &d->tags);
	dataset_put_json(w, d);
	json_close(w, '}');
}
