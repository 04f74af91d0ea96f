/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of metrics: chunks, keys and latest values; for metric.c and what it is made of. */
#ifndef TRACK_CHUNK_H
#define TRACK_CHUNK_H

#include "lib/track/metric.h"
#include "lib/util/strbuf.h"

/* A chunk and what its row says of it. */
struct chunk {
	int64_t points;
	int64_t first_ms, last_ms;
	int64_t first_step, last_step; /* least, greatest */
	double min, max;	       /* NaN when there is no number */
	struct strbuf data;
};
#define CHUNK_INIT { .data = STRBUF_INIT }
void chunk_release(struct chunk *chunk);

/* Of n sorted points, 1 <= n <= SERIES_CHUNK_MAX. */
void chunk_make(const struct metric_point *v, size_t n, struct chunk *out);
int chunk_put(struct db *db, int64_t run, int64_t key, const struct chunk *chunk,
	      struct mlp_error *err);

/* The id of a key, made when new. */
int metric_key_id(struct db *db, const char *name, size_t len, int64_t *id,
		  struct mlp_error *err);
/* Adds to the points of a series; last is its latest value when it is later. */
int metric_count(struct db *db, int64_t run, int64_t key, const struct metric_point *last,
		 int64_t points, struct mlp_error *err);

#endif
