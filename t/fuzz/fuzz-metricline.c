/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of metric files in mlruns/. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mlflow/metric_line.h"
#include "lib/util/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *of_run = xmemdupz(data, size), *of_model = xmemdupz(data, size);
	struct metric_line line;

	if (metric_line_parse(of_run, false, &line) && line.run)
		abort();
	if (metric_line_parse(of_model, true, &line) && !line.run)
		abort();
	return 0;
}
