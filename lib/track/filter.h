/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter language of MLflow's search, and more: OR, NOT, parentheses, IN, IS NULL
 * and IS NAN everywhere, times and durations as people write them, parameters and tags
 * compared as numbers.  mlp-filter(7) describes it.
 *
 * A comparison with what a run does not have is false, also with !=; NOT turns that into
 * true.  NaN compares false with everything.
 */
#ifndef TRACK_FILTER_H
#define TRACK_FILTER_H

#include "lib/track/field.h"

enum { FILTER_TEXT_MAX = 64 << 10, FILTER_DEPTH_MAX = 100, FILTER_PATTERN_MAX = 8 << 10 };

struct filter_options {
	enum field_target target;
	int64_t now_ms; /* for "3d ago"; 0: clock_ms() */
};

struct filter;
/* Reads text[0..len); blank text accepts everything.  MLP_EINVAL with what was expected
 * and where. */
int filter_parse(struct filter **out, const char *text, size_t len,
		 const struct filter_options *options, struct mlp_error *err);
void filter_free(struct filter *filter);
DEFINE_CLEANUP(struct filter *, filter_free);

/* Appends the condition, in parentheses where it needs them: 0 or 1 for each row, never
 * NULL.  Its row is the alias r. */
void filter_add_sql(const struct filter *filter, struct query *q);

#endif
