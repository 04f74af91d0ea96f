/* SPDX-License-Identifier: Apache-2.0 */
/* mlruns/ as a source: logged models and the registry. */
#include "config.h"

#include <string.h>

#include "lib/mlflow/source_files.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

static void read_model(struct source_files *s, const char *dir, const struct yaml *meta,
		       struct mlflow_model *out)
{
	const char *stage = yaml_text(yaml_member(meta, "lifecycle_stage"));

	*out = (struct mlflow_model){
		.id = xstrdup(path_basename(dir)),
		.name = files_text(meta, "name"),
		.artifact_location = files_text(meta, "artifact_location"),
		.source_run = files_text(meta, "source_run_id"),
		.model_type = files_text(meta, "model_type"),
		.status_message = files_text(meta, "status_message"),
		.status = (enum logged_model_status)yaml_int(yaml_member(meta, "status"),
							     LOGGED_MODEL_READY),
		.deleted = stage && !strcmp(stage, "deleted"),
		.created_ms = files_time(meta, "creation_timestamp"),
		.updated_ms = files_time(meta, "last_updated_timestamp"),
	};
	files_pairs(s, dir, "params", &out->params);
	files_pairs(s, dir, "tags", &out->tags);
	files_model_metrics(s, dir, &out->metrics);
	files_find_artifacts(s, dir, out->artifact_location, &out->elsewhere);
}

int files_model(struct mlflow_source *base, struct mlflow_model *out, struct mlp_error *err)
{
	struct source_files *s = (struct source_files *)base;

	(void)err;
	while (s->next_model < s->models.len) {
		const char *dir = s->models.v[s->next_model++];
		_cleanup_(yaml_free) struct yaml *meta = files_meta(s, dir);

		if (!meta)
			continue;
		read_model(s, dir, meta, out);
		return 1;
	}
	return 0;
}

static void read_version(struct source_files *s, const char *dir, struct mlflow_versions *out)
{
	static const char prefix[] = "version-";
	const char *name = path_basename(dir);
	_cleanup_(yaml_free) struct yaml *meta = NULL;
	struct mlflow_version v = { 0 };

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
	    !text_parse_int(name + sizeof(prefix) - 1, &v.version))
		return;
	meta = files_meta(s, dir);
	if (!meta)
		return;
	v.description = files_text(meta, "description");
	v.user = files_text(meta, "user_id");
	v.source = files_text(meta, "source");
	v.location = files_text(meta, "storage_location");
	v.run = files_text(meta, "run_id");
	v.run_link = files_text(meta, "run_link");
	v.model = files_text(meta, "model_id");
	v.stage = files_text(meta, "current_stage");
	v.status = mlflow_version_status_parse(yaml_text(yaml_member(meta, "status")));
	v.status_message = files_text(meta, "status_message");
	v.created_ms = files_time(meta, "creation_timestamp");
	v.updated_ms = files_time(meta, "last_updated_timestamp");
	files_pairs(s, dir, "tags", &v.tags);
	vec_push(out, v);
}

int files_registered(struct mlflow_source *base, struct mlflow_registered *out,
		     struct mlp_error *err)
{
	struct source_files *s = (struct source_files *)base;

	(void)err;
	while (s->next_registered < s->registered.len) {
		_release_(strvec_release) struct strvec versions = STRVEC_INIT;
		const char *dir = s->registered.v[s->next_registered++];
		_cleanup_(yaml_free) struct yaml *meta = files_meta(s, dir);

		if (!meta)
			continue;
		*out = (struct mlflow_registered){
			.name = xstrdup(path_basename(dir)),
			.description = files_text(meta, "description"),
			.created_ms = files_time(meta, "creation_timestamp"),
			.updated_ms = files_time(meta, "last_updated_timestamp"),
		};
		files_pairs(s, dir, "tags", &out->tags);
		files_pairs(s, dir, "aliases", &out->aliases);
		files_folders(s, dir, &versions);
		for (size_t i = 0; i < versions.len; i++)
			read_version(s, versions.v[i], &out->versions);
		return 1;
	}
	return 0;
}
