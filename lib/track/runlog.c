/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/track/bytes.h"
#include "lib/util/file.h"
#include "lib/util/strbuf.h"
#include "lib/util/xalloc.h"

enum { MAGIC_LEN = 8, HEAD_LEN = MAGIC_LEN + 8, BLOCK = 1 << 16 };
static const char magic[MAGIC_LEN] = { 'm', 'l', 'p', 'l', 'o', 'g', '1', '\n' };

struct runlog_writer {
	pthread_mutex_t lock;
	int fd;
	char *path;
	int64_t last_us;
	int64_t bytes;
	int64_t end; /* of the last whole record in the file */
};

struct runlog_reader {
	int fd;
	struct strbuf buf; /* bytes [pos, buf.len) are not parsed yet */
	size_t pos;
	int64_t offset; /* in the file, of buf.buf[pos] */
	int64_t time_us;
	bool started; /* the head was read */
	bool whole;   /* no more will come */
};

/* Bytes used, 0 when more are needed, -1 when no varint of 64 bits starts here.  Other than
 * get_varint() it tells these apart: a log is read while it grows. */
static int try_varint(const unsigned char *p, size_t len, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len && i < VARINT_MAX; i++) {
		if (i == VARINT_MAX - 1 && p[i] > 1)
			return -1;
		v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] < 0x80) {
			*out = v;
			return (int)i + 1;
		}
	}
	return len < VARINT_MAX ? 0 : -1;
}

static struct runlog_writer *writer_new(int fd, const char *path, int64_t last_us)
{
	struct runlog_writer *w = xcalloc(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	w->fd = fd;
	w->path = xstrdup(path);
	w->last_us = last_us;
	return w;
}

int runlog_create(struct runlog_writer **out, const char *path, int64_t start_us,
		  struct mlp_error *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	unsigned char head[HEAD_LEN];
	int r;

	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot write '%s'", path);
	memcpy(head, magic, MAGIC_LEN);
	for (int i = 0; i < 8; i++)
		head[MAGIC_LEN + i] = (unsigned char)((uint64_t)start_us >> (8 * i));
	r = file_write_all(fd, head, sizeof(head));
	if (r)
		return mlp_error_errno(err, r, "cannot write '%s'", path);
	*out = writer_new(steal_fd(&fd), path, start_us);
	(*out)->end = HEAD_LEN;
	return 0;
}

int runlog_resume(struct runlog_writer **out, const char *path, int64_t bytes, int64_t last_us,
		  struct mlp_error *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (end < 0)
		return mlp_error_errno(err, errno, "cannot write '%s'", path);
	*out = writer_new(steal_fd(&fd), path, last_us);
	(*out)->bytes = bytes;
	(*out)->end = end;
	return 0;
}

static int add_record(struct runlog_writer *w, const unsigned char *head, size_t head_len,
		      const void *data, size_t len)
{
	struct iovec parts[2] = { { (void *)(uintptr_t)head, head_len },
				  { (void *)(uintptr_t)data, len } };
	ssize_t n;
	int r = 0;

	do
		n = writev(w->fd, parts, 2);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < head_len)
		r = file_write_all(w->fd, head + n, head_len - (size_t)n);
	if (!r) {
		size_t done = (size_t)n > head_len ? (size_t)n - head_len : 0;

		r = file_write_all(w->fd, (const char *)data + done, len - done);
	}
	return r;
}

static int add(struct runlog_writer *w, enum runlog_stream stream, int64_t time_us,
	       const void *data, size_t len, struct mlp_error *err)
{
	const char *p = data;

	while (len) {
		unsigned char head[2 * VARINT_MAX], *end;
		size_t take = MIN(len, (size_t)RUNLOG_RECORD_MAX), n;
		uint64_t delta = time_us > w->last_us ? (uint64_t)(time_us - w->last_us) : 0;
		int r;

		end = put_varint(head, delta << 1 | stream);
		n = (size_t)(put_varint(end, take) - head);
		r = add_record(w, head, n, p, take);
		if (r) {
			/* A full disk leaves no half record for what follows to run into. */
			if (!ftruncate(w->fd, w->end))
				lseek(w->fd, w->end, SEEK_SET);
			return mlp_error_errno(err, r, "cannot write '%s'", w->path);
		}
		w->end += (int64_t)(n + take);
		w->last_us += (int64_t)delta;
		w->bytes += (int64_t)take;
		p += take;
		len -= take;
	}
	return 0;
}

int runlog_add(struct runlog_writer *w, enum runlog_stream stream, int64_t time_us,
	       const void *data, size_t len, struct mlp_error *err)
{
	int r;

	pthread_mutex_lock(&w->lock);
	r = add(w, stream, time_us, data, len, err);
	pthread_mutex_unlock(&w->lock);
	return r;
}

int64_t runlog_bytes(const struct runlog_writer *w)
{
	return w->bytes;
}

void runlog_writer_close(struct runlog_writer *w)
{
	if (!w)
		return;
	close(w->fd);
	free(w->path);
	free(w);
}

int runlog_open_fd(struct runlog_reader **out, int fd, struct mlp_error *err)
{
	struct runlog_reader *r;

	if (fd < 0)
		return mlp_error_set(err, MLP_EINVAL, "no log to read");
	r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	strbuf_init(&r->buf);
	*out = r;
	return 0;
}

void runlog_reader_close(struct runlog_reader *r)
{
	if (!r)
		return;
	close(r->fd);
	strbuf_release(&r->buf);
	free(r);
}

/* Reads one more block behind what is not parsed yet: 1, 0 at the end, negative. */
static int fill(struct runlog_reader *r, struct mlp_error *err)
{
	ssize_t n;

	strbuf_drop(&r->buf, r->pos);
	r->pos = 0;
	strbuf_grow(&r->buf, BLOCK);
	n = file_read_some(r->fd, r->buf.buf + r->buf.len, BLOCK);
	if (n < 0)
		return mlp_error_errno(err, (int)-n, "cannot read the log");
	strbuf_setlen(&r->buf, r->buf.len + (size_t)n);
	return n > 0;
}

static int damaged(const struct runlog_reader *r, struct mlp_error *err)
{
	return mlp_error_set(err, MLP_ECORRUPT, "the log is damaged at byte %lld",
			     (long long)r->offset);
}

/* 1 when the head was read, 0 when it is not there in whole yet. */
static int parse_head(struct runlog_reader *r, struct mlp_error *err)
{
	const unsigned char *p = (const unsigned char *)r->buf.buf + r->pos;
	size_t have = r->buf.len - r->pos;
	uint64_t start = 0;

	if (memcmp(p, magic, MIN(have, (size_t)MAGIC_LEN)))
		return mlp_error_set(err, MLP_ECORRUPT, "not a log of a run");
	if (have < HEAD_LEN)
		return 0;
	for (int i = 0; i < 8; i++)
		start |= (uint64_t)p[MAGIC_LEN + i] << (8 * i);
	r->time_us = (int64_t)start;
	r->pos += HEAD_LEN;
	r->offset += HEAD_LEN;
	r->started = true;
	return 1;
}

static int parse_record(struct runlog_reader *r, struct runlog_record *record,
			struct mlp_error *err)
{
	const unsigned char *p = (const unsigned char *)r->buf.buf + r->pos;
	size_t have = r->buf.len - r->pos;
	uint64_t when = 0, len = 0;
	int n = try_varint(p, have, &when), m = 0;

	if (n > 0)
		m = try_varint(p + n, have - (size_t)n, &len);
	if (n < 0 || m < 0 || (m && (!len || len > RUNLOG_RECORD_MAX)) || when >> 1 > INT64_MAX / 2 ||
	    (int64_t)(when >> 1) > INT64_MAX - MAX(r->time_us, (int64_t)0))
		return damaged(r, err);
	if (!n || !m || have - (size_t)(n + m) < len)
		return 0;
	r->time_us += (int64_t)(when >> 1);
	record->stream = when & 1 ? RUNLOG_STDERR : RUNLOG_STDOUT;
	record->time_us = r->time_us;
	record->data = (const char *)p + n + m;
	record->len = len;
	r->pos += (size_t)(n + m) + len;
	r->offset += n + m + (int64_t)len;
	return 1;
}

void runlog_reader_expect_whole(struct runlog_reader *r)
{
	r->whole = true;
}

/* At the end of the file: 0, or damage when it ends inside of something. */
static int end(const struct runlog_reader *r, struct mlp_error *err)
{
	return r->whole && (!r->started || r->pos < r->buf.len) ? damaged(r, err) : 0;
}

int runlog_next(struct runlog_reader *r, struct runlog_record *record, struct mlp_error *err)
{
	int got;

	while (!r->started) {
		got = parse_head(r, err);
		if (!got)
			got = fill(r, err);
		if (got <= 0)
			return got ? got : end(r, err);
	}
	while (!(got = parse_record(r, record, err))) {
		got = fill(r, err);
		if (got <= 0)
			return got ? got : end(r, err);
	}
	return got;
}

int runlog_cut(const char *path, int64_t *bytes, int64_t *last_us, struct mlp_error *err)
{
	_cleanup_(runlog_reader_close) struct runlog_reader *reader = NULL;
	int fd = open(path, O_RDWR | O_CLOEXEC), r;
	struct runlog_record record = { 0 };

	*bytes = *last_us = 0;
	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot open '%s'", path);
	r = runlog_open_fd(&reader, fd, err);
	while (!r && (r = runlog_next(reader, &record, err)) > 0) {
		*bytes += (int64_t)record.len;
		r = 0;
	}
	/* Behind a damaged place nothing can be read: it is cut as well. */
	if (r && r != MLP_ECORRUPT)
		return r;
	*last_us = reader->time_us;
	if (ftruncate(fd, reader->offset))
		return mlp_error_errno(err, errno, "cannot cut '%s'", path);
	return 0;
}
