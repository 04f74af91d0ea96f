/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of points of many series, as they stand in metric_tail: fast to write, each
 * point some 12 bytes.  Format: mlp-format-series(5).
 */
#ifndef TRACK_TAIL_H
#define TRACK_TAIL_H

#include "lib/track/bytes.h"
#include "lib/track/metric.h"

/* The points of a batch, written one by one; keys are numbered from 0 by the caller. */
struct tail_writer {
	struct strbuf points;
	size_t count;
	int64_t time_ms;
	VEC(int64_t) steps; /* of the last point of each key */
};
#define TAIL_WRITER_INIT { .points = STRBUF_INIT }

void tail_writer_release(struct tail_writer *w);
void tail_writer_clear(struct tail_writer *w);
void tail_add(struct tail_writer *w, size_t key, const struct metric_point *point);
/* The whole blob; ids are those of metric_key, by number of the key. */
void tail_blob(const struct tail_writer *w, const int64_t *ids, size_t nids, struct strbuf *out);

/* Reads a blob.  After tail_open() ids and nids are set; key of a point indexes them. */
struct tail_reader {
	struct bytes in;
	int64_t *ids;
	int64_t *steps;
	size_t nids;
	uint64_t left; /* points */
	int64_t time_ms;
};
void tail_reader_release(struct tail_reader *r);
int tail_open(struct tail_reader *r, const void *data, size_t len, struct mlp_error *err);
/* 1 with a point, 0 at the end, MLP_ECORRUPT. */
int tail_next(struct tail_reader *r, size_t *key, struct metric_point *point,
	      struct mlp_error *err);

#endif
