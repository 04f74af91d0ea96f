/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that several files of endpoints use. */
#ifndef API_COMMON_H
#define API_COMMON_H

#include "lib/api/api.h"
#include "lib/track/artifact_tree.h"
#include "lib/track/experiment.h"
#include "lib/track/listing.h"
#include "lib/track/logged_model.h"
#include "lib/track/metric.h"
#include "lib/track/search.h"

/* [{"key":..., "value":...}, ...] under key; nothing for an empty list, as in MLflow. */
void api_put_tags(struct json_writer *w, const char *key, const struct key_values *tags);
/* A number as text. */
void api_put_id(struct json_writer *w, const char *key, int64_t id);
enum api_error api_put_experiment(struct api_call *call, const struct experiment *e);
/* What of each run is wanted; keys that are NULL: all. */
struct run_parts {
	struct metric_names names; /* read so far */
	const struct strvec *metric_keys, *param_keys, *tag_keys;
};
/* {"info":..., "data":..., "inputs":...} */
enum api_error api_put_run(struct api_call *call, const struct run *run, struct run_parts *parts);

/* The member "files", [{"path":..., "is_dir":..., "file_size":...}, ...]; none without files. */
void api_put_files(struct json_writer *w, const struct artifacts *list, bool base_names);

/* The members "inputs" and "outputs" of a run. */
enum api_error api_put_inputs(struct api_call *call, int64_t run);

/* The experiment that "experiment_id" names; the same, if it is not deleted. */
enum api_error api_need_experiment(struct api_call *call, struct experiment *out);
enum api_error api_active_experiment(struct api_call *call, struct experiment *out);
/* What "run_id" (or the old "run_uuid") says. */
enum api_error api_need_run_uuid(struct api_call *call, const char **uuid);
/* The run that "run_id" (or the old "run_uuid") names, and the same, if not deleted. */
enum api_error api_need_run(struct api_call *call, struct run *out);
enum api_error api_active_run(struct api_call *call, struct run *out);
enum api_error api_active_run_id(struct api_call *call, int64_t *id);
/* {"key":..., "value":..., "timestamp":..., "step":...}; infinities as MLflow has them. */
void api_put_metric(struct json_writer *w, const char *key, const struct metric_point *p);
/* The same without its brackets, for more to follow. */
void api_put_metric_members(struct json_writer *w, const char *key, const struct metric_point *p);
/* {"info":..., "data":...} */
enum api_error api_put_logged_model(struct api_call *call, const struct logged_model *m);
/* Tags of a run; mlflow.runName renames it. */
enum api_error api_set_tags(struct api_call *call, int64_t run, const struct key_values *tags);
/* MLflow's rules for keys; name is what the request calls it, title (NULL: the same) what
 * MLflow calls one that is too long. */
enum api_error api_check_key(struct api_call *call, const char *name, const char *title,
			     const char *key);
/* MLflow's rules for parameters and their errors. */
enum api_error api_log_param(struct api_call *call, int64_t run, const char *key,
			     const char *value);
/* The strings of a list; a GET with one of them has a string in its place. */
enum api_error api_get_strings(struct api_call *call, const char *name, struct strvec *out);
/* "filter", "order_by", "max_results" and "page_token" of a search of out->target;
 * out->limit is the default on entry. */
enum api_error api_read_listing(struct api_call *call, int64_t most, struct listing *out);
/* "max_results" and "page_token" alone. */
enum api_error api_read_page(struct api_call *call, int64_t most, struct listing *out);
/* The member "next_page_token" when more than the limit were found. */
void api_put_next_page(struct json_writer *w, const struct listing *l, size_t found);
/* The argument "tags". */
enum api_error api_read_tags(struct api_call *call, struct key_values *out);

#endif
