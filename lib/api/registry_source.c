/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of a new model version are: what a client may say about that. */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "lib/api/common.h"
#include "lib/api/registry.h"
#include "lib/track/artifact_tree.h"
#include "lib/track/logged_model.h"
#include "lib/util/text.h"

enum { SOURCE_MAX = 500 }; /* as MLflow's column has it */

void version_source_release(struct version_source *s)
{
	free(s->source);
	free(s->location);
	free(s->run);
	free(s->model);
}

static enum api_error outside(struct api_call *call, const char *source, const char *argument)
{
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"Invalid model version source: '%s'. The %s request parameter must identify "
			"the resource that contains the source.", source, argument);
}

/* Behind "scheme:", or NULL. */
static const char *behind_scheme(const char *source, const char *scheme)
{
	size_t n = strlen(scheme);

	return !strncasecmp(source, scheme, n) && source[n] == ':' ? source + n + 1 : NULL;
}

static bool has_scheme(const char *source)
{
	size_t n = strspn(source, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n && source[n] == ':';
}

static enum api_error refuse_local(struct api_call *call, const struct version_source *s)
{
	if (has_scheme(s->source) && !behind_scheme(s->source, "file"))
		return API_OK;
	/* A run's files are never where a client could name them by a local path. */
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"Invalid model version source: '%s'. To use a local path as a model version "
			"source, the %s request parameter has to be specified and the local path has to "
			"be contained within the artifact directory of the run specified by the %s.",
			s->source, s->model ? "model_id" : "run_id", s->model ? "model_id" : "run_id");
}

/* Percent-decodes in place what can be; false at an encoded NUL. */
static bool decode(char *text, bool *changed)
{
	char *to = text;

	*changed = false;
	for (const char *p = text; *p; p++) {
		char c = *p;

		if (c == '%' && p[1] && p[2] && text_unhex(&c, p + 1, 1)) {
			if (!c)
				return false;
			p += 2;
			*changed = true;
		}
		*to++ = c;
	}
	*to = '\0';
	return true;
}

/* "." and ".." as parts, also percent-encoded, however often: a round takes at least two of
 * SOURCE_MAX characters away. */
static bool has_relative_parts(const char *source)
{
	_cleanup_free_ char *text = xstrdup(source);
	bool changed = true;

	while (changed)
		if (!decode(text, &changed))
			return true;
	for (const char *p = text; *p; p += *p == '/') {
		size_t n = strcspn(p, "/");

		if ((n == 1 && *p == '.') || (n == 2 && !memcmp(p, "..", 2)))
			return true;
		p += n;
	}
	return false;
}

static bool is_within(const char *source, const char *root)
{
	size_t n = strlen(root);

	return !strncmp(source, root, n) && (!source[n] || source[n] == '/');
}

static enum api_error check_run_root(struct api_call *call, const struct version_source *s)
{
	_cleanup_free_ char *root = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	int64_t experiment;
	int r = !s->run ? MLP_ENOTFOUND :
			  db_get_int(call->db, &experiment, &err,
				     "SELECT experiment_id FROM run WHERE uuid = ?1", "s", s->run);

	if (r && r != MLP_ENOTFOUND)
		return api_fail_error(call, &err);
	if (r)
		return outside(call, s->source, "run_id");
	root = artifact_run_uri(experiment, s->run);
	return is_within(s->source, root) ? API_OK : outside(call, s->source, "run_id");
}

static enum api_error check_run(struct api_call *call, const struct version_source *s)
{
	const char *path = behind_scheme(s->source, "runs");

	if (path) {
		_cleanup_free_ char *root = xasprintf("/%s", s->run && *s->run ? s->run : "?");

		return is_within(path, root) ? API_OK : outside(call, s->source, "run_id");
	}
	if (behind_scheme(s->source, "mlflow-artifacts"))
		return check_run_root(call, s);
	return API_OK;
}

/* The run is the one the logged model came from, unless another is named. */
static enum api_error check_model(struct api_call *call, struct version_source *s)
{
	_release_(logged_model_release) struct logged_model m = LOGGED_MODEL_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *path = behind_scheme(s->source, "models");
	bool inside = path || behind_scheme(s->source, "mlflow-artifacts");
	int r = logged_model_get(call->db, s->model, &m, &err);

	if (r == MLP_ENOTFOUND && inside)
		return outside(call, s->source, "model_id");
	if (r)
		return api_fail_error(call, &err);
	if (behind_scheme(s->source, "runs") ||
	    (behind_scheme(s->source, "mlflow-artifacts") &&
	     !is_within(s->source, m.artifact_location)) ||
	    (path && (*path != '/' || strcmp(path + 1, s->model)) && !s->location))
		return outside(call, s->source, "model_id");
	if (path && !s->location)
		s->location = xstrdup(m.artifact_location);
	if (!s->run || !*s->run) {
		free(s->run);
		s->run = xstrdup_null(m.source_run);
	}
	return API_OK;
}

/* name@alias, name/3, name/latest, name/Production */
static int find_version(struct api_call *call, const char *text, char **name, int64_t *version,
			struct mlp_error *err)
{
	_release_(model_versions_release) struct model_versions latest = { 0 };
	_release_(strvec_release) struct strvec stages = STRVEC_INIT;
	const char *mark = strpbrk(text, "@/");
	const char *stage = mark ? model_stage_parse(mark + 1) : NULL;
	int r;

	if (!mark)
		return mlp_error_set(err, MLP_EINVAL, "Not a proper models:/ URI: models:/%s.", text);
	*name = xmemdupz(text, (size_t)(mark - text));
	if (*mark == '@')
		return model_alias_resolve(call->db, *name, mark + 1, version, err);
	if (text_parse_int(mark + 1, version))
		return 0;
	if (!strcasecmp(mark + 1, "latest"))
		return model_alias_resolve(call->db, *name, mark + 1, version, err);
	if (!stage)
		return mlp_error_set(err, MLP_EINVAL, "Not a proper models:/ URI: models:/%s.", text);
	strvec_push(&stages, stage);
	r = model_versions_latest(call->db, *name, &stages, &latest, err);
	if (!r && !latest.len)
		return mlp_error_set(err, MLP_ENOTFOUND,
				     "No versions of model with name '%s' and stage '%s' found", *name,
				     stage);
	if (!r)
		*version = latest.v[0].version;
	return r;
}

/* A version of another model: its files, run and model are this one's too. */
static enum api_error follow_version(struct api_call *call, const char *text,
				     struct version_source *s)
{
	_release_(model_version_release) struct model_version v = MODEL_VERSION_INIT;
	_cleanup_free_ char *name = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	int64_t version;

	if (find_version(call, text, &name, &version, &err) ||
	    model_version_get(call->db, name, version, &v, &err))
		return api_fail_error(call, &err);
	if ((s->run && strcmp(s->run, v.run ? v.run : "")) ||
	    (s->model && strcmp(s->model, v.model ? v.model : "")))
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid model version source: '%s'. The run_id and model_id request "
				"parameters must match the referenced model version.", s->source);
	free(s->source);
	free(s->run);
	free(s->model);
	s->source = xasprintf("models:/%s/%" PRId64, name, version);
	s->location = xstrdup_null(v.location);
	s->run = xstrdup_null(v.run);
	s->model = xstrdup_null(v.model);
	return API_OK;
}

enum api_error api_check_source(struct api_call *call, const char *source)
{
	if (strlen(source) <= SOURCE_MAX)
		return API_OK;
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"'source' exceeds the maximum length of %d characters", SOURCE_MAX);
}

enum api_error api_resolve_source(struct api_call *call, struct version_source *s)
{
	const char *path = behind_scheme(s->source, "models");
	enum api_error r = refuse_local(call, s);

	if (!r && has_relative_parts(s->source))
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid model version source: '%s'. If supplying a source as an http, "
				"https, local file path, ftp, objectstore, or mlflow-artifacts uri, an "
				"absolute path must be provided without relative path references present. "
				"Please provide an absolute path.", s->source);
	if (!r && path && (*path != '/' || path[1] == '/'))
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid model version source: '%s'. Registered model sources must use "
				"the active model registry.", s->source);
	if (!r && path && strpbrk(path + 1, "@/"))
		r = follow_version(call, path + 1, s);
	else if (!r && path && !s->model)
		r = outside(call, s->source, "model_id");
	if (r)
		return r;
	return s->model ? check_model(call, s) : check_run(call, s);
}
