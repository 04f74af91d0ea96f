/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of metric files in mlruns/. */
#ifndef MLFLOW_METRIC_LINE_H
#define MLFLOW_METRIC_LINE_H

#include <stdbool.h>

#include "lib/track/metric.h"

struct metric_line {
	struct metric_point point;
	/* Of logged models; or NULL.  Borrowed from the line. */
	const char *run, *dataset, *digest;
};

/*
 * "time value", "time value step" or more of a run, "time value step run [dataset digest]"
 * with of_model.  Fields are split by one blank each; line loses its blanks.  False for
 * anything else.
 */
bool metric_line_parse(char *line, bool of_model, struct metric_line *out);

#endif
