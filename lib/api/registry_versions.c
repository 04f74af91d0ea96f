/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/model-versions/... */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/api/registry.h"
#include "lib/track/logged_model.h"
#include "lib/util/text.h"

enum { RESULTS_DEFAULT = 10000, RESULTS_MAX = 200000 };

enum api_error api_need_version(struct api_call *call, int64_t *out)
{
	const char *text;
	enum api_error r;

	/* Python users pass a number where a string is meant. */
	if (!json_text(json_get(call->args, "version")) &&
	    json_number(json_get(call->args, "version"), 0) > 0)
		return api_get_int(call, "version", out);
	r = api_need_string(call, "version", &text);
	if (r || text_parse_int(text, out))
		return r;
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"Parameter 'version' must be an integer, got '%s'.", text);
}

static void put_optional(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_put_string(w, key, value);
}

enum api_error api_put_version(struct api_call *call, const struct model_version *v, bool aliases)
{
	_release_(key_values_release) struct key_values tags = { 0 }, names = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct json_writer *w = &call->out;

	if (model_version_tags_get(call->db, v->name, v->version, &tags, &err) ||
	    (aliases && model_aliases_get(call->db, v->name, v->version, &names, &err)))
		return api_fail_error(call, &err);
	json_open(w, '{');
	json_put_string(w, "name", v->name);
	api_put_id(w, "version", v->version);
	json_put_int(w, "creation_timestamp", v->created_ms);
	json_put_int(w, "last_updated_timestamp", v->updated_ms);
	put_optional(w, "user_id", v->user);
	json_put_string(w, "current_stage", v->stage);
	put_optional(w, "description", v->description);
	put_optional(w, "source", v->source);
	put_optional(w, "run_id", v->run);
	json_put_string(w, "status", "READY");
	put_optional(w, "status_message", v->status_message);
	api_put_tags(w, "tags", &tags);
	put_optional(w, "run_link", v->run_link);
	if (names.len) {
		json_key(w, "aliases");
		json_open(w, '[');
		for (size_t i = 0; i < names.len; i++)
			json_string(w, names.v[i].key);
		json_close(w, ']');
	}
	json_close(w, '}');
	return API_OK;
}

enum api_error api_answer_version(struct api_call *call, const char *name, int64_t version)
{
	_release_(model_version_release) struct model_version v = MODEL_VERSION_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r;

	if (model_version_get(call->db, name, version, &v, &err))
		return api_fail_error(call, &err);
	json_open(&call->out, '{');
	json_key(&call->out, "model_version");
	r = api_put_version(call, &v, true);
	json_close(&call->out, '}');
	return r;
}

enum api_error api_put_versions(struct api_call *call, const struct model_versions *list,
				int64_t limit, bool aliases)
{
	enum api_error r = API_OK;

	json_open(&call->out, '{');
	if (!list->len)
		return API_OK;
	json_key(&call->out, "model_versions");
	json_open(&call->out, '[');
	for (size_t i = 0; !r && i < MIN(list->len, (size_t)limit); i++)
		r = api_put_version(call, &list->v[i], aliases);
	json_close(&call->out, ']');
	return r;
}

/* [{"name": "...", "version": 1}, ...]: the versions a logged model has become. */
static enum api_error note_in_model(struct api_call *call, const char *model, const char *name,
				    int64_t version)
{
	static const char key[] = "mlflow.modelVersions";
	_release_(key_values_release) struct key_values tags = { 0 };
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) struct json *known = NULL;
	struct json_writer w = { .out = &text };
	struct mlp_error err = MLP_ERROR_INIT;
	const char *before;

	if (logged_model_tags_get(call->db, model, &tags, &err))
		return api_fail_error(call, &err);
	before = key_values_get(&tags, key);
	known = before ? json_parse(before, strlen(before), NULL) : NULL;
	json_open(&w, '[');
	for (const struct json *v = json_next(known, NULL); v; v = json_next(known, v)) {
		_release_(strbuf_release) struct strbuf item = STRBUF_INIT;

		json_print(v, &item);
		json_raw(&w, item.buf, item.len);
	}
	json_open(&w, '{');
	json_put_string(&w, "name", name);
	json_put_int(&w, "version", version);
	json_close(&w, '}');
	json_close(&w, ']');
	return logged_model_tag_set(call->db, model, key, text.buf, &err) ?
		       api_fail_error(call, &err) :
		       API_OK;
}

static enum api_error store_version(struct api_call *call, const struct model_version_new *v,
				    const struct key_values *tags)
{
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = API_OK;
	int64_t version;

	if (model_version_create(call->db, v, &version, &err))
		return api_fail_error(call, &err);
	for (size_t i = 0; i < tags->len; i++)
		if (model_version_tag_set(call->db, v->name, version, &tags->v[i], &err))
			return api_fail_error(call, &err);
	if (v->model)
		r = note_in_model(call, v->model, v->name, version);
	return r ? r : api_answer_version(call, v->name, version);
}

static bool is_prompt(const struct key_values *tags)
{
	const char *value = key_values_get(tags, REGISTRY_PROMPT_TAG);

	return value && !strcmp(value, "true");
}

static enum api_error create(struct api_call *call)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	_release_(version_source_release) struct version_source from = { 0 };
	struct model_version_new v = { .run_link = "", .description = "", .user = call->user };
	const char *source, *run = NULL, *model = NULL;
	enum api_error r = api_need_string(call, "name", &v.name);

	if (!r)
		r = api_need_string(call, "source", &source);
	if (!r)
		r = api_check_source(call, source);
	if (!r)
		r = api_get_string(call, "run_id", &run);
	if (!r)
		r = api_get_string(call, "model_id", &model);
	if (!r)
		r = api_get_string(call, "run_link", &v.run_link);
	if (!r)
		r = api_get_string(call, "description", &v.description);
	if (!r)
		r = api_read_tags(call, &tags);
	if (r)
		return r;
	from.source = xstrdup(source);
	from.run = xstrdup_null(run);
	from.model = model && *model ? xstrdup(model) : NULL;
	if (!is_prompt(&tags))
		r = api_resolve_source(call, &from);
	if (r)
		return r;
	v.source = from.source;
	v.location = from.location ? from.location : from.source;
	v.run = from.run ? from.run : "";
	v.model = from.model;
	return store_version(call, &v, &tags);
}

static enum api_error read_names(struct api_call *call, const char **name, int64_t *version)
{
	enum api_error r = api_need_string(call, "name", name);

	return r ? r : api_need_version(call, version);
}

static enum api_error get(struct api_call *call)
{
	const char *name;
	int64_t version;
	enum api_error r = read_names(call, &name, &version);

	return r ? r : api_answer_version(call, name, version);
}

static enum api_error update(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *description = NULL;
	int64_t version;
	enum api_error r = read_names(call, &name, &version);

	if (!r)
		r = api_get_string(call, "description", &description);
	if (r)
		return r;
	if (model_version_describe(call->db, name, version, description, &err))
		return api_fail_error(call, &err);
	return api_answer_version(call, name, version);
}

static enum api_error delete(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name;
	int64_t version;
	enum api_error r = read_names(call, &name, &version);

	if (r)
		return r;
	return model_version_delete(call->db, name, version, &err) ? api_fail_error(call, &err) :
								     API_OK;
}

static enum api_error get_download_uri(struct api_call *call)
{
	_release_(model_version_release) struct model_version v = MODEL_VERSION_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name;
	int64_t version;
	enum api_error r = read_names(call, &name, &version);

	if (r)
		return r;
	if (model_version_get(call->db, name, version, &v, &err))
		return api_fail_error(call, &err);
	json_open(&call->out, '{');
	json_put_string(&call->out, "artifact_uri", v.location ? v.location : v.source);
	json_close(&call->out, '}');
	return API_OK;
}

static enum api_error transition(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *text, *stage;
	bool archive = false;
	int64_t version;
	enum api_error r = read_names(call, &name, &version);

	if (!r)
		r = api_need_string(call, "stage", &text);
	if (!r)
		r = api_get_bool(call, "archive_existing_versions", &archive);
	if (!r)
		r = api_parse_stage(call, text, &stage);
	if (r)
		return r;
	if (archive && strcmp(stage, "Staging") && strcmp(stage, "Production"))
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Model version transition cannot archive existing model versions because "
				"'%s' is not an Active stage. Valid stages are ['Staging', 'Production']",
				text);
	if (model_version_move(call->db, name, version, stage, archive, &err))
		return api_fail_error(call, &err);
	return api_answer_version(call, name, version);
}

static enum api_error search(struct api_call *call)
{
	_release_(listing_release) struct listing l = { .target = FIELD_OF_VERSIONS,
							.limit = RESULTS_DEFAULT };
	_release_(model_versions_release) struct model_versions found = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_read_listing(call, RESULTS_MAX, &l);

	if (r)
		return r;
	if (model_version_search(call->db, &l, &found, &err))
		return api_fail_error(call, &err);
	r = api_put_versions(call, &found, l.limit, false);
	api_put_next_page(&call->out, &l, found.len);
	json_close(&call->out, '}');
	return r;
}

static enum api_error set_tag(struct api_call *call)
{
	_release_(key_values_release) struct key_values tag = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *key, *value = "";
	int64_t version;
	enum api_error r = read_names(call, &name, &version);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (!r)
		r = api_get_string(call, "value", &value);
	if (r)
		return r;
	vec_push(&tag, ((struct key_value){ xstrdup(key), xstrdup(value) }));
	return model_version_tag_set(call->db, name, version, &tag.v[0], &err) ?
		       api_fail_error(call, &err) :
		       API_OK;
}

static enum api_error delete_tag(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *key;
	int64_t version;
	enum api_error r = read_names(call, &name, &version);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (r)
		return r;
	return model_version_tag_unset(call->db, name, version, key, &err) ?
		       api_fail_error(call, &err) :
		       API_OK;
}

const struct api_route api_registry_version_routes[] = {
	{ "POST", "mlflow/model-versions/create", API_WRITE, API_OF_ALL, create },
	{ "GET", "mlflow/model-versions/get", API_READ, API_OF_ALL, get },
	{ "PATCH", "mlflow/model-versions/update", API_WRITE, API_OF_ALL, update },
	{ "DELETE", "mlflow/model-versions/delete", API_WRITE, API_OF_ALL, delete },
	{ "GET", "mlflow/model-versions/search", API_READ, API_OF_ALL, search },
	{ "GET", "mlflow/model-versions/get-download-uri", API_READ, API_OF_ALL, get_download_uri },
	{ "POST", "mlflow/model-versions/transition-stage", API_WRITE, API_OF_ALL, transition },
	{ "POST", "mlflow/model-versions/set-tag", API_WRITE, API_OF_ALL, set_tag },
	{ "DELETE", "mlflow/model-versions/delete-tag", API_WRITE, API_OF_ALL, delete_tag },
	{ .path = NULL },
};
