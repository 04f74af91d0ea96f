/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/inlet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/clock.h"
#include "lib/util/file.h"
#include "lib/util/xalloc.h"

enum {
	BLOCK = 1 << 18,
	FREE_STEP = 1 << 20,	 /* bytes taken before they are given back */
	PARTIAL_MAX = 1 << 20,	 /* of a line from the FIFO */
	POINTS_MAX = 1 << 16,	 /* read before they are stored */
	ODD_MAX = 4 << 20,	 /* bytes waiting for a log that cannot be written */
	BLOCKS_MAX = 16,	 /* read in a row: a program may write faster than we read */
};

static void keep_odd(void *data, const char *line, size_t len)
{
	struct inlet *in = data;

	if (!in->log)
		return;
	strbuf_add(&in->odd, line, len);
	strbuf_addch(&in->odd, '\n');
}

/* Before the commit: after a crash in between such a line is there twice, not lost. */
static void log_odd(struct inlet *in, int64_t now_ms)
{
	if (!in->odd.len)
		return;
	if (!runlog_add(in->log, RUNLOG_STDERR, now_ms * 1000, in->odd.buf, in->odd.len, NULL) ||
	    in->odd.len > ODD_MAX)
		strbuf_clear(&in->odd);
}

static int open_file(struct inlet *in, const char *path, int flags, struct mlp_error *err)
{
	in->file = open(path, O_RDWR | O_CLOEXEC | flags, 0666);
	if (in->file < 0)
		return mlp_error_errno(err, errno, "cannot open '%s'", path);
	in->block = xmalloc(BLOCK);
	in->feed = metric_feed_new();
	metric_feed_tell_odd(in->feed, keep_odd, in);
	return 0;
}

int inlet_create(struct inlet *in, const char *path, int *fd, struct mlp_error *err)
{
	int r = open_file(in, path, O_CREAT | O_TRUNC | O_APPEND, err);

	if (r)
		return r;
	*fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (*fd < 0)
		return mlp_error_errno(err, errno, "cannot open '%s'", path);
	return 0;
}

void inlet_watch(struct inlet *in, const char *path)
{
	in->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (in->watch >= 0 && inotify_add_watch(in->watch, path, IN_MODIFY) < 0) {
		close(in->watch);
		in->watch = -1;
	}
	in->no_watch = in->watch < 0;
}

int inlet_resume(struct inlet *in, const char *path, int64_t offset, struct mlp_error *err)
{
	int r = open_file(in, path, O_APPEND, err);
	struct stat st;

	if (!r && !fstat(in->file, &st))
		in->written_ms = MIN(st.st_mtim.tv_sec * INT64_C(1000) +
					     st.st_mtim.tv_nsec / 1000000, clock_ms());
	in->fed = in->line_end = in->committed = in->freed = offset;
	return r;
}

int inlet_open_fifo(struct inlet *in, const char *path, struct mlp_error *err)
{
	if (mkfifo(path, 0600) && errno != EEXIST)
		return mlp_error_errno(err, errno, "cannot make '%s'", path);
	/* Open for both, so that it does not end when one of several writers closes it. */
	in->fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	return in->fifo >= 0 ? 0 : mlp_error_errno(err, errno, "cannot open '%s'", path);
}

void inlet_release(struct inlet *in)
{
	int fds[] = { in->file, in->fifo, in->watch };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(in->block);
	strbuf_release(&in->partial);
	strbuf_release(&in->odd);
	metric_feed_free(in->feed);
	*in = (struct inlet)INLET_INIT;
}

/* Whole lines only: those of the descriptor MLP_FD may come in between. */
static void move_lines(struct inlet *in, bool at_end)
{
	const char *nl = memrchr(in->partial.buf, '\n', in->partial.len);
	size_t n = nl ? (size_t)(nl + 1 - in->partial.buf) : 0;

	if (at_end && n < in->partial.len) {
		strbuf_addch(&in->partial, '\n');
		n = in->partial.len;
	}
	if (!n && in->partial.len > PARTIAL_MAX)
		n = in->partial.len; /* no metric is that long: the reader counts it as bad */
	if (n && !file_write_all(in->file, in->partial.buf, n))
		strbuf_drop(&in->partial, n);
}

void inlet_drain_fifo(struct inlet *in, bool at_end)
{
	ssize_t n = 0;

	/* More blocks than a FIFO holds: at the end, too, all that was in it is read. */
	for (int i = 0; in->fifo >= 0 && i < BLOCKS_MAX && in->partial.len <= 2 * PARTIAL_MAX; i++) {
		strbuf_grow(&in->partial, BLOCK);
		n = read(in->fifo, in->partial.buf + in->partial.len, BLOCK);
		if (n <= 0)
			break;
		strbuf_setlen(&in->partial, in->partial.len + (size_t)n);
		move_lines(in, false);
	}
	if (at_end)
		move_lines(in, true);
}

static int commit(struct inlet *in, struct db *db, int64_t run, int64_t attempt,
		  struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r;

	if (in->line_end == in->committed)
		return 0;
	r = db_txn(&txn, db, err);
	if (!r)
		r = metric_feed_store(in->feed, db, run, err);
	if (!r)
		r = db_exec(db, err, "UPDATE attempt SET metrics_offset = ?2 WHERE id = ?1", "ii",
			    attempt, in->line_end);
	if (!r)
		r = db_txn_commit(&txn, err);
	if (r)
		return r;
	metric_feed_clear(in->feed);
	in->committed = in->line_end;
	return 0;
}

static void give_back(struct inlet *in)
{
	int64_t end = in->committed & ~(int64_t)4095;

	if (end - in->freed < FREE_STEP)
		return;
	if (!fallocate(in->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, in->freed,
		       end - in->freed))
		in->freed = end;
	else
		in->freed = INT64_MAX / 2; /* not on this file system */
}

static int64_t now_ms(const struct inlet *in)
{
	return in->written_ms ? in->written_ms : clock_ms();
}

/* Where to stop reading: what a program writes all the time has no end. */
static int64_t read_limit(const struct inlet *in, bool at_end)
{
	struct stat st;

	return at_end && !fstat(in->file, &st) ? (int64_t)st.st_size :
						 in->fed + BLOCKS_MAX * (int64_t)BLOCK;
}

/* 1 when there may be more, 0 at the end of the file. */
static int read_block(struct inlet *in, int64_t limit, struct mlp_error *err)
{
	int64_t now = now_ms(in);
	const char *nl;
	ssize_t n;

	do
		n = pread(in->file, in->block, (size_t)MIN(limit - in->fed, (int64_t)BLOCK), in->fed);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return mlp_error_errno(err, errno, "cannot read the metrics of the run");
	if (!n)
		return 0;
	metric_feed_data(in->feed, in->block, (size_t)n, now);
	log_odd(in, now);
	nl = memrchr(in->block, '\n', (size_t)n);
	if (nl)
		in->line_end = in->fed + (nl + 1 - in->block);
	in->fed += n;
	return 1;
}

int inlet_take(struct inlet *in, struct db *db, int64_t run, int64_t attempt, bool at_end,
	       struct mlp_error *err)
{
	int64_t limit = read_limit(in, at_end);
	int r = 1;

	while (r > 0 && in->fed < limit) {
		/* Those of before first: while the store cannot be written they are enough. */
		if (metric_feed_points(in->feed) >= POINTS_MAX)
			r = commit(in, db, run, attempt, err);
		if (r >= 0)
			r = read_block(in, limit, err);
	}
	in->more = r > 0;
	if (r >= 0 && at_end) {
		metric_feed_end(in->feed, now_ms(in));
		in->line_end = in->fed;
	}
	log_odd(in, now_ms(in));
	if (r >= 0)
		r = commit(in, db, run, attempt, err);
	give_back(in);
	return r;
}

int64_t inlet_bad_lines(const struct inlet *in)
{
	return (int64_t)metric_feed_stats(in->feed)->bad_lines;
}

int64_t inlet_ignored_values(const struct inlet *in)
{
	const struct lines_stats *stats = metric_feed_stats(in->feed);

	return stats->ignored + stats->bad_keys;
}
