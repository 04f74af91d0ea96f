/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics that runs measured of logged models, on datasets where they are known. */
#ifndef TRACK_LOGGED_MODEL_METRIC_H
#define TRACK_LOGGED_MODEL_METRIC_H

#include "lib/track/metric.h"

struct logged_model_metric {
	char *key;
	char *run;		/* uuid */
	char *dataset, *digest; /* or NULL */
	struct metric_point point;
};
struct logged_model_metrics {
	struct logged_model_metric *v;
	size_t len, cap;
};
void logged_model_metrics_release(struct logged_model_metrics *list);

/* m->run is not read.  The dataset is one of the run's experiment; an unknown one is left out.
 * The same point again is fine; MLP_ENOTFOUND without such a model. */
int logged_model_metric_log(struct db *db, const char *model, int64_t run,
			    const struct logged_model_metric *m, struct mlp_error *err);
int logged_model_metrics_get(struct db *db, const char *model, struct logged_model_metrics *out,
			     struct mlp_error *err);

#endif
