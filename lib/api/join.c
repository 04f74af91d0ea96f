/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/join.h"

#include <string.h>
#include <strings.h>

#include "lib/track/experiment.h"
#include "lib/util/text.h"

/* Its name is the member of the run alone. */
static void drop_name(struct key_values *tags)
{
	for (size_t i = 0; i < tags->len; i++) {
		if (strcmp(tags->v[i].key, "mlflow.runName"))
			continue;
		free(tags->v[i].key);
		free(tags->v[i].value);
		tags->v[i--] = tags->v[--tags->len];
	}
}

static int take(struct api_call *call, const struct run_new *n, int64_t run,
		struct mlp_error *err)
{
	int64_t experiment;
	int r = 0;

	if (!call->join->keep_experiment) {
		r = experiment_find(call->db, n->experiment, &experiment, err);
		if (!r)
			r = run_move(call->db, run, experiment, err);
	}
	if (!r && n->name && !call->join->keep_name)
		r = run_rename(call->db, run, n->name, err);
	return r;
}

enum api_error api_join_run(struct api_call *call, const struct run_new *n,
			    struct key_values *tags, int64_t *id)
{
	struct api_join *join = call->join;
	struct mlp_error err = MLP_ERROR_INIT;

	*id = 0;
	if (!join || join->joined || key_values_get(tags, "mlflow.parentRunId"))
		return API_OK;
	if (run_find(call->db, join->run, id, &err) || take(call, n, *id, &err))
		return api_fail_error(call, &err);
	drop_name(tags);
	join->joined = true;
	return API_OK;
}

bool api_join_keeps_name(const struct api_call *call, const char *uuid)
{
	return call->join && call->join->keep_name && !strcmp(call->join->run, uuid);
}

static bool is_truth(const char *s)
{
	return !strcasecmp(s, "true") || !strcasecmp(s, "false");
}

bool api_join_has_param(const struct api_call *call, const char *uuid, const char *key,
			const char *value)
{
	const char *given = call->join && !strcmp(call->join->run, uuid) ?
				    key_values_get(call->join->params, key) :
				    NULL;
	double a, b;

	if (!given)
		return false;
	if (text_parse_double(given, &a) && text_parse_double(value, &b))
		return a == b;
	return is_truth(given) && !strcasecmp(given, value);
}
