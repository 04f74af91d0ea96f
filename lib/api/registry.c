/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow/registered-models/... */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/api/registry.h"
#include "lib/registry/model.h"

enum { RESULTS_DEFAULT = 100, RESULTS_MAX = 1000, ALL_VERSIONS = 0 };

static void put_aliases(struct json_writer *w, const struct key_values *aliases)
{
	if (!aliases->len)
		return;
	json_key(w, "aliases");
	json_open(w, '[');
	for (size_t i = 0; i < aliases->len; i++) {
		json_open(w, '{');
		json_put_string(w, "alias", aliases->v[i].key);
		json_put_string(w, "version", aliases->v[i].value);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static int by_stage(const void *a, const void *b)
{
	return strcmp(((const struct model_version *)a)->stage,
		      ((const struct model_version *)b)->stage);
}

/* In lists MLflow sorts them by stage. */
static enum api_error put_latest(struct api_call *call, const char *name, bool in_list)
{
	_release_(model_versions_release) struct model_versions latest = { 0 };
	const struct strvec every = STRVEC_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = API_OK;

	if (model_versions_latest(call->db, name, &every, &latest, &err))
		return api_fail_error(call, &err);
	if (!latest.len)
		return API_OK;
	if (in_list)
		qsort(latest.v, latest.len, sizeof(*latest.v), by_stage);
	json_key(&call->out, "latest_versions");
	json_open(&call->out, '[');
	for (size_t i = 0; !r && i < latest.len; i++)
		r = api_put_version(call, &latest.v[i], false);
	json_close(&call->out, ']');
	return r;
}

static enum api_error put_model(struct api_call *call, const char *name, bool in_list)
{
	_release_(registered_model_release) struct registered_model m = REGISTERED_MODEL_INIT;
	_release_(key_values_release) struct key_values tags = { 0 }, aliases = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct json_writer *w = &call->out;
	enum api_error r;

	if (registered_model_get(call->db, name, &m, &err) ||
	    registered_model_tags_get(call->db, name, &tags, &err) ||
	    model_aliases_get(call->db, name, ALL_VERSIONS, &aliases, &err))
		return api_fail_error(call, &err);
	json_open(w, '{');
	json_put_string(w, "name", m.name);
	json_put_int(w, "creation_timestamp", m.created_ms);
	json_put_int(w, "last_updated_timestamp", m.updated_ms);
	if (m.description)
		json_put_string(w, "description", m.description);
	r = put_latest(call, name, in_list);
	api_put_tags(w, "tags", &tags);
	put_aliases(w, &aliases);
	json_close(w, '}');
	return r;
}

static enum api_error answer_model(struct api_call *call, const char *name)
{
	enum api_error r;

	json_open(&call->out, '{');
	json_key(&call->out, "registered_model");
	r = put_model(call, name, false);
	json_close(&call->out, '}');
	return r;
}

static enum api_error create(struct api_call *call)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *description = NULL;
	enum api_error r = api_need_string(call, "name", &name);

	if (!r)
		r = api_read_tags(call, &tags);
	if (!r)
		r = api_get_string(call, "description", &description);
	if (r)
		return r;
	if (registered_model_create(call->db, name, description, &err))
		return api_fail_error(call, &err);
	for (size_t i = 0; i < tags.len; i++)
		if (registered_model_tag_set(call->db, name, tags.v[i].key, tags.v[i].value, &err))
			return api_fail_error(call, &err);
	return answer_model(call, name);
}

static enum api_error get(struct api_call *call)
{
	const char *name;
	enum api_error r = api_need_string(call, "name", &name);

	return r ? r : answer_model(call, name);
}

static enum api_error rename_model(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *new_name;
	enum api_error r = api_need_string(call, "name", &name);

	if (!r)
		r = api_need_string(call, "new_name", &new_name);
	if (r)
		return r;
	if (registered_model_rename(call->db, name, new_name, &err))
		return api_fail_error(call, &err);
	return answer_model(call, new_name);
}

static enum api_error update(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *description = NULL;
	enum api_error r = api_need_string(call, "name", &name);

	if (!r)
		r = api_get_string(call, "description", &description);
	if (r)
		return r;
	if (registered_model_describe(call->db, name, description, &err))
		return api_fail_error(call, &err);
	return answer_model(call, name);
}

static enum api_error delete(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name;
	enum api_error r = api_need_string(call, "name", &name);

	if (r)
		return r;
	return registered_model_delete(call->db, name, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error search(struct api_call *call)
{
	_release_(listing_release) struct listing l = { .target = FIELD_OF_MODELS,
							.limit = RESULTS_DEFAULT };
	_release_(strvec_release) struct strvec names = STRVEC_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	struct json_writer *w = &call->out;
	enum api_error r = api_read_listing(call, RESULTS_MAX, &l);

	if (r)
		return r;
	if (registered_model_search(call->db, &l, &names, &err))
		return api_fail_error(call, &err);
	json_open(w, '{');
	if (names.len) {
		json_key(w, "registered_models");
		json_open(w, '[');
		for (size_t i = 0; !r && i < MIN(names.len, (size_t)l.limit); i++)
			r = put_model(call, names.v[i], true);
		json_close(w, ']');
	}
	api_put_next_page(w, &l, names.len);
	json_close(w, '}');
	return r;
}

enum api_error api_parse_stage(struct api_call *call, const char *text, const char **out)
{
	*out = model_stage_parse(text);
	return *out ? API_OK :
		      api_fail(call, API_INVALID_PARAMETER_VALUE,
			       "Invalid Model Version stage: %s. Value must be one of None, Staging, "
			       "Production, Archived.", text);
}

static enum api_error read_stages(struct api_call *call, struct strvec *out)
{
	_release_(strvec_release) struct strvec given = STRVEC_INIT;
	enum api_error r = api_get_strings(call, "stages", &given);

	for (size_t i = 0; !r && i < given.len; i++) {
		const char *stage;

		r = api_parse_stage(call, given.v[i], &stage);
		if (!r)
			strvec_push(out, stage);
	}
	return r;
}

static enum api_error get_latest(struct api_call *call)
{
	_release_(model_versions_release) struct model_versions found = { 0 };
	_release_(strvec_release) struct strvec stages = STRVEC_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name;
	enum api_error r = api_need_string(call, "name", &name);

	if (!r)
		r = read_stages(call, &stages);
	if (r)
		return r;
	if (model_versions_latest(call->db, name, &stages, &found, &err))
		return api_fail_error(call, &err);
	r = api_put_versions(call, &found, (int64_t)found.len, true);
	json_close(&call->out, '}');
	return r;
}

static enum api_error set_tag(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *key, *value = "";
	enum api_error r = api_need_string(call, "name", &name);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (!r)
		r = api_get_string(call, "value", &value);
	if (r)
		return r;
	return registered_model_tag_set(call->db, name, key, value, &err) ?
		       api_fail_error(call, &err) :
		       API_OK;
}

static enum api_error delete_tag(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *key;
	enum api_error r = api_need_string(call, "name", &name);

	if (!r)
		r = api_need_string(call, "key", &key);
	if (r)
		return r;
	return registered_model_tag_unset(call->db, name, key, &err) ? api_fail_error(call, &err) :
								       API_OK;
}

static enum api_error read_alias(struct api_call *call, const char **name, const char **alias)
{
	enum api_error r = api_need_string(call, "name", name);

	return r ? r : api_need_string(call, "alias", alias);
}

static enum api_error set_alias(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *alias;
	int64_t version;
	enum api_error r = read_alias(call, &name, &alias);

	if (!r)
		r = api_need_version(call, &version);
	if (r)
		return r;
	return model_alias_set(call->db, name, alias, version, &err) ? api_fail_error(call, &err) :
								       API_OK;
}

static enum api_error delete_alias(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *alias;
	enum api_error r = read_alias(call, &name, &alias);

	if (r)
		return r;
	return model_alias_unset(call->db, name, alias, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error get_alias(struct api_call *call)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const char *name, *alias;
	int64_t version;
	enum api_error r = read_alias(call, &name, &alias);

	if (r)
		return r;
	if (model_alias_resolve(call->db, name, alias, &version, &err))
		return api_fail_error(call, &err);
	return api_answer_version(call, name, version);
}

const struct api_route api_registry_routes[] = {
	{ "POST", "mlflow/registered-models/create", API_WRITE, API_OF_ALL, create },
	{ "GET", "mlflow/registered-models/get", API_READ, API_OF_ALL, get },
	{ "POST", "mlflow/registered-models/rename", API_WRITE, API_OF_ALL, rename_model },
	{ "PATCH", "mlflow/registered-models/update", API_WRITE, API_OF_ALL, update },
	{ "DELETE", "mlflow/registered-models/delete", API_WRITE, API_OF_ALL, delete },
	{ "GET", "mlflow/registered-models/search", API_READ, API_OF_ALL, search },
	{ "*", "mlflow/registered-models/get-latest-versions", API_READ, API_OF_ALL, get_latest },
	{ "POST", "mlflow/registered-models/set-tag", API_WRITE, API_OF_ALL, set_tag },
	{ "DELETE", "mlflow/registered-models/delete-tag", API_WRITE, API_OF_ALL, delete_tag },
	{ "POST", "mlflow/registered-models/alias", API_WRITE, API_OF_ALL, set_alias },
	{ "DELETE", "mlflow/registered-models/alias", API_WRITE, API_OF_ALL, delete_alias },
	{ "GET", "mlflow/registered-models/alias", API_READ, API_OF_ALL, get_alias },
	{ .path = NULL },
};
