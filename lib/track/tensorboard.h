/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars from TensorBoard event files, as TensorFlow, PyTorch and others write them:
 * TFRecord frames of protobuf Events, read one record at a time.  Images, histograms, text
 * and the like are left out.  A file that is still written, or whose last record was cut
 * short, reads up to there.
 */
#ifndef TRACK_TENSORBOARD_H
#define TRACK_TENSORBOARD_H

#include <stdbool.h>

#include "lib/track/metric.h"

enum { TENSORBOARD_RECORD_MAX = 64 << 20 }; /* bytes; longer records are left out */

struct tensorboard_stats {
	int64_t records;
	int64_t points;
	int64_t ignored;     /* values that are no scalar, or have no usable tag */
	int64_t bad_tags;    /* the latter; by tensorboard_import() */
	int64_t bad_records; /* wrong checksum, malformed, or too long */
	bool truncated;	     /* the last record is not whole */
};

/* tag is not NUL terminated.  A negative result ends the reading and is handed on. */
typedef int tensorboard_fn(void *data, const char *tag, size_t len,
			   const struct metric_point *point, struct mlp_error *err);

/* Is it named as one: "events.out.tfevents.1763000000.host"? */
bool tensorboard_is_event_file(const char *name);
/* Calls fn for each scalar from the descriptor's position on.  stats may be NULL.
 * MLP_ECORRUPT where the framing is lost, after the scalars before that place. */
int tensorboard_read(int fd, tensorboard_fn *fn, void *data, struct tensorboard_stats *stats,
		     struct mlp_error *err);
/* Reads a file into metrics of a run, named prefix + tag (prefix may be ""); reading a
 * file twice adds nothing.  What came before damage is kept. */
int tensorboard_import(int fd, const char *prefix, struct db *db, int64_t run,
		       struct tensorboard_stats *stats, struct mlp_error *err);

#endif
