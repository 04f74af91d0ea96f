/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of an mlruns/: the input becomes the files of a run, split at NUL bytes, and
 * the names of two of them.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mlflow/source.h"
#include "lib/util/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = { "7/run/meta.yaml",	   "7/run/metrics/loss",
				     "7/run/params/p",	   "7/models/m/meta.yaml",
				     "models/r/meta.yaml", "models/r/version-1/meta.yaml" };

static void put(const char *root, const char *name, const void *data, size_t len)
{
	_cleanup_free_ char *path = path_join(root, name), *dir = path_dirname(path);
	FILE *f;

	if (path_mkdirs(dir, 0700) || !(f = fopen(path, "w")))
		abort();
	fwrite(data, 1, len, f);
	fclose(f);
}

static void make(const char *root, const uint8_t *data, size_t size)
{
	static const char experiment[] = "name: seven\n";

	put(root, "7/meta.yaml", experiment, sizeof(experiment) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(files) && size; i++) {
		const uint8_t *end = memchr(data, 0, size);
		size_t n = end ? (size_t)(end - data) : size;

		put(root, files[i], data, n);
		data += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
}

/* What a source gives must be safe to keep whatever it read. */
static void read_artifacts(struct mlflow_source *s, struct mlp_error *err)
{
	struct mlflow_artifact a;

	while (s->ops->artifact_next(s, &a, err) > 0) {
		if (!path_is_safe(a.path))
			abort();
		mlflow_artifact_release(&a);
	}
}

static void read_runs(struct mlflow_source *s, struct mlp_error *err)
{
	struct mlflow_points points;
	struct mlflow_run run = { 0 };
	struct mlflow_model model = { 0 };

	while (s->ops->run_next(s, &run, err) > 0) {
		if (run.status < RUN_RUNNING || run.status > RUN_KILLED || !run.id)
			abort();
		while (s->ops->points_next(s, &points, err) > 0)
			if (!points.n || !points.key)
				abort();
		read_artifacts(s, err);
		mlflow_run_release(&run);
	}
	while (s->ops->model_next(s, &model, err) > 0) {
		read_artifacts(s, err);
		mlflow_model_release(&model);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(mlflow_source_close) struct mlflow_source *s = NULL;
	struct mlflow_source_options options = { 0 };
	struct mlflow_experiment e = { 0 };
	struct mlflow_registered m = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	char root[] = "/tmp/fuzz-mlruns-XXXXXX";

	if (!mkdtemp(root))
		abort();
	make(root, data, size);
	if (!mlflow_source_files(&s, root, &options, &err)) {
		while (s->ops->experiment_next(s, &e, &err) > 0) {
			read_runs(s, &err);
			mlflow_experiment_release(&e);
		}
		while (s->ops->registered_next(s, &m, &err) > 0)
			mlflow_registered_release(&m);
	}
	path_remove_tree(root);
	return 0;
}
