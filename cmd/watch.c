/* SPDX-License-Identifier: Apache-2.0 */
/* mlp watch: follows the output, or the metrics, of runs until they have ended. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cmd/run_text.h"
#include "lib/track/attempt.h"
#include "lib/track/live.h"
#include "lib/track/metric.h"
#include "lib/track/runlog.h"
#include "lib/util/clock.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

enum {
	LOOK_MS = 1000,	 /* without being told of a change */
	REST_MS = 50,	 /* between two looks */
	TAIL_LINES = 10,
	LINE_MAX_HELD = 1 << 16, /* of an unfinished line, with several runs */
};

struct watch_opts {
	bool exit_status, metrics, from_start;
};

#define OPTS struct watch_opts
static const struct opt opts[] = {
	OPT_FLAG(0, "exit-status", OPTS, exit_status, "exit with the run's own code"),
	OPT_FLAG('m', "metrics", OPTS, metrics, "metrics as they come instead of output"),
	OPT_FLAG('s', "from-start", OPTS, from_start, "all of the output, not the last lines"),
	OPT_END
};

struct watched {
	struct run run;
	int attempt; /* whose log is open; 0: none yet */
	struct runlog_reader *log;
	int64_t skip_lines;
	struct strbuf held[2];	       /* unfinished lines, when lines get a prefix */
	struct metric_latests metrics; /* as printed last */
	bool ended;
};

struct watch {
	struct cmd_ctx *ctx;
	const struct watch_opts *opts;
	struct watched *v;
	size_t len, cap;
	int notify;
};

static void watch_release(struct watch *w)
{
	for (size_t i = 0; i < w->len; i++) {
		struct watched *r = &w->v[i];

		run_release(&r->run);
		runlog_reader_close(r->log);
		strbuf_release(&r->held[0]);
		strbuf_release(&r->held[1]);
		metric_latests_release(&r->metrics);
	}
	vec_free(w);
	if (w->notify >= 0)
		close(w->notify);
}

static void write_out(enum runlog_stream stream, const char *data, size_t len)
{
	/* Raw bytes, unbuffered, as the command wrote them.  Who reads us may be gone. */
	if (file_write_all(stream == RUNLOG_STDERR ? STDERR_FILENO : STDOUT_FILENO, data, len))
		_exit(EXIT_FAILED);
}

static void write_line(const struct watched *r, enum runlog_stream stream, const char *data,
		       size_t len)
{
	_release_(strbuf_release) struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%s: ", r->run.name);
	strbuf_add(&line, data, len);
	if (!len || data[len - 1] != '\n')
		strbuf_addch(&line, '\n');
	write_out(stream, line.buf, line.len);
}

/* With several runs whole lines, each with the run's name. */
static void write_prefixed(struct watched *r, const struct runlog_record *record)
{
	struct strbuf *held = &r->held[record->stream];
	const char *p = record->data, *end = p + record->len, *nl;

	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p)))) {
		strbuf_add(held, p, (size_t)(nl + 1 - p));
		write_line(r, record->stream, held->buf, held->len);
		strbuf_clear(held);
		p = nl + 1;
	}
	strbuf_add(held, p, (size_t)(end - p));
	if (held->len > LINE_MAX_HELD) {
		write_line(r, record->stream, held->buf, held->len);
		strbuf_clear(held);
	}
}

static int64_t count_lines(const char *p, size_t len)
{
	const char *end = p + len;
	int64_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		n++;
	}
	return n;
}

static void show_record(struct watch *w, struct watched *r, struct runlog_record *record)
{
	while (r->skip_lines && record->len) {
		const char *nl = memchr(record->data, '\n', record->len);
		size_t n = nl ? (size_t)(nl + 1 - record->data) : record->len;

		record->data += n;
		record->len -= n;
		r->skip_lines -= nl != NULL;
	}
	if (!record->len)
		return;
	if (w->len > 1)
		write_prefixed(r, record);
	else
		write_out(record->stream, record->data, record->len);
}

/* Lines of the log before the last ones. */
static int count_skipped(struct watch *w, struct watched *r)
{
	_cleanup_(runlog_reader_close) struct runlog_reader *log = NULL;
	struct runlog_record record;
	int64_t lines = 0;
	int e = runlog_open(&log, w->ctx->db, &w->ctx->repo, r->run.id, r->attempt, &w->ctx->err);

	while (!e && (e = runlog_next(log, &record, &w->ctx->err)) > 0) {
		lines += count_lines(record.data, record.len);
		e = 0;
	}
	r->skip_lines = MAX(lines - TAIL_LINES, (int64_t)0);
	return e;
}

/* What the open log holds that was not shown. */
static int drain(struct watch *w, struct watched *r)
{
	struct runlog_record record;
	int e = 0;

	while (r->log && (e = runlog_next(r->log, &record, &w->ctx->err)) > 0)
		show_record(w, r, &record);
	return e;
}

/* Opens the log of attempt number: 1, or 0 when it is not there (yet). */
static int open_log(struct watch *w, struct watched *r, int number)
{
	struct cmd_ctx *ctx = w->ctx;
	struct runlog_reader *log;
	bool first = !r->log;
	int e = runlog_open(&log, ctx->db, &ctx->repo, r->run.id, number, &ctx->err);

	if (e)
		return e == MLP_ENOTFOUND ? 0 : e;
	runlog_reader_close(r->log);
	r->log = log;
	r->attempt = number;
	e = first && !w->opts->from_start ? count_skipped(w, r) : 0;
	return e ? e : 1;
}

static int show_log(struct watch *w, struct watched *r)
{
	for (;;) {
		_release_(attempts_release) struct attempts list = { 0 };
		int e = attempts_get(w->ctx->db, r->run.id, &list, &w->ctx->err), last;

		/* The log of an attempt is complete once there is a next one. */
		if (!e)
			e = drain(w, r);
		last = list.len ? list.v[list.len - 1].number : 0;
		if (e || r->attempt >= last)
			return e;
		e = open_log(w, r, r->attempt || w->opts->from_start ? r->attempt + 1 : last);
		if (e <= 0)
			return e;
	}
}

static const struct metric_latest *find_metric(const struct metric_latests *list, const char *key)
{
	for (size_t i = 0; i < list->len; i++)
		if (!strcmp(list->v[i].key, key))
			return &list->v[i];
	return NULL;
}

static int show_metrics(struct watch *w, struct watched *r)
{
	struct metric_latests now = { 0 };
	int e = metric_latest(w->ctx->db, r->run.id, &now, &w->ctx->err);

	if (e)
		return e;
	for (size_t i = 0; i < now.len; i++) {
		const struct metric_latest *was = find_metric(&r->metrics, now.v[i].key);
		_release_(strbuf_release) struct strbuf line = STRBUF_INIT;

		if ((was && was->points == now.v[i].points) ||
		    metric_is_system(now.v[i].key))
			continue;
		text_add_printable(&line, now.v[i].key, strlen(now.v[i].key));
		strbuf_addch(&line, ' ');
		text_add_double(&line, now.v[i].last.value);
		strbuf_addf(&line, " step %lld\n", (long long)now.v[i].last.step);
		if (w->len > 1)
			write_line(r, RUNLOG_STDOUT, line.buf, line.len);
		else
			write_out(RUNLOG_STDOUT, line.buf, line.len);
	}
	metric_latests_release(&r->metrics);
	r->metrics = now;
	return 0;
}

static void say_end(struct watch *w, struct watched *r, enum run_status status)
{
	_release_(strbuf_release) struct strbuf line = STRBUF_INIT;

	for (int i = 0; i < 2; i++)
		if (r->held[i].len)
			write_line(r, (enum runlog_stream)i, r->held[i].buf, r->held[i].len);
	strbuf_addf(&line, "run '%s' ", r->run.name);
	if (status == RUN_LOST && r->run.status == RUN_RUNNING) {
		strbuf_addstr(&line, "is lost: its supervisor died; 'mlp train --reap' settles it");
		mlp_warn(&w->ctx->events, "%s", line.buf);
		return;
	}
	strbuf_addf(&line, "%s after ", run_status_name(status));
	clock_add_duration(&line, clock_between(r->run.started_ms, r->run.ended_ms));
	exit_add_sentence(&line, r->run.exit_code, r->run.exit_signal, r->run.reason);
	mlp_note(&w->ctx->events, "%s", line.buf);
}

/* Shows what is new of one run.  Its state is read first: what it says is over has
 * written all there will be. */
static int look(struct watch *w, struct watched *r)
{
	struct run now = RUN_INIT;
	enum run_status status;
	int e = run_get(w->ctx->db, r->run.id, &now, &w->ctx->err);

	if (e)
		return e;
	run_release(&r->run);
	r->run = now;
	status = live_status(&w->ctx->repo, &r->run);
	e = w->opts->metrics ? show_metrics(w, r) : show_log(w, r);
	if (e)
		return e;
	r->ended = run_status_ended(status);
	if (r->ended)
		say_end(w, r, status);
	return 0;
}

static void wait_for_change(struct watch *w)
{
	struct pollfd p = { w->notify, POLLIN, 0 };
	char drop[4096];

	poll(NULL, 0, REST_MS);
	poll(&p, 1, LOOK_MS - REST_MS);
	while (w->notify >= 0 && read(w->notify, drop, sizeof(drop)) > 0)
		;
}

static int follow(struct watch *w)
{
	for (;;) {
		bool live = false;

		for (size_t i = 0; i < w->len; i++) {
			int e = w->v[i].ended ? 0 : look(w, &w->v[i]);

			if (e)
				return e;
			live |= !w->v[i].ended;
		}
		if (!live)
			return 0;
		wait_for_change(w);
	}
}

static int add_run(struct watch *w, const char *ref)
{
	struct watched r = { .run = RUN_INIT, .held = { STRBUF_INIT, STRBUF_INIT } };
	_cleanup_free_ char *dir = NULL;
	int64_t id;
	int e = run_resolve(w->ctx->db, ref, &id, &w->ctx->err);

	if (!e)
		e = run_get(w->ctx->db, id, &r.run, &w->ctx->err);
	if (e)
		return e;
	dir = live_path(&w->ctx->repo, r.run.uuid, NULL);
	if (w->notify >= 0)
		inotify_add_watch(w->notify, dir, IN_MODIFY | IN_CREATE | IN_DELETE_SELF);
	vec_push(w, r);
	return 0;
}

static int exit_code_of(const struct run *run)
{
	if (run->reason && (!strcmp(run->reason, "timeout") || !strcmp(run->reason, "budget")))
		return 124;
	if (run->exit_signal)
		return 128 + run->exit_signal;
	return run->exit_code >= 0 ? run->exit_code : EXIT_NO;
}

static int run(struct cmd_ctx *ctx, const void *data, int argc, char **argv)
{
	_release_(watch_release) struct watch w = { .ctx = ctx, .opts = data };
	int code = 0, e = 0;

	w.notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (int i = 0; !e && i < argc; i++)
		e = add_run(&w, argv[i]);
	if (!e)
		e = follow(&w);
	for (size_t i = 0; !e && !code && w.opts->exit_status && i < w.len; i++)
		code = exit_code_of(&w.v[i].run);
	return e ? e : code;
}

const struct mlp_cmd cmd_watch = {
	.name = "watch",
	.group = "run",
	.summary = "follow the output of runs until they end",
	.usage = "[--exit-status] [-m] [-s] RUN...",
	.opts = opts,
	.opts_size = sizeof(struct watch_opts),
	.needs = NEED_DB_READ,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_RUN,
	.run = run,
};
