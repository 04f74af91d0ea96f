/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run printed: records of (time, stream, bytes) in the order read, so that
 * stdout and stderr stay interleaved and binary output survives.  While the attempt is
 * live the file is .mlp/runs/<uuid>/log-<attempt>, afterwards an object named in
 * attempt.log.  Format: mlp-format-log(5): a magic and the start, then per record a varint
 * of microseconds since the record before << 1 | stream, a varint of the length, bytes.
 * A half-written last record (kill -9) is dropped by the reader and by runlog_cut().
 */
#ifndef TRACK_RUNLOG_H
#define TRACK_RUNLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/repo.h"
#include "lib/db/db.h"

enum runlog_stream { RUNLOG_STDOUT = 0, RUNLOG_STDERR = 1 };
enum { RUNLOG_RECORD_MAX = 1 << 20 };

struct runlog_writer;
int runlog_create(struct runlog_writer **out, const char *path, int64_t start_us,
		  struct mlp_error *err);
/* Goes on with a log behind what runlog_cut() told of it. */
int runlog_resume(struct runlog_writer **out, const char *path, int64_t bytes, int64_t last_us,
		  struct mlp_error *err);
/* From any thread.  Handed to the kernel on return (survives kill -9 of this process).  Longer data than a
 * record holds becomes several. */
int runlog_add(struct runlog_writer *w, enum runlog_stream stream, int64_t time_us,
	       const void *data, size_t len, struct mlp_error *err);
/* Bytes of output added so far. */
int64_t runlog_bytes(const struct runlog_writer *w);
void runlog_writer_close(struct runlog_writer *w);
DEFINE_CLEANUP(struct runlog_writer *, runlog_writer_close);

struct runlog_record {
	enum runlog_stream stream;
	int64_t time_us; /* since 1970 */
	const char *data; /* valid until the next call */
	size_t len;
};
struct runlog_reader;
/* The log of an attempt (0: the last one), live or stored.  MLP_ENOTFOUND when there is
 * none. */
int runlog_open(struct runlog_reader **out, struct db *db, const struct repo *repo, int64_t run,
		int attempt, struct mlp_error *err);
int runlog_open_fd(struct runlog_reader **out, int fd, struct mlp_error *err); /* takes fd */
/* Nobody writes to it any more: a record cut short is damage, not one to wait for.
 * runlog_open() says so of stored logs. */
void runlog_reader_expect_whole(struct runlog_reader *r);
/* 1 with a record, 0 at the end (call again later to follow a live log), negative when
 * the file is not a log. */
int runlog_next(struct runlog_reader *r, struct runlog_record *record, struct mlp_error *err);
void runlog_reader_close(struct runlog_reader *r);
DEFINE_CLEANUP(struct runlog_reader *, runlog_reader_close);

/* Cuts a half-written last record off the file; tells the bytes of output it holds and the
 * time of the last record. */
int runlog_cut(const char *path, int64_t *bytes, int64_t *last_us, struct mlp_error *err);

#endif
