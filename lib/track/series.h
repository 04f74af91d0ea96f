/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks: up to 1024 points of one series in a few bytes each.  Every double comes back
 * bit by bit, but that all NaNs are one.  Format: mlp-format-series(5).
 */
#ifndef TRACK_SERIES_H
#define TRACK_SERIES_H

#include "lib/track/metric.h"
#include "lib/util/strbuf.h"

enum { SERIES_CHUNK_MAX = 1024 };

/* Appends the chunk of n points, 1 <= n <= SERIES_CHUNK_MAX. */
void series_encode(const struct metric_point *points, size_t n, struct strbuf *out);
/* Appends the points of a chunk; MLP_ECORRUPT for bytes that are none, out as it was. */
int series_decode(const void *data, size_t len, struct metric_points *out,
		  struct mlp_error *err);

/* Orders doubles as integers: NaN, then -Infinity to Infinity, -0 before 0. */
int64_t series_value_order(double v);
/* By (time, step, value); < 0, 0 or > 0. */
int series_compare(const struct metric_point *a, const struct metric_point *b);

#endif
