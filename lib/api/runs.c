/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/runs/... but for metrics. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/api/join.h"
#include "lib/track/artifact_tree.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

static void put_info(struct json_writer *w, const struct run *run)
{
	_cleanup_free_ char *artifacts = artifact_run_uri(run->experiment_id, run->uuid);

	json_open(w, '{');
	json_put_string(w, "run_uuid", run->uuid);
	api_put_id(w, "experiment_id", run->experiment_id);
	json_put_string(w, "run_name", run->name);
	json_put_string(w, "user_id", run->user);
	json_put_string(w, "status", run_status_mlflow(run->status));
	json_put_int(w, "start_time", run->started_ms);
	if (run->ended_ms)
		json_put_int(w, "end_time", run->ended_ms);
	json_put_string(w, "artifact_uri", run->artifact_uri ? run->artifact_uri : artifacts);
	json_put_string(w, "lifecycle_stage", run->deleted_ms ? "deleted" : "active");
	json_put_string(w, "run_id", run->uuid);
	json_close(w, '}');
}

/* A list under a key, which is not there when it is empty, as in MLflow. */
struct put_list {
	struct json_writer *w;
	const char *key;
	bool open;
};

static void list_begin(struct put_list *list)
{
	if (list->open)
		return;
	json_key(list->w, list->key);
	json_open(list->w, '[');
	list->open = true;
}

static void list_end(struct put_list *list)
{
	if (list->open)
		json_close(list->w, ']');
}

static void put_latest(void *data, const struct metric_latest *latest)
{
	struct put_list *list = data;

	list_begin(list);
	api_put_metric(list->w, latest->key, &latest->last);
}

static void put_key_value(void *data, const char *key, const char *value)
{
	struct put_list *list = data;

	list_begin(list);
	json_open(list->w, '{');
	json_put_string(list->w, "key", key);
	json_put_string(list->w, "value", value);
	json_close(list->w, '}');
}

static int put_data(struct api_call *call, int64_t run, struct run_parts *parts,
		    struct mlp_error *err)
{
	struct put_list metrics = { .w = &call->out, .key = "metrics" };
	struct put_list params = { .w = &call->out, .key = "params" };
	struct put_list tags = { .w = &call->out, .key = "tags" };
	int r = parts->metric_keys ?
			metric_latest_of(call->db, run, parts->metric_keys, put_latest, &metrics,
					 err) :
			metric_latest_each(call->db, run, &parts->names, put_latest, &metrics, err);

	list_end(&metrics);
	if (!r)
		r = params_each(call->db, run, parts->param_keys, put_key_value, &params, err);
	list_end(&params);
	if (!r)
		r = tags_each(call->db, run, parts->tag_keys, put_key_value, &tags, err);
	list_end(&tags);
	return r;
}

enum api_error api_put_run(struct api_call *call, const struct run *run, struct run_parts *parts)
{
	struct json_writer *w = &call->out;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r;

	json_open(w, '{');
	json_key(w, "info");
	put_info(w, run);
	json_key(w, "data");
	json_open(w, '{');
	if (put_data(call, run->id, parts, &err))
		return api_fail_error(call, &err);
	json_close(w, '}');
	r = api_put_inputs(call, run->id);
	json_close(w, '}');
	return r;
}

enum api_error api_need_run_uuid(struct api_call *call, const char **uuid)
{
	*uuid = NULL;
	if (api_get_string(call, "run_uuid", uuid))
		return API_INVALID_PARAMETER_VALUE;
	if (api_get_string(call, "run_id", uuid))
		return API_INVALID_PARAMETER_VALUE;
	return *uuid && **uuid ? API_OK : api_missing(call, "run_id");
}

static enum api_error no_run(struct api_call *call, const char *uuid)
{
	return api_fail(call, API_RESOURCE_DOES_NOT_EXIST, "Run with id=%s not found", uuid);
}

static enum api_error run_is_deleted(struct api_call *call, const char *uuid)
{
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"The run %s must be in the 'active' state. Current state is deleted.", uuid);
}

enum api_error api_need_run(struct api_call *call, struct run *out)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *uuid;
	enum api_error e = api_need_run_uuid(call, &uuid);
	int64_t id;
	int r;

	if (e)
		return e;
	r = run_find(call->db, uuid, &id, &err);
	if (r == MLP_ENOTFOUND)
		return no_run(call, uuid);
	if (r || run_get(call->db, id, out, &err))
		return api_fail_error(call, &err);
	return API_OK;
}

enum api_error api_active_run(struct api_call *call, struct run *out)
{
	enum api_error r = api_need_run(call, out);

	return r || !out->deleted_ms ? r : run_is_deleted(call, out->uuid);
}

enum api_error api_active_run_id(struct api_call *call, int64_t *id)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *uuid;
	enum api_error e = api_need_run_uuid(call, &uuid);
	int r;

	if (e)
		return e;
	st = db_query(call->db, &err, "SELECT id, deleted_ms FROM run WHERE uuid = ?1", "s", uuid);
	r = st ? db_step(st, &err) : MLP_EFAIL;
	if (r < 0)
		return api_fail_error(call, &err);
	if (!r)
		return no_run(call, uuid);
	*id = db_int(st, 0);
	return db_is_null(st, 1) ? API_OK : run_is_deleted(call, uuid);
}

static enum api_error answer_run(struct api_call *call, int64_t id)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct run_parts all = { .metric_keys = NULL };
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r;

	if (run_get(call->db, id, &run, &err))
		return api_fail_error(call, &err);
	json_open(&call->out, '{');
	json_key(&call->out, "run");
	r = api_put_run(call, &run, &all);
	metric_names_release(&all.names);
	json_close(&call->out, '}');
	return r;
}

enum api_error api_set_tags(struct api_call *call, int64_t run, const struct key_values *tags)
{
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r;

	for (size_t i = 0; i < tags->len; i++) {
		struct key_value *tag = &tags->v[i];

		/* MLflow cuts long values silently unless told otherwise. */
		tag->value[text_utf8_cut(tag->value, RUN_TAG_MAX)] = '\0';
		call->item = i;
		r = api_check_key(call, "key", NULL, tag->key);
		if (r)
			return r;
		/* A run keeps its name rather than have none. */
		if (!strcmp(tag->key, "mlflow.runName") && !*tag->value)
			continue;
		if (!strcmp(tag->key, "mlflow.runName") ?
			    run_rename(call->db, run, tag->value, &err) :
			    tag_set(call->db, run, tag->key, tag->value, &err))
			return api_fail_error(call, &err);
	}
	return API_OK;
}

static enum api_error create(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	_release_(key_values_release) struct key_values tags = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct run_new new_run = { 0 };
	const char *tagged;
	enum api_error r = api_active_experiment(call, &e);
	int64_t id;

	if (!r)
		r = api_get_string(call, "run_name", &new_run.name);
	if (!r)
		r = api_get_string(call, "user_id", &new_run.user);
	if (!r)
		r = api_get_time(call, "start_time", &new_run.started_ms);
	if (!r)
		r = api_read_tags(call, &tags);
	if (r)
		return r;
	tagged = key_values_get(&tags, "mlflow.runName");
	if (new_run.name && !*new_run.name)
		new_run.name = NULL;
	if (new_run.name && tagged && strcmp(new_run.name, tagged))
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Both 'run_name' argument and 'mlflow.runName' tag are specified, but "
				"with different values (run_name='%s', mlflow.runName='%s').",
				new_run.name, tagged);
	if (!new_run.name)
		new_run.name = tagged;
	new_run.experiment = e.name;
	new_run.artifact_root = experiment_artifact_root(e.artifact_location);
	r = api_join_run(call, &new_run, &tags, &id);
	if (r)
		return r;
	if (!id && run_create(call->db, &new_run, &id, NULL, &err))
		return api_fail_error(call, &err);
	r = api_set_tags(call, id, &tags);
	return r ? r : answer_run(call, id);
}

static enum api_error get(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	enum api_error r = api_need_run(call, &run);

	return r ? r : answer_run(call, run.id);
}

static enum api_error update(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *status = NULL, *name = NULL;
	struct run_end end = { .exit_code = -1 };
	enum api_error r = api_active_run(call, &run);

	if (!r)
		r = api_get_string(call, "status", &status);
	if (!r)
		r = api_get_string(call, "run_name", &name);
	if (!r)
		r = api_get_time(call, "end_time", &end.ended_ms);
	if (r)
		return r;
	end.status = status ? run_status_parse(status) : run.status;
	if (!end.status)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid value \"%s\" for parameter 'status' supplied.", status);
	if (name && *name && !api_join_keeps_name(call, run.uuid) &&
	    run_rename(call->db, run.id, name, &err))
		return api_fail_error(call, &err);
	/* The end of a run that mlp train supervises is the end of its command. */
	if (!(run.heartbeat_ms && run.status == RUN_RUNNING) && (status || end.ended_ms) &&
	    run_set_state(call->db, run.id, end.status, end.ended_ms, &err))
		return api_fail_error(call, &err);
	run_release(&run);
	if (api_need_run(call, &run))
		return API_INTERNAL_ERROR;
	json_open(&call->out, '{');
	json_key(&call->out, "run_info");
	put_info(&call->out, &run);
	json_close(&call->out, '}');
	return API_OK;
}

static enum api_error trash(struct api_call *call, bool deleted)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_need_run(call, &run);

	if (r)
		return r;
	return run_trash(call->db, run.id, deleted, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error delete(struct api_call *call)
{
	return trash(call, true);
}

static enum api_error restore(struct api_call *call)
{
	return trash(call, false);
}

static enum api_error log_parameter(struct api_call *call)
{
	const char *key, *value = "";
	int64_t run;
	enum api_error r = api_active_run_id(call, &run);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (!r)
		r = api_get_string(call, "value", &value);
	if (r)
		return r;
	return api_log_param(call, run, key, value);
}

static enum api_error set_tag(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct key_value tag = { 0 };
	struct key_values one = { &tag, 1, 1 };
	const char *key, *value = "";
	enum api_error r = api_active_run(call, &run);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (!r)
		r = api_get_string(call, "value", &value);
	if (r)
		return r;
	tag.key = xstrdup(key);
	tag.value = xstrdup(value);
	r = api_set_tags(call, run.id, &one);
	free(tag.key);
	free(tag.value);
	return r;
}

static enum api_error delete_tag(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *key;
	enum api_error r = api_active_run(call, &run);
	int failed;

	if (!r)
		r = api_need_string(call, "key", &key);
	if (r)
		return r;
	failed = tag_unset(call->db, run.id, key, &err);
	if (failed == MLP_ENOTFOUND)
		return api_fail(call, API_RESOURCE_DOES_NOT_EXIST,
				"No tag with name: %s in run with id %s", key, run.uuid);
	return failed ? api_fail_error(call, &err) : API_OK;
}

void api_put_files(struct json_writer *w, const struct artifacts *list, bool base_names)
{
	if (!list->len)
		return;
	json_key(w, "files");
	json_open(w, '[');
	for (size_t i = 0; i < list->len; i++) {
		const struct artifact *a = &list->v[i];

		json_open(w, '{');
		json_put_string(w, "path", base_names ? path_basename(a->path) : a->path);
		json_put_bool(w, "is_dir", a->is_folder);
		if (!a->is_folder)
			json_put_int(w, "file_size", a->size);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static enum api_error list_artifacts(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	_release_(artifacts_release) struct artifacts found = { 0 };
	_cleanup_free_ char *path = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *inside = "";
	enum api_error r = api_need_run(call, &run);
	int failed;

	if (!r)
		r = api_get_string(call, "path", &inside);
	if (r)
		return r;
	path = xasprintf("%" PRId64 "/%s/artifacts%s%s", run.experiment_id, run.uuid,
			 *inside ? "/" : "", inside);
	failed = artifact_tree_locate(call->db, path, &place, &err);
	if (failed == MLP_EINVAL || failed == MLP_ENOTFOUND)
		return api_fail(call, API_INVALID_PARAMETER_VALUE, "Invalid path: %s", inside);
	if (failed || artifact_tree_list(call->db, &place, &found, &err))
		return api_fail_error(call, &err);
	path[strlen(path) - strlen(inside) - (*inside ? 1 : 0)] = '\0';
	json_open(&call->out, '{');
	json_key(&call->out, "root_uri");
	{
		_cleanup_free_ char *root = xasprintf("mlflow-artifacts:/%s", path);

		json_string(&call->out, root);
	}
	api_put_files(&call->out, &found, false);
	json_close(&call->out, '}');
	return API_OK;
}

const struct api_route api_run_routes[] = {
	{ "POST", "mlflow/runs/create", API_WRITE, API_OF_EXPERIMENT, create },
	{ "GET", "mlflow/runs/get", API_READ, API_OF_RUN, get },
	{ "POST", "mlflow/runs/update", API_WRITE, API_OF_RUN, update },
	{ "POST", "mlflow/runs/delete", API_WRITE, API_OF_RUN, delete },
	{ "POST", "mlflow/runs/restore", API_WRITE, API_OF_RUN, restore },
	{ "POST", "mlflow/runs/log-parameter", API_WRITE, API_OF_RUN, log_parameter },
	{ "POST", "mlflow/runs/set-tag", API_WRITE, API_OF_RUN, set_tag },
	{ "POST", "mlflow/runs/delete-tag", API_WRITE, API_OF_RUN, delete_tag },
	{ "GET", "mlflow/artifacts/list", API_READ, API_OF_RUN, list_artifacts },
	{ .path = NULL },
};
