/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/environ.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/strbuf.h"
#include "lib/util/xalloc.h"

/* Keeps the list sorted. */
static void set(struct key_values *list, char *key, char *value)
{
	struct key_value kv = { key, value };
	size_t i = 0;

	while (i < list->len && strcmp(list->v[i].key, key) < 0)
		i++;
	if (i < list->len && !strcmp(list->v[i].key, key)) {
		free(list->v[i].key);
		free(list->v[i].value);
		list->v[i] = kv;
		return;
	}
	vec_push(list, kv);
	memmove(list->v + i + 1, list->v + i, (list->len - 1 - i) * sizeof(*list->v));
	list->v[i] = kv;
}

static void set_copy(struct key_values *list, const char *key, const char *value)
{
	set(list, xstrdup(key), xstrdup(value));
}

char *environ_param_name(const char *key)
{
	char *name = xasprintf("MLP_PARAM_%s", key);

	for (char *c = name; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return name;
}

static void set_params(const struct job *job, struct key_values *out)
{
	for (size_t i = 0; i < job->params.len; i++) {
		set(out, environ_param_name(job->params.v[i].key),
		    xstrdup(job->params.v[i].value));
	}
}

void environ_of_job(const struct job *job, const struct environ_run *run, struct key_values *out)
{
	set_params(job, out);
	set_copy(out, "MLP_RUN_ID", run->uuid);
	set_copy(out, "MLP_DIR", run->mlp_dir);
	set_copy(out, "MLP_EXPERIMENT", job->experiment ? job->experiment : "Default");
	set(out, xstrdup("MLP_ATTEMPT"), xasprintf("%d", run->attempt));
	set(out, xstrdup("MLP_FD"), xasprintf("%d", run->metrics_fd));
	set_copy(out, "MLP_METRICS", run->metrics_path);
	set_copy(out, "MLP_PARAMS", run->params_path);
	/* A log that arrives when the program ends is of no use to who watches it. */
	if (!getenv("PYTHONUNBUFFERED"))
		set_copy(out, "PYTHONUNBUFFERED", "1");
	if (job->seed >= 0) {
		set(out, xstrdup("MLP_SEED"), xasprintf("%lld", (long long)job->seed));
		if (!getenv("PYTHONHASHSEED"))
			/* Python takes 32 bits. */
			set(out, xstrdup("PYTHONHASHSEED"),
			    xasprintf("%lld", (long long)(job->seed & 0xffffffff)));
	}
	if (run->visible_gpus)
		set_copy(out, "CUDA_VISIBLE_DEVICES", run->visible_gpus);
}

/* Of an outer run nothing that is not set anew may leak in, nor what names something on the
 * user's own server of MLflow where the command is told of ours. */
static bool is_of_another(const struct key_values *ours, const char *key)
{
	if (!strncmp(key, "MLP_PARAM_", 10) || !strcmp(key, "MLP_SEED"))
		return true;
	if (!key_values_get(ours, "MLP_ENDPOINT"))
		return false;
	return !strcmp(key, "MLFLOW_RUN_ID") || !strcmp(key, "MLFLOW_EXPERIMENT_ID") ||
	       (!strcmp(key, "MLFLOW_EXPERIMENT_NAME") && getenv("MLP_ENDPOINT"));
}

void environ_merge(const struct key_values *ours, struct strvec *out)
{
	for (char **e = environ; *e; e++) {
		const char *eq = strchr(*e, '=');
		_cleanup_free_ char *key = eq ? xmemdupz(*e, (size_t)(eq - *e)) : xstrdup(*e);

		if (key_values_get(ours, key) || is_of_another(ours, key))
			continue;
		strvec_push(out, *e);
	}
	for (size_t i = 0; i < ours->len; i++)
		strvec_pushf(out, "%s=%s", ours->v[i].key, ours->v[i].value);
}
