/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics from the program itself, as JSON lines of one write(2) each: to the descriptor
 * MLP_FD, a file that the supervisor reads and that keeps what was written when all else
 * dies; where that is gone, to the FIFO MLP_METRICS.
 */
#include "config.h"

#include "lib/mlp.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json/write.h"
#include "lib/track/run.h"
#include "lib/util/clock.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

/* Where metrics go.  A process has one environment, so it has one of these. */
static struct sink {
	pthread_mutex_t lock;
	int fd; /* -1: not open */
	dev_t dev;
	ino_t ino;
} sink = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

const char *mlp_run_id(void)
{
	const char *id = getenv("MLP_RUN_ID");

	return id && *id ? id : NULL;
}

const char *mlp_param(const char *name)
{
	_release_(strbuf_release) struct strbuf key = STRBUF_INIT;

	strbuf_addstr(&key, "MLP_PARAM_");
	for (; *name; name++)
		strbuf_addch(&key, isalnum((unsigned char)*name) ?
					   toupper((unsigned char)*name) :
					   '_');
	return getenv(key.buf);
}

/* Programs close descriptors they do not know, and numbers are used again: only a file or
 * FIFO open for appending is taken for ours, and only while it stays the same. */
static bool is_open(const struct sink *s)
{
	struct stat st;

	return s->fd >= 0 && !fstat(s->fd, &st) && st.st_dev == s->dev && st.st_ino == s->ino;
}

static bool adopt(struct sink *s, int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(fd, &st) ||
	    !(S_ISFIFO(st.st_mode) || (S_ISREG(st.st_mode) && flags & O_APPEND)))
		return false;
	s->fd = fd;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return true;
}

static int open_path(struct sink *s)
{
	const char *path = getenv("MLP_METRICS");
	/* Without a reader a FIFO must not keep the program waiting. */
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC) : -1;

	if (!path)
		return MLP_NO_RUN;
	if (fd < 0)
		return -errno;
	if (adopt(s, fd)) {
		fcntl(fd, F_SETFL, O_APPEND);
		return 0;
	}
	close(fd);
	return -EBADF;
}

static int open_sink(struct sink *s)
{
	const char *text = getenv("MLP_FD");
	int64_t fd;

	if (is_open(s))
		return 0;
	s->fd = -1;
	if (text && text_parse_int(text, &fd) && fd >= 0 && fd <= INT_MAX && adopt(s, (int)fd))
		return 0;
	return open_path(s);
}

static int write_line(int fd, const struct strbuf *line)
{
	size_t done = 0;

	while (done < line->len) {
		ssize_t n = write(fd, line->buf + done, line->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n; /* short on a full disk: the next one says so */
	}
	return 0;
}

struct point_list {
	size_t n;
	const char *const *keys;
	const double *values;
	int64_t step;
	int64_t time_ms;
};

/* Writes the points from *next on that fit a line of PIPE_BUF bytes, which a FIFO takes
 * whole, and moves *next behind them. */
static int write_points(int fd, const struct point_list *list, size_t *next)
{
	_release_(strbuf_release) struct strbuf line = STRBUF_INIT;
	struct json_writer json = { .out = &line };

	json_open(&json, '{');
	if (list->step >= 0)
		json_put_int(&json, "step", list->step);
	json_put_int(&json, "time", list->time_ms);
	/* A key may double by its escapes; a number takes 25 bytes. */
	do {
		json_put_double(&json, list->keys[*next], list->values[*next]);
		++*next;
	} while (*next < list->n && line.len + 2 * RUN_KEY_MAX + 64 < PIPE_BUF);
	json_close(&json, '}');
	strbuf_addch(&line, '\n');
	return write_line(fd, &line);
}

static void before_fork(void)
{
	pthread_mutex_lock(&sink.lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&sink.lock);
}

static void guard_forks(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}

/* A child of a program with threads must not find it locked by one that it does not have. */
static void lock_sink(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, guard_forks);
	pthread_mutex_lock(&sink.lock);
}

/* "step" and "time" of a line are those of all its points. */
static bool names_metric(const char *key)
{
	return key && key_is_valid(key, strlen(key)) && strcmp(key, "step") && strcmp(key, "time");
}

static int log_points(const struct point_list *list)
{
	size_t next = 0;
	int r;

	for (size_t i = 0; i < list->n; i++)
		if (!names_metric(list->keys[i]))
			return -EINVAL;
	lock_sink();
	r = open_sink(&sink);
	while (!r && next < list->n)
		r = write_points(sink.fd, list, &next);
	pthread_mutex_unlock(&sink.lock);
	return r;
}

int mlp_log_metrics(size_t n, const char *const *keys, const double *values, int64_t step)
{
	return log_points(&(struct point_list){ n, keys, values, step, clock_ms() });
}

int mlp_log_metric(const char *key, double value, int64_t step)
{
	return mlp_log_metrics(1, &key, &value, step);
}

int mlp_flush(void)
{
	int r;

	lock_sink();
	r = open_sink(&sink);
	if (!r && fdatasync(sink.fd) && errno != EINVAL) /* a FIFO has no disk */
		r = -errno;
	pthread_mutex_unlock(&sink.lock);
	return r;
}
