/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/mlflow/metric_line.h"

#include <string.h>

#include "lib/util/text.h"

enum { FIELDS_MAX = 6 };

static size_t split(char *line, char *fields[FIELDS_MAX])
{
	size_t n = 0;

	while (n < FIELDS_MAX) {
		char *end = strchr(line, ' ');

		fields[n++] = line;
		if (!end)
			break;
		*end = '\0';
		line = end + 1;
	}
	return n;
}

bool metric_line_parse(char *line, bool of_model, struct metric_line *out)
{
	char *fields[FIELDS_MAX];
	size_t len = strlen(line), n;

	while (len && strchr(" \t\r", line[len - 1]))
		line[--len] = '\0';
	n = split(line, fields);
	*out = (struct metric_line){ 0 };
	if (n < (of_model ? 4 : 2) || !text_parse_int(fields[0], &out->point.time_ms) ||
	    !text_parse_double(fields[1], &out->point.value) ||
	    (n > 2 && !text_parse_int(fields[2], &out->point.step)))
		return false;
	if (of_model)
		out->run = fields[3];
	if (of_model && n > 5) {
		out->dataset = fields[4];
		out->digest = fields[5];
	}
	return true;
}
