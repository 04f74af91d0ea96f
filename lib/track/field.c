/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/field.h"

#include <string.h>

static const struct field_spec run_metric[] = { {
	.type = FIELD_NUMBER,
	.nullable = true,
	.from = "metric m WHERE m.run_id = r.id"
		" AND m.key_id = (SELECT id FROM metric_key WHERE name = ?)",
	.value = "m.value",
} };
static const struct field_spec run_param[] = { {
	.type = FIELD_ANY,
	.from = "param p WHERE p.run_id = r.id AND p.key = ?",
	.value = "p.value",
} };
static const struct field_spec run_tag[] = { {
	.type = FIELD_ANY,
	.from = "tag t WHERE t.run_id = r.id AND t.key = ?",
	.value = "t.value",
} };

static const struct field_spec run_attributes[] = {
	{ .names = { "run_id", "id" }, .value = "r.uuid" },
	{ .names = { "run_name", "run name", "Run name", "Run Name", "name" }, .value = "r.name" },
	{ .names = { "user_id", "user" }, .value = "r.user" },
	{ .names = { "status" },
	  .type = FIELD_STATUS,
	  .value = "CASE r.status WHEN 1 THEN 'RUNNING' WHEN 2 THEN 'SCHEDULED' WHEN 3 THEN"
		   " 'FINISHED' WHEN 4 THEN 'FAILED' WHEN 5 THEN 'KILLED' ELSE 'LOST' END",
	  .number = "r.status" },
	{ .names = { "start_time", "started", "created", "Created" },
	  .type = FIELD_TIME,
	  .value = "r.started_ms" },
	{ .names = { "end_time", "ended" },
	  .type = FIELD_TIME,
	  .nullable = true,
	  .value = "r.ended_ms" },
	{ .names = { "artifact_uri" },
	  .value = "coalesce(r.artifact_uri, 'mlflow-artifacts:/' || r.experiment_id || '/' || r.uuid"
		   " || '/artifacts')" },
	{ .names = { "experiment" },
	  .value = "(SELECT x.name FROM experiment x WHERE x.id = r.experiment_id)" },
	{ .names = { "parent" },
	  .nullable = true,
	  .value = "(SELECT x.uuid FROM run x WHERE x.id = r.parent_id)" },
	{ .names = { "host" }, .nullable = true, .value = "r.host" },
	{ .names = { "source" }, .nullable = true, .value = "r.source" },
	{ .names = { "reason" }, .nullable = true, .value = "r.reason" },
	{ .names = { "duration" },
	  .type = FIELD_DURATION,
	  .value = "(coalesce(r.ended_ms, unixepoch() * 1000) - r.started_ms)" },
	{ .names = { "exit_code" },
	  .type = FIELD_NUMBER,
	  .nullable = true,
	  .value = "r.exit_code" },
	{ .names = { "exit_signal" },
	  .type = FIELD_NUMBER,
	  .nullable = true,
	  .value = "r.exit_signal" },
	{ .value = NULL },
};

#define RUN_DATASET "run_input i JOIN dataset d ON d.id = i.dataset_id WHERE i.run_id = r.id"
static const struct field_spec run_datasets[] = {
	{ .names = { "name" }, .from = RUN_DATASET, .value = "d.name" },
	{ .names = { "digest" }, .from = RUN_DATASET, .value = "d.digest" },
	{ .names = { "context" },
	  .from = "run_input i JOIN run_input_tag c ON c.input_id = i.id"
		  " WHERE i.run_id = r.id AND c.key = 'mlflow.data.context'",
	  .value = "c.value" },
	{ .value = NULL },
};

/* Names before the dot.  The first group also serves names without one. */
struct field_group {
	const char *names[5];
	enum field_kind kind;
	bool keyed; /* any key: the spec without a name serves those that no other names */
	const struct field_spec *specs;
};

static const struct field_group run_groups[] = {
	{ { "attributes", "attribute", "attr", "run" }, FIELD_ATTRIBUTE, false, run_attributes },
	{ { "metrics", "metric" }, FIELD_METRIC, true, run_metric },
	{ { "params", "param", "parameters", "parameter" }, FIELD_PARAM, true, run_param },
	{ { "tags", "tag" }, FIELD_TAG, true, run_tag },
	{ { "datasets", "dataset" }, FIELD_DATASET, false, run_datasets },
	{ .specs = NULL },
};

static const struct field_spec experiment_attributes[] = {
	{ .names = { "name" }, .value = "r.name" },
	{ .names = { "creation_time", "created" }, .type = FIELD_TIME, .value = "r.created_ms" },
	{ .names = { "last_update_time", "updated" }, .type = FIELD_TIME, .value = "r.updated_ms" },
	/* Ids are texts that hold numbers, and sort as such. */
	{ .names = { "experiment_id", "id" }, .type = FIELD_ANY, .value = "r.id" },
	{ .value = NULL },
};
static const struct field_spec experiment_tag[] = { {
	.type = FIELD_ANY,
	.from = "experiment_tag t WHERE t.experiment_id = r.id AND t.key = ?",
	.value = "t.value",
} };
static const struct field_group experiment_groups[] = {
	{ { "attributes", "attribute", "attr", "experiment" }, FIELD_ATTRIBUTE, false,
	  experiment_attributes },
	{ { "tags", "tag" }, FIELD_TAG, true, experiment_tag },
	{ .specs = NULL },
};

static const struct field_spec model_attributes[] = {
	{ .names = { "name" }, .value = "r.name" },
	{ .names = { "last_updated_timestamp", "timestamp", "last_updated_time" },
	  .type = FIELD_TIME,
	  .value = "r.updated_ms" },
	{ .names = { "creation_timestamp", "creation_time" },
	  .type = FIELD_TIME,
	  .value = "r.created_ms" },
	{ .value = NULL },
};
static const struct field_spec model_tag[] = {
	{ .names = { REGISTRY_PROMPT_TAG },
	  .value = "coalesce((SELECT t.value FROM registered_model_tag t WHERE t.name = r.name"
		   " AND t.key = '" REGISTRY_PROMPT_TAG "'), 'false')" },
	{ .type = FIELD_ANY,
	  .from = "registered_model_tag t WHERE t.name = r.name AND t.key = ?",
	  .value = "t.value" },
};
static const struct field_group model_groups[] = {
	{ { "attributes", "attribute", "attr", "model" }, FIELD_ATTRIBUTE, false,
	  model_attributes },
	{ { "tags", "tag" }, FIELD_TAG, true, model_tag },
	{ .specs = NULL },
};

static const struct field_spec version_attributes[] = {
	{ .names = { "name" }, .value = "r.name" },
	{ .names = { "version_number", "version" }, .type = FIELD_NUMBER, .value = "r.version" },
	{ .names = { "run_id" }, .nullable = true, .value = "r.run_uuid" },
	{ .names = { "source_path", "source" }, .nullable = true, .value = "r.source" },
	{ .names = { "creation_timestamp", "creation_time" },
	  .type = FIELD_TIME,
	  .value = "r.created_ms" },
	{ .names = { "last_updated_timestamp", "timestamp", "last_updated_time" },
	  .type = FIELD_TIME,
	  .value = "r.updated_ms" },
	{ .names = { "current_stage", "stage" }, .value = "r.stage" },
	{ .value = NULL },
};
#define VERSION_TAG "model_version_tag t WHERE t.name = r.name AND t.version = r.version"
static const struct field_spec version_tag[] = {
	{ .names = { REGISTRY_PROMPT_TAG },
	  .value = "coalesce((SELECT t.value FROM " VERSION_TAG
		   " AND t.key = '" REGISTRY_PROMPT_TAG "'), 'false')" },
	{ .type = FIELD_ANY, .from = VERSION_TAG " AND t.key = ?", .value = "t.value" },
};
static const struct field_group version_groups[] = {
	{ { "attributes", "attribute", "attr", "version" }, FIELD_ATTRIBUTE, false,
	  version_attributes },
	{ { "tags", "tag" }, FIELD_TAG, true, version_tag },
	{ .specs = NULL },
};

static const struct field_spec logged_model_attributes[] = {
	{ .names = { "name" }, .value = "r.name" },
	{ .names = { "model_id" }, .value = "r.id" },
	{ .names = { "model_type" }, .nullable = true,
	  .value = "r.model_type" },
	{ .names = { "status" },
	  .value = "CASE r.status WHEN 1 THEN 'PENDING' WHEN 2 THEN 'READY' ELSE 'FAILED' END" },
	{ .names = { "source_run_id" },
	  .nullable = true,
	  .value = "(SELECT x.uuid FROM run x WHERE x.id = r.source_run_id)" },
	{ .names = { "creation_timestamp", "creation_time", "creation_timestamp_ms" },
	  .type = FIELD_TIME,
	  .value = "r.created_ms" },
	{ .names = { "last_updated_timestamp", "last_updated_time", "last_updated_timestamp_ms" },
	  .type = FIELD_TIME,
	  .value = "r.updated_ms" },
	{ .names = { "experiment_id" }, .type = FIELD_NUMBER,
	  .value = "r.experiment_id" },
	{ .value = NULL },
};
/* model_metric: logged_model_metric, or what a search leaves of it (logged_model_search.c). */
static const struct field_spec logged_model_metric[] = { {
	.type = FIELD_NUMBER,
	.nullable = true,
	.from = "model_metric m WHERE m.model_id = r.id AND m.key = ?",
	.value = "m.value",
} };
static const struct field_spec logged_model_param[] = { {
	.type = FIELD_ANY,
	.from = "logged_model_param p WHERE p.model_id = r.id AND p.key = ?",
	.value = "p.value",
} };
static const struct field_spec logged_model_tag[] = { {
	.type = FIELD_ANY,
	.from = "logged_model_tag t WHERE t.model_id = r.id AND t.key = ?",
	.value = "t.value",
} };
static const struct field_group logged_model_groups[] = {
	{ { "attributes", "attribute", "attr", "model" }, FIELD_ATTRIBUTE, false,
	  logged_model_attributes },
	{ { "metrics", "metric" }, FIELD_METRIC, true, logged_model_metric },
	{ { "params", "param", "parameters", "parameter" }, FIELD_PARAM, true,
	  logged_model_param },
	{ { "tags", "tag" }, FIELD_TAG, true, logged_model_tag },
	{ .specs = NULL },
};

static const struct field_group *const groups[FIELD_TARGETS] = {
	[FIELD_OF_RUNS] = run_groups,
	[FIELD_OF_EXPERIMENTS] = experiment_groups,
	[FIELD_OF_MODELS] = model_groups,
	[FIELD_OF_VERSIONS] = version_groups,
	[FIELD_OF_LOGGED_MODELS] = logged_model_groups,
};

void field_release(struct field *field)
{
	free(field->key);
	*field = (struct field)FIELD_INIT;
}

static bool among(const char *const *names, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n && names[i]; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return true;
	return false;
}

static const struct field_spec *find_spec(const struct field_group *group, const char *name)
{
	for (const struct field_spec *s = group->specs; s->value; s++)
		if (among(s->names, ARRAY_SIZE(s->names), name, strlen(name)))
			return s;
	return NULL;
}

static int unknown(const char *what, const char *name, struct mlp_error *err)
{
	mlp_error_set(err, MLP_EINVAL, "unknown %s '%s'", what, name);
	mlp_error_hint(err, "a metric is written metrics.%s, a parameter params.%s, a tag tags.%s",
		       name, name, name);
	return MLP_EINVAL;
}

int field_parse(struct field *out, enum field_target target, const char *name,
		struct mlp_error *err)
{
	const struct field_group *group = groups[target];
	const char *dot = strchr(name, '.'), *key = dot ? dot + 1 : name;
	size_t len = dot ? (size_t)(dot - name) : 0;

	*out = (struct field)FIELD_INIT;
	while (dot && group->specs && !among(group->names, ARRAY_SIZE(group->names), name, len))
		group++;
	if (!group->specs)
		return unknown("name", name, err);
	out->kind = group->kind;
	if (!*key) {
		mlp_error_set(err, MLP_EINVAL, "no key after '%s'", name);
		mlp_error_hint(err, "a key is quoted with backticks: metrics.`val loss`");
		return MLP_EINVAL;
	}
	if (group->keyed) {
		out->spec = group->specs;
		while (*out->spec->names && strcmp(*out->spec->names, key))
			out->spec++;
		out->key = xstrdup(key);
		return 0;
	}
	out->spec = find_spec(group, key);
	if (out->spec)
		return 0;
	if (group->kind == FIELD_ATTRIBUTE)
		return unknown("attribute", key, err);
	return mlp_error_set(err, MLP_EINVAL, "unknown key '%s' in '%s'", key, name);
}

void field_add_value(const struct field *field, bool as_text, struct query *q)
{
	const struct field_spec *spec = field->spec;
	_cleanup_free_ char *sql = NULL;

	if (!spec->from) {
		query_add(q, spec->value);
		return;
	}
	/* Against a number SQLite reads text as a number where all of it is one; other text
	 * is greater than every number. */
	if (spec->type == FIELD_ANY && !as_text)
		sql = xasprintf("(SELECT CASE WHEN %s <= CAST(9e999 AS REAL) THEN"
				" CAST(%s AS REAL) ELSE %s END FROM %s LIMIT 1)",
				spec->value, spec->value, spec->value, spec->from);
	else
		sql = xasprintf("(SELECT %s FROM %s LIMIT 1)", spec->value, spec->from);
	query_add_keyed(q, sql, field->key);
}
