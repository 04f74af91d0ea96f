/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the model registry's endpoints share. */
#ifndef API_REGISTRY_H
#define API_REGISTRY_H

#include "lib/api/api.h"
#include "lib/registry/version.h"

/* A stage as people write it, or API_INVALID_PARAMETER_VALUE. */
enum api_error api_parse_stage(struct api_call *call, const char *text, const char **out);
/* The argument "version". */
enum api_error api_need_version(struct api_call *call, int64_t *out);
/* MLflow tells a version's aliases where one is asked for, not in lists of them. */
enum api_error api_put_version(struct api_call *call, const struct model_version *v, bool aliases);
/* {"model_version": ...} */
enum api_error api_answer_version(struct api_call *call, const char *name, int64_t version);
/* {"model_versions": [...]}, of at most limit ones, left open at the end. */
enum api_error api_put_versions(struct api_call *call, const struct model_versions *list,
				int64_t limit, bool aliases);

/* Where a new version's files are and what made them, all of which may be NULL but source. */
struct version_source {
	char *source, *location, *run, *model;
};
void version_source_release(struct version_source *s);
/* No longer than MLflow takes it. */
enum api_error api_check_source(struct api_call *call, const char *source);
/* Fills in what a source "models:/..." says, and refuses sources that are outside of the run
 * or model they are said to be of. */
enum api_error api_resolve_source(struct api_call *call, struct version_source *s);

#endif
