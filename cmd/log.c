/* SPDX-License-Identifier: Apache-2.0 */
/* mlp log: the table of runs, newest first. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/log_columns.h"
#include "cmd/log_graph.h"
#include "cmd/run_record.h"
#include "lib/track/attempt.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

enum {
	DEFAULT_LIMIT = 25,
	COUNT_MAX = 10000, /* a millisecond's worth */
	WINDOW = 200, /* rows that decide the default columns */
};

struct log_opts {
	struct strvec experiments;
	const char *where;
	struct strvec sort;
	bool reverse;
	const char *columns;
	int64_t limit;
	bool graph;
	bool trash, all;
	int64_t since_ms, until_ms; /* 0: any */
	const char *status;
	bool live;
};

static const struct log_opts defaults = { .limit = DEFAULT_LIMIT };

static const struct opt opts_table[] = {
	OPT_LIST('e', "experiment", "NAME", struct log_opts, experiments,
		 "only runs of this experiment", .complete = COMPLETE_EXPERIMENT),
	OPT_STRING('w', "where", "EXPR", struct log_opts, where,
		   "only runs for which the filter holds, see mlp-filter(7)"),
	OPT_LIST('s', "sort", "KEY", struct log_opts, sort,
		 "sort by metrics.auc, -started, ...; - for greatest first",
		 .complete = COMPLETE_METRIC),
	OPT_FLAG('r', "reverse", struct log_opts, reverse, "turn the order round"),
	OPT_STRING('c', "columns", "LIST", struct log_opts, columns,
		   "columns to show; with a leading +, in addition"),
	OPT_INT('n', "max", "N", struct log_opts, limit, "at most N runs, 25 without; 0 for all"),
	OPT_FLAG('g', "graph", struct log_opts, graph, "draw nested runs and attempts as a tree"),
	OPT_TIME(0, "since", "TIME", struct log_opts, since_ms, "started at TIME or later"),
	OPT_TIME(0, "until", "TIME", struct log_opts, until_ms, "started before TIME"),
	OPT_STRING(0, "status", "LIST", struct log_opts, status, "only runs in these states",
		   .complete = COMPLETE_WORDS,
		   .words = "running scheduled finished failed killed lost"),
	OPT_FLAG(0, "live", struct log_opts, live, "only runs that are running now"),
	OPT_FLAG(0, "trash", struct log_opts, trash, "only runs in the trash"),
	OPT_FLAG('a', "all", struct log_opts, all, "runs in the trash as well"),
	OPT_END
};

/* A search, and what only the processes of this machine can tell. */
struct log {
	struct cmd_ctx *ctx;
	const struct log_opts *opts;
	struct run_search search;
	VEC(int64_t) experiments;
	VEC(struct run_order) order;
	struct filter *filter;
	unsigned live_statuses; /* as shown; 0: all */
	struct run_cursor *cursor;
	int64_t seen; /* rows handed out */
	bool more;
};

static void log_release(struct log *log)
{
	run_search_close(log->cursor);
	filter_free(log->filter);
	for (size_t i = 0; i < log->order.len; i++)
		run_order_release(&log->order.v[i]);
	vec_free(&log->order);
	vec_free(&log->experiments);
}

static int set_experiments(struct log *log)
{
	for (size_t i = 0; i < log->opts->experiments.len; i++) {
		int64_t id;
		int r = experiment_find(log->ctx->db, log->opts->experiments.v[i], &id,
					&log->ctx->err);

		if (r)
			return r;
		vec_push(&log->experiments, id);
	}
	log->search.experiments = log->experiments.v;
	log->search.nexperiments = log->experiments.len;
	return 0;
}

static int set_order(struct log *log)
{
	for (size_t i = 0; i < log->opts->sort.len; i++) {
		struct run_order order = { 0 };
		int r = run_order_guess(&order, log->ctx->db, log->opts->sort.v[i],
					&log->ctx->err);

		if (r)
			return r;
		vec_push(&log->order, order);
	}
	log->search.order = log->order.v;
	log->search.norder = log->order.len;
	log->search.reverse = log->opts->reverse;
	return 0;
}

static int set_filter(struct log *log)
{
	const char *text = log->opts->where;
	struct filter_options options = { .target = FIELD_OF_RUNS };
	int r;

	if (!text)
		return 0;
	r = filter_parse(&log->filter, text, strlen(text), &options, &log->ctx->err);
	log->search.filter = log->filter;
	return r;
}

/* A run stored as running may be lost: both are searched, live_status() tells. */
static int set_statuses(struct log *log)
{
	_release_(strvec_release) struct strvec names = STRVEC_INIT;

	if (log->opts->status)
		strvec_split(&names, log->opts->status, ',');
	for (size_t i = 0; i < names.len; i++) {
		enum run_status status = run_status_parse(names.v[i]);

		if (!status)
			return mlp_error_set(&log->ctx->err, MLP_EINVAL, "unknown status '%s'",
					     names.v[i]);
		log->live_statuses |= 1U << status;
	}
	if (log->opts->live)
		log->live_statuses |= 1U << RUN_RUNNING;
	log->search.statuses = log->live_statuses;
	if (log->live_statuses & 1U << RUN_LOST)
		log->search.statuses |= 1U << RUN_RUNNING;
	return 0;
}

static int set_up(struct log *log)
{
	const struct log_opts *o = log->opts;
	int r = set_experiments(log);

	log->search.since_ms = o->since_ms;
	log->search.until_ms = o->until_ms;
	log->search.view = o->all   ? RUN_VIEW_ALL :
			   o->trash ? RUN_VIEW_DELETED :
				      RUN_VIEW_ACTIVE;
	if (!r)
		r = set_order(log);
	if (!r)
		r = set_filter(log);
	if (!r)
		r = set_statuses(log);
	/* One more than asked for tells whether there are more. */
	if (o->limit && !log->live_statuses)
		log->search.limit = o->limit + 1;
	return r;
}

/* As run_search_next(). */
static int next_row(struct log *log, struct run_row *row)
{
	int r;

	while ((r = run_search_next(log->cursor, row, &log->ctx->err)) > 0) {
		enum run_status status = live_status(&log->ctx->repo, &row->run);

		if (log->live_statuses && !(log->live_statuses & 1U << status)) {
			run_row_release(row);
			continue;
		}
		if (!log->opts->limit || log->seen < log->opts->limit) {
			log->seen++;
			return 1;
		}
		log->more = true;
		run_row_release(row);
		return 0;
	}
	return r;
}

/* "100,000" */
static void add_grouped(struct strbuf *sb, int64_t n)
{
	if (n >= 1000) {
		add_grouped(sb, n / 1000);
		strbuf_addf(sb, ",%03d", (int)(n % 1000));
	} else {
		strbuf_addf(sb, "%d", (int)n);
	}
}

/* Counting what a filter accepts means testing every run: that is not done. */
static int tell_more(struct log *log)
{
	_release_(strbuf_release) struct strbuf shown = STRBUF_INIT, all = STRBUF_INIT;
	int64_t n = 0;
	int r = 0;

	if (log->ctx->quiet)
		return 0;
	add_grouped(&shown, log->seen);
	if (!log->filter && !log->live_statuses) {
		bool some = log->search.since_ms || log->search.until_ms ||
			    log->search.nexperiments;

		r = run_search_count(log->ctx->db, &log->search, some ? COUNT_MAX : 0, &n,
				     &log->ctx->err);
		strbuf_addstr(&all, some && n == COUNT_MAX ? "more than " : "");
	}
	if (r)
		return r;
	add_grouped(&all, n);
	pager_finish();
	if (n)
		mlp_note(&log->ctx->events, "%s of %s runs; -n 0 shows all", shown.buf, all.buf);
	else
		mlp_note(&log->ctx->events, "the first %s runs; -n 0 shows all", shown.buf);
	return 0;
}

static int tell_none(struct log *log)
{
	int64_t n = 0;
	int r = run_search_count(log->ctx->db, &(struct run_search){ .view = RUN_VIEW_ALL }, 1, &n,
				 &log->ctx->err);

	if (!r)
		mlp_note(&log->ctx->events, n ? "no such runs" : "no runs yet");
	return r;
}

static int open_cursor(struct log *log, unsigned fetch)
{
	log->search.fetch = fetch;
	return run_search_open(&log->cursor, log->ctx->db, &log->search, &log->ctx->err);
}

static int print_records(struct log *log)
{
	struct run_row row;
	int r = open_cursor(log, RUN_FETCH_METRICS | RUN_FETCH_PARAMS | RUN_FETCH_TAGS);

	while (!r && (r = next_row(log, &row)) > 0) {
		r = run_record_print_row(log->ctx, &row);
		run_row_release(&row);
		/* The reader may have seen enough. */
		if (!r && ferror(log->ctx->out.f))
			break;
	}
	return r;
}

static int read_rows(struct log *log, size_t max, struct log_rows *rows)
{
	struct run_row row;
	int r = 0;

	while (rows->len < max && (r = next_row(log, &row)) > 0)
		vec_push(rows, row);
	return r;
}

/* lines: cells that the graph takes. */
static int choose_columns(struct log *log, const struct log_rows *rows, size_t lines,
			  struct log_columns *columns)
{
	const char *list = log->opts->columns;
	int r = list ? cmd_argument(log->ctx, log_columns_parse(log->ctx, list, columns)) : 0;

	if (!r && (!list || *list == '+'))
		log_columns_choose(log->ctx, rows, lines, columns);
	return r;
}

static int print_table(struct log *log)
{
	_release_(log_columns_release) struct log_columns columns = { 0 };
	_release_(log_rows_release) struct log_rows rows = { 0 };
	struct run_row row;
	int r = open_cursor(log, RUN_FETCH_METRICS | RUN_FETCH_PARAMS);

	if (!r)
		r = read_rows(log, WINDOW, &rows);
	if (r >= 0)
		r = choose_columns(log, &rows, 0, &columns);
	if (r)
		return r;
	log_columns_begin(&log->ctx->out, &columns);
	for (size_t i = 0; i < rows.len && !r; i++)
		r = log_columns_print(log->ctx, &columns, &rows.v[i].run, "");
	run_search_fetch(log->cursor, 0);
	while (!r && rows.len == WINDOW && (r = next_row(log, &row)) > 0) {
		r = log_columns_print(log->ctx, &columns, &row.run, "");
		run_row_release(&row);
	}
	if (r >= 0)
		print_end(&log->ctx->out);
	return r;
}

static int print_attempts(struct log *log, const struct log_columns *columns,
			  const struct log_graph_line *line)
{
	_release_(attempts_release) struct attempts attempts = { 0 };
	int r = attempts_get(log->ctx->db, line->row->run.id, &attempts, &log->ctx->err);

	for (size_t i = 0; i < attempts.len && attempts.len > 1; i++)
		log_columns_print_attempt(&log->ctx->out, columns, &attempts.v[i], line->below);
	return r;
}

static int print_graph(struct log *log)
{
	_release_(log_columns_release) struct log_columns columns = { 0 };
	_release_(log_rows_release) struct log_rows rows = { 0 };
	_release_(log_graph_release) struct log_graph graph = { 0 };
	size_t lines = 0;
	int r = open_cursor(log, RUN_FETCH_METRICS | RUN_FETCH_PARAMS | RUN_FETCH_TAGS);

	if (!r)
		r = read_rows(log, SIZE_MAX, &rows);
	if (r < 0)
		return r;
	log_graph_arrange(&rows, log->ctx->out.utf8, &graph);
	for (size_t i = 0; i < graph.len; i++)
		lines = MAX(lines, text_width(graph.v[i].lines, strlen(graph.v[i].lines)));
	r = choose_columns(log, &rows, lines, &columns);
	if (r)
		return r;
	log_columns_begin(&log->ctx->out, &columns);
	for (size_t i = 0; i < graph.len && !r; i++) {
		r = log_columns_print(log->ctx, &columns, &graph.v[i].row->run, graph.v[i].lines);
		if (!r)
			r = print_attempts(log, &columns, &graph.v[i]);
	}
	if (!r)
		print_end(&log->ctx->out);
	return r;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_release_(log_release) struct log log = { .ctx = ctx, .opts = opts };
	int r;

	(void)argc;
	(void)argv;
	if (log.opts->limit < 0)
		return cmd_usage(ctx, "-n takes a number of runs, 0 for all");
	if (log.opts->trash && log.opts->all)
		return cmd_usage(ctx, "--trash and --all exclude each other");
	r = cmd_argument(ctx, set_up(&log));
	if (!r)
		r = ctx->out.mode != PRINT_TEXT ? print_records(&log) :
		    log.opts->graph		? print_graph(&log) :
						  print_table(&log);
	if (!r && log.more)
		r = tell_more(&log);
	else if (!r && !log.seen)
		r = tell_none(&log);
	return r;
}

const struct mlp_cmd cmd_log = {
	.name = "log",
	.group = "look",
	.summary = "list runs, newest first",
	.usage = "[-agr] [-e NAME]... [-w EXPR] [-s KEY]... [-c LIST] [-n N] [--live] [--trash]"
		 " [--since TIME] [--until TIME] [--status LIST]",
	.opts = opts_table,
	.opts_size = sizeof(struct log_opts),
	.defaults = &defaults,
	.needs = NEED_DB_READ | HAS_OUTPUT | USES_PAGER,
	.run = run,
};
