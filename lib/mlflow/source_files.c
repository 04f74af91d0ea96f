/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlruns/, MLflow's store in files:
 *	<experiment>/meta.yaml, tags/<key>, datasets/<id>/meta.yaml
 *	<experiment>/<run>/meta.yaml, params/<key>, tags/<key>, metrics/<key>, artifacts/...,
 *		inputs/<id>/meta.yaml, outputs/<model>/meta.yaml
 *	<experiment>/models/<model>/ as of a run
 *	.trash/<experiment>/
 *	models/<registered model>/meta.yaml, tags/<key>, aliases/<alias>,
 *		version-<n>/meta.yaml, version-<n>/tags/<key>
 * Whoever can write to it may have left anything there.
 */
#include "config.h"

#include "lib/mlflow/source_files.h"

#include <string.h>

#include "lib/util/path.h"

#define TRASH ".trash"
#define MODELS "models"

/* Folders of an experiment that are no runs. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = { "tags", "datasets", "traces", MODELS };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void list_experiments(struct source_files *s)
{
	struct strvec all = STRVEC_INIT;

	files_folders(s, "", &all);
	files_folders(s, TRASH, &all);
	for (size_t i = 0; i < all.len; i++) {
		const char *name = all.v[i];

		if (strcmp(name, TRASH) != 0 && strcmp(name, MODELS) != 0 && files_has_meta(s, name))
			strvec_push(&s->experiments, name);
	}
	strvec_release(&all);
	files_folders(s, MODELS, &s->registered);
}

static void list_members(struct source_files *s, const char *dir)
{
	_cleanup_free_ char *models = path_join(dir, MODELS);
	struct strvec all = STRVEC_INIT;

	strvec_release(&s->runs);
	strvec_release(&s->models);
	s->next_run = s->next_model = 0;
	files_folders(s, dir, &all);
	for (size_t i = 0; i < all.len; i++)
		if (!is_reserved(path_basename(all.v[i])))
			strvec_push(&s->runs, all.v[i]);
	strvec_release(&all);
	files_folders(s, models, &s->models);
}

static int next_experiment(struct mlflow_source *base, struct mlflow_experiment *out,
			   struct mlp_error *err)
{
	struct source_files *s = (struct source_files *)base;

	(void)err;
	while (s->next_experiment < s->experiments.len) {
		const char *dir = s->experiments.v[s->next_experiment++];
		_cleanup_(yaml_free) struct yaml *meta = files_meta(s, dir);

		if (!meta)
			continue;
		*out = (struct mlflow_experiment){
			.id = xstrdup(path_basename(dir)),
			.name = files_text(meta, "name"),
			.artifact_location = files_text(meta, "artifact_location"),
			.deleted = !strncmp(dir, TRASH, sizeof(TRASH) - 1),
			.created_ms = files_time(meta, "creation_time"),
			.updated_ms = files_time(meta, "last_update_time"),
		};
		files_pairs(s, dir, "tags", &out->tags);
		free(s->experiment);
		s->experiment = xstrdup(dir);
		list_members(s, dir);
		return 1;
	}
	return 0;
}

static void read_tags(const struct yaml *tags, struct key_values *out)
{
	for (size_t i = 0; i < yaml_size(tags); i++) {
		const char *key = yaml_key(tags, i), *value = yaml_text(yaml_value(tags, i));

		if (key && value)
			vec_push(out, ((struct key_value){ xstrdup(key), xstrdup(value) }));
	}
}

static void read_dataset(struct source_files *s, const char *id, const struct yaml *input,
			 struct datasets *out)
{
	_cleanup_free_ char *all = path_join(s->experiment, "datasets"), *dir = path_join(all, id);
	_cleanup_(yaml_free) struct yaml *meta = path_is_safe(id) ? files_meta(s, dir) : NULL;
	struct dataset d = { .name = files_text(meta, "name"),
			     .digest = files_text(meta, "digest"),
			     .source_type = files_text(meta, "source_type"),
			     .source = files_text(meta, "source"),
			     .schema = files_text(meta, "schema"),
			     .profile = files_text(meta, "profile") };

	if (!d.name || !d.digest) {
		mlp_warn(s->base.events, "left out: dataset '%s' of '%s', which is not there", id,
			 s->run);
		dataset_release(&d);
		return;
	}
	d.source_type = d.source_type ? d.source_type : xstrdup("");
	d.source = d.source ? d.source : xstrdup("");
	read_tags(yaml_member(input, "tags"), &d.tags);
	vec_push(out, d);
}

static void read_inputs(struct source_files *s, struct mlflow_run *out)
{
	_cleanup_free_ char *inputs = path_join(s->run, "inputs"), *outputs = path_join(s->run, "outputs");
	_release_(strvec_release) struct strvec dirs = STRVEC_INIT;
	size_t ninputs;

	files_folders(s, inputs, &dirs);
	ninputs = dirs.len;
	files_folders(s, outputs, &dirs);
	for (size_t i = 0; i < dirs.len; i++) {
		_cleanup_(yaml_free) struct yaml *meta = files_meta(s, dirs.v[i]);
		const char *type = yaml_text(yaml_member(meta, "source_type"));
		const char *from = yaml_text(yaml_member(meta, "source_id"));
		const char *to = yaml_text(yaml_member(meta, "destination_id"));

		if (i < ninputs && type && from && !strcmp(type, "DATASET"))
			read_dataset(s, from, meta, &out->inputs);
		else if (i < ninputs && type && from && !strcmp(type, "MODEL"))
			vec_push(&out->model_inputs, ((struct model_use){ xstrdup(from), 0 }));
		else if (i >= ninputs && to)
			vec_push(&out->model_outputs,
				 ((struct model_use){ xstrdup(to),
						      yaml_int(yaml_member(meta, "step"), 0) }));
	}
}

void files_find_artifacts(struct source_files *s, const char *dir, const char *uri,
			  bool *elsewhere)
{
	_cleanup_free_ char *own = path_join(dir, "artifacts");
	const char *id = path_basename(dir);
	int fd = local_find(&s->root, uri, own, id, elsewhere);

	if (fd < 0 && *elsewhere && s->artifact_root.fd >= 0)
		fd = local_find(&s->artifact_root, uri, NULL, id, elsewhere);
	local_tree_free(s->artifacts);
	s->artifacts = local_tree_new(fd, s->base.events);
}

/* MLflow's number, or its word. */
static enum run_status read_status(const struct yaml *meta)
{
	const struct yaml *status = yaml_member(meta, "status");
	int64_t number = yaml_int(status, 0);
	const char *word = yaml_text(status);

	if (number >= RUN_RUNNING && number <= RUN_KILLED)
		return (enum run_status)number;
	number = word ? (int64_t)run_status_parse(word) : 0;
	return number ? (enum run_status)number : RUN_RUNNING;
}

static void read_run(struct source_files *s, const struct yaml *meta, struct mlflow_run *out)
{
	const char *stage = yaml_text(yaml_member(meta, "lifecycle_stage"));

	*out = (struct mlflow_run){
		.id = xstrdup(path_basename(s->run)),
		.name = files_text(meta, yaml_member(meta, "run_name") ? "run_name" : "name"),
		.user = files_text(meta, "user_id"),
		.status = read_status(meta),
		.started_ms = files_time(meta, "start_time"),
		.ended_ms = files_time(meta, "end_time"),
		.deleted = stage && !strcmp(stage, "deleted"),
		.deleted_ms = files_time(meta, "deleted_time"),
		.artifact_uri = files_text(meta, "artifact_uri"),
	};
	files_pairs(s, s->run, "params", &out->params);
	files_pairs(s, s->run, "tags", &out->tags);
	read_inputs(s, out);
	files_find_artifacts(s, s->run, out->artifact_uri, &out->elsewhere);
}

static int next_run(struct mlflow_source *base, struct mlflow_run *out, struct mlp_error *err)
{
	struct source_files *s = (struct source_files *)base;

	(void)err;
	files_close_metrics(s);
	while (s->next_run < s->runs.len) {
		const char *dir = s->runs.v[s->next_run++];
		_cleanup_(yaml_free) struct yaml *meta = files_meta(s, dir);

		if (!meta)
			continue;
		free(s->run);
		s->run = xstrdup(dir);
		read_run(s, meta, out);
		return 1;
	}
	return 0;
}

static int next_artifact(struct mlflow_source *base, struct mlflow_artifact *out,
			 struct mlp_error *err)
{
	struct source_files *s = (struct source_files *)base;

	return s->artifacts ? local_tree_next(s->artifacts, out, err) : 0;
}

static int open_artifact(struct mlflow_source *base, const struct mlflow_artifact *a,
			 struct mlp_error *err)
{
	struct source_files *s = (struct source_files *)base;

	return local_tree_open(s->artifacts, a, err);
}

static void close_source(struct mlflow_source *base)
{
	struct source_files *s = (struct source_files *)base;

	files_close_metrics(s);
	local_tree_free(s->artifacts);
	local_root_release(&s->root);
	local_root_release(&s->artifact_root);
	strvec_release(&s->experiments);
	strvec_release(&s->runs);
	strvec_release(&s->models);
	strvec_release(&s->registered);
	free(s->experiment);
	free(s->run);
	free(s);
}

static const struct mlflow_source_ops ops = {
	.experiment_next = next_experiment,
	.run_next = next_run,
	.points_next = files_points,
	.model_next = files_model,
	.artifact_next = next_artifact,
	.artifact_open = open_artifact,
	.registered_next = files_registered,
	.close = close_source,
};

int mlflow_source_files(struct mlflow_source **out, const char *dir,
			const struct mlflow_source_options *options, struct mlp_error *err)
{
	_cleanup_(mlflow_source_close) struct mlflow_source *base = NULL;
	struct source_files *s = xcalloc(1, sizeof(*s));
	_cleanup_(yaml_free) struct yaml *nothing = NULL;
	_cleanup_free_ char *inner = path_join(dir, "mlruns");
	int r;

	base = &s->base;
	base->ops = &ops;
	base->events = options->events;
	s->root = s->artifact_root = (struct local_root)LOCAL_ROOT_INIT;
	r = yaml_read(&nothing, "", 0, err); /* is the library there? */
	if (!r)
		r = local_root_open(&s->root, dir, err);
	if (!r && options->artifacts)
		r = local_root_open(&s->artifact_root, options->artifacts, err);
	if (r)
		return r;
	list_experiments(s);
	if (!s->experiments.len) {
		mlp_error_set(err, MLP_EINVAL,
			      "'%s' is not a folder of MLflow: it has no experiment with a meta.yaml",
			      dir);
		if (!access(inner, F_OK))
			mlp_error_hint(err, "the folder to import is '%s'", inner);
		return MLP_EINVAL;
	}
	*out = steal_ptr(&base);
	return 0;
}
