/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/launch/stdio.h"
#include "lib/util/xalloc.h"

enum { TAKE_IN_MAX = 32 }; /* blocks: twice what the kernel lets a pipe hold */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

void relay_init(struct relay *relay, const struct child *child, struct runlog_writer *log,
		bool echo, const struct mlp_events *events)
{
	const int from[RELAY_STREAMS] = { child->out, child->err };

	*relay = (struct relay){ .log = log, .events = events };
	for (int i = 0; i < RELAY_STREAMS; i++) {
		relay->streams[i].from = from[i];
		relay->streams[i].to = echo ? stdio_reopen(STDOUT_FILENO + i) : -1;
		strbuf_init(&relay->streams[i].buf);
	}
}

static bool pending(const struct relay_stream *s)
{
	return s->pos < s->buf.len;
}

static void drop_reader(struct relay_stream *s)
{
	if (s->to > STDERR_FILENO)
		close(s->to);
	s->to = -1;
	strbuf_clear(&s->buf);
	s->pos = 0;
}

void relay_release(struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++) {
		drop_reader(&relay->streams[i]);
		strbuf_release(&relay->streams[i].buf);
	}
}

static void write_some(struct relay_stream *s)
{
	ssize_t n;

	if (s->to < 0)
		s->pos = s->buf.len;
	if (!pending(s))
		return;
	n = stdio_write(s->to, s->buf.buf + s->pos, s->buf.len - s->pos);
	if (n >= 0)
		s->pos += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		drop_reader(s);
}

static void record(struct relay *relay, int stream, const char *data, size_t len)
{
	struct mlp_error err = MLP_ERROR_INIT;

	if (!runlog_add(relay->log, (enum runlog_stream)stream, now_us(), data, len, &err))
		return;
	relay->lost += (int64_t)len;
	if (!relay->log_failed)
		mlp_warn(relay->events, "output is not recorded: %s", err.text);
	relay->log_failed = true;
}

/* One block more behind what waits; false when there was none. */
static bool read_some(struct relay *relay, int stream)
{
	struct relay_stream *s = &relay->streams[stream];
	ssize_t n;

	if (!pending(s)) {
		strbuf_clear(&s->buf);
		s->pos = 0;
	}
	strbuf_grow(&s->buf, RELAY_BLOCK);
	n = read(s->from, s->buf.buf + s->buf.len, RELAY_BLOCK);
	if (n > 0) {
		record(relay, stream, s->buf.buf + s->buf.len, (size_t)n);
		strbuf_setlen(&s->buf, s->buf.len + (size_t)n);
		write_some(s);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		s->from = -1; /* a pseudo-terminal ends with EIO */
	}
	return n > 0;
}

void relay_take_in(struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++)
		for (int n = 0; n < TAKE_IN_MAX && relay->streams[i].from >= 0; n++)
			if (!read_some(relay, i))
				break;
}

void relay_poll(const struct relay *relay, struct pollfd *fds)
{
	for (int i = 0; i < RELAY_STREAMS; i++) {
		const struct relay_stream *s = &relay->streams[i];

		fds[i] = pending(s) ? (struct pollfd){ s->to, POLLOUT, 0 } :
				      (struct pollfd){ s->from, POLLIN, 0 };
	}
}

void relay_handle(struct relay *relay, const struct pollfd *fds)
{
	for (int i = 0; i < RELAY_STREAMS; i++) {
		struct relay_stream *s = &relay->streams[i];

		if (fds[i].fd < 0 || !fds[i].revents)
			continue;
		if (pending(s))
			write_some(s);
		else
			read_some(relay, i);
	}
}

bool relay_reads(const struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++)
		if (relay->streams[i].from >= 0)
			return true;
	return false;
}

void relay_detach(struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++)
		relay->streams[i].from = -1;
	relay->log = NULL;
}

bool relay_pending(const struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++)
		if (pending(&relay->streams[i]))
			return true;
	return false;
}

void relay_give_up(struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++)
		if (pending(&relay->streams[i]))
			drop_reader(&relay->streams[i]);
}
