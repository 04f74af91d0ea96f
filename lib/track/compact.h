/* SPDX-License-Identifier: Apache-2.0 */
/* Moves the points of a run from its tail into chunks; part of metric.c, for it alone. */
#ifndef TRACK_COMPACT_H
#define TRACK_COMPACT_H

#include "lib/track/metric.h"
#include "lib/util/strbuf.h"

/* All rows of the tail, and one more batch that is not stored (may be NULL).  Runs in the
 * caller's transaction. */
int compact_tail(struct db *db, int64_t run, const struct strbuf *batch, struct mlp_error *err);
/* Sorts by (time, step, value) and drops duplicates among v[start..len). */
void compact_sort(struct metric_points *points, size_t start);

#endif
