/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All points of a run that has none yet, each series at once: straight into chunks, a few
 * bytes a point until they are committed.
 */
#ifndef TRACK_METRIC_BULK_H
#define TRACK_METRIC_BULK_H

#include "lib/track/metric.h"

struct metric_bulk;
struct metric_bulk *metric_bulk_new(void);
void metric_bulk_free(struct metric_bulk *bulk);
DEFINE_CLEANUP(struct metric_bulk *, metric_bulk_free);
/* A series whole, in any order; it is sorted here, and loses its duplicates.  A key comes
 * once.  MLP_EINVAL when key_is_valid() says no. */
int metric_bulk_add(struct metric_bulk *bulk, const char *key, struct metric_points *points,
		    struct mlp_error *err);
int64_t metric_bulk_points(const struct metric_bulk *bulk);
/* In one transaction (joins an open one).  The bulk keeps its points. */
int metric_bulk_commit(const struct metric_bulk *bulk, struct db *db, int64_t run,
		       struct mlp_error *err);

#endif
