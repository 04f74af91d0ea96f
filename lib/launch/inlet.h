/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics from the command.  What it writes to the descriptor MLP_FD goes straight into
 * a file of the run, so that a line is safe once its write() returned, even if we are
 * killed; what it writes to the FIFO MLP_METRICS is moved there.  The file is read into
 * the store batch by batch, each in one transaction with the place it ends at
 * (attempt.metrics_offset), so that no line is lost or taken twice; what was taken is
 * given back to the file system.  Lines that say other things than numbers go to the log
 * of the attempt, as standard error.
 */
#ifndef LAUNCH_INLET_H
#define LAUNCH_INLET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"
#include "lib/track/feed.h"
#include "lib/track/runlog.h"
#include "lib/util/strbuf.h"

struct inlet {
	int file;  /* read-write */
	int fifo;  /* -1: none */
	int watch; /* inotify on the file; readable when it grew; -1: none (yet) */
	bool no_watch;	   /* the user's watches are used up */
	bool more;	   /* the file holds more than was read */
	int64_t fed;	   /* bytes given to the feed */
	int64_t line_end;  /* of the last whole line among them */
	int64_t committed; /* in the store */
	int64_t freed;	   /* given back to the file system */
	int64_t written_ms; /* when the file last was, for what a dead supervisor left; 0: now */
	char *block;
	struct strbuf partial; /* of a line from the FIFO */
	struct metric_feed *feed;
	struct strbuf odd;	   /* lines for the log */
	struct runlog_writer *log; /* borrowed; NULL: they are not kept */
};
#define INLET_INIT { .file = -1, .fifo = -1, .watch = -1, .partial = STRBUF_INIT, \
		     .odd = STRBUF_INIT }

/* Makes the file; *fd is the descriptor for the command. */
int inlet_create(struct inlet *in, const char *path, int *fd, struct mlp_error *err);
/* The file of a dead supervisor, from the place that was stored. */
int inlet_resume(struct inlet *in, const char *path, int64_t offset, struct mlp_error *err);
/* Makes the FIFO, or takes the one of the attempt before. */
int inlet_open_fifo(struct inlet *in, const char *path, struct mlp_error *err);
void inlet_release(struct inlet *in);

/* Watches the file from now on.  Not from the start: to give up a watch takes the kernel
 * 20 ms, more than a short run should be delayed at its end. */
void inlet_watch(struct inlet *in, const char *path);
/* Moves what waits in the FIFO to the file; of one that is filled meanwhile only so much. */
void inlet_drain_fifo(struct inlet *in, bool at_end);
/* Reads what the file holds into the store, some megabytes at most (then more is set);
 * at_end: all that it holds now, also a last line without line end.  After an error
 * everything is still there for the next call. */
int inlet_take(struct inlet *in, struct db *db, int64_t run, int64_t attempt, bool at_end,
	       struct mlp_error *err);
int64_t inlet_bad_lines(const struct inlet *in);
int64_t inlet_ignored_values(const struct inlet *in);

#endif
