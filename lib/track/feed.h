/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON lines (lines.h) to stored metrics: gives points without a step the next one
 * of their key, points without a time the time of arrival, and collects all in a batch.
 * Bytes that a metric's name may not have become '_' ("mAP@0.5" is "mAP_0.5").
 */
#ifndef TRACK_FEED_H
#define TRACK_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "lib/db/db.h"
#include "lib/json/lines.h"
#include "lib/track/metric.h"

struct metric_feed;
struct metric_feed *metric_feed_new(void);
void metric_feed_free(struct metric_feed *feed);
DEFINE_CLEANUP(struct metric_feed *, metric_feed_free);
/* See lines_tell_odd(). */
void metric_feed_tell_odd(struct metric_feed *feed, lines_odd_fn *fn, void *data);
/* Takes the next bytes, cut anywhere.  now_ms is for points without a time. */
void metric_feed_data(struct metric_feed *feed, const char *data, size_t len, int64_t now_ms);
/* Reads a last line that has no line end. */
void metric_feed_end(struct metric_feed *feed, int64_t now_ms);
/* Points waiting for a commit; commit at 64 Ki points or so to bound the memory. */
size_t metric_feed_points(const struct metric_feed *feed);
/* As metric_batch_store() and metric_batch_clear(), for a transaction of the caller's. */
int metric_feed_store(struct metric_feed *feed, struct db *db, int64_t run,
		      struct mlp_error *err);
void metric_feed_clear(struct metric_feed *feed);
/* Makes them durable, as metric_batch_commit().  Nothing waiting is fine. */
int metric_feed_commit(struct metric_feed *feed, struct db *db, int64_t run,
		       struct mlp_error *err);
/* Borrowed; valid as long as the feed. */
const struct lines_stats *metric_feed_stats(const struct metric_feed *feed);

/* metric_batch_add() for names that were not chosen with mlp in mind (lines, TensorBoard
 * tags): with '_' for what a name may not have.  MLP_EINVAL when that does not help
 * (empty, too long, "a//b"). */
int metric_batch_add_any(struct metric_batch *batch, const char *key, size_t len,
			 const struct metric_point *point, struct mlp_error *err);

#endif
