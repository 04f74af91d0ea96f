/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlp record: adds to a run from a script, inside it (MLP_RUN_ID names it) or outside.
 * What is acknowledged by exit code 0 is durable.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/track/artifact.h"
#include "lib/track/feed.h"
#include "lib/track/metric.h"
#include "lib/track/run.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

enum { COMMIT_POINTS = 1 << 16, COMMIT_MS = 1000, PIECE = 1 << 16 };

struct record_opts {
	const char *run;
	const char *step;
	const char *time;
	const char *name;
};

#define OPT_RUN                                                                          \
	OPT_STRING('r', "run", "RUN", struct record_opts, run, "the run (default: $MLP_RUN_ID)", \
		   .complete = COMPLETE_RUN)

static const struct opt metric_options[] = {
	OPT_RUN,
	OPT_STRING('s', "step", "N", struct record_opts, step, "the step (default: the next one)"),
	OPT_STRING('t', "time", "TIME", struct record_opts, time, "when it was measured (default: now)"),
	OPT_END
};

static const struct opt run_options[] = { OPT_RUN, OPT_END };

static const struct opt artifact_options[] = {
	OPT_RUN,
	OPT_STRING('n', "name", "NAME", struct record_opts, name, "keep it under this path"),
	OPT_END
};

static int find_run(struct cmd_ctx *ctx, const struct record_opts *o, int64_t *run)
{
	const char *ref = o->run ? o->run : getenv("MLP_RUN_ID");

	if (ref && *ref)
		return run_resolve(ctx->db, ref, run, &ctx->err);
	mlp_error_set(&ctx->err, MLP_EINVAL, "no run to record to");
	mlp_error_hint(&ctx->err, "name one with --run, or call this from inside 'mlp train'");
	return MLP_EINVAL;
}

/* "K=V" with something before the '=': its place, or NULL. */
static const char *split(const char *arg)
{
	const char *eq = strchr(arg, '=');

	return eq == arg ? NULL : eq;
}

static int check_pairs(struct cmd_ctx *ctx, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!split(argv[i]))
			return cmd_usage(ctx, "'%s' is not K=V", argv[i]);
	return 0;
}

/* "@1763000000.25" is seconds since 1970, as in git and date. */
static bool parse_time(const char *s, int64_t now, int64_t *ms)
{
	double seconds;

	if (!s) {
		*ms = now;
		return true;
	}
	if (*s != '@')
		return clock_parse_time(s, now, ms);
	if (!text_parse_double(s + 1, &seconds) || !(seconds >= 0 && seconds < 1e11))
		return false;
	*ms = (int64_t)(seconds * 1000 + 0.5);
	return true;
}

/* One after the latest step of the key, or 0. */
static int next_step(struct db *db, int64_t run, const char *key, size_t len, int64_t *step,
		     struct mlp_error *err)
{
	int r = db_get_int(db, step, err,
			   "SELECT m.step FROM metric m JOIN metric_key k ON k.id = m.key_id"
			   " WHERE m.run_id = ?1 AND k.name = ?2",
			   "it", run, key, len);

	if (r == MLP_ENOTFOUND)
		*step = 0;
	else if (!r && *step < INT64_MAX)
		++*step;
	return r == MLP_ENOTFOUND ? 0 : r;
}

static int warn_of_lines(struct cmd_ctx *ctx, const struct lines_stats *stats)
{
	if (stats->bad_lines && !stats->lines)
		return mlp_error_set(&ctx->err, MLP_EINVAL,
				     "no line is a JSON object, the first is '%s'",
				     stats->first_bad);
	if (stats->bad_lines)
		mlp_warn(&ctx->events, "lines that are no JSON object: %" PRId64 ", the first is '%s'",
			 stats->bad_lines, stats->first_bad);
	if (stats->bad_keys)
		mlp_warn(&ctx->events, "points left out for their name: %" PRId64,
			 stats->bad_keys);
	return 0;
}

/* Metrics as JSON lines from standard input, committed at least once a second. */
static int record_stream(struct cmd_ctx *ctx, int64_t run)
{
	_cleanup_(metric_feed_free) struct metric_feed *feed = metric_feed_new();
	_cleanup_free_ char *piece = xmalloc(PIECE);
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t committed = clock_ms();
	int r = 0;

	while (!r) {
		ssize_t n = 0;
		int ready = poll(&in, 1, metric_feed_points(feed) ? COMMIT_MS : -1);

		if (ready) {
			n = read(STDIN_FILENO, piece, PIECE);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return mlp_error_errno(&ctx->err, errno,
						       "cannot read standard input");
			if (!n)
				break;
			metric_feed_data(feed, piece, (size_t)n, clock_ms());
		}
		if (metric_feed_points(feed) < COMMIT_POINTS && clock_ms() - committed < COMMIT_MS)
			continue;
		r = metric_feed_commit(feed, ctx->db, run, &ctx->err);
		committed = clock_ms();
	}
	metric_feed_end(feed, clock_ms());
	if (!r)
		r = metric_feed_commit(feed, ctx->db, run, &ctx->err);
	return r ? r : warn_of_lines(ctx, metric_feed_stats(feed));
}

static int add_metric(struct cmd_ctx *ctx, struct metric_batch *batch, int64_t run, const char *arg,
		      struct metric_point point, bool has_step)
{
	const char *eq = split(arg);
	size_t len = (size_t)(eq - arg);
	int r = 0;

	if (!text_parse_double(eq + 1, &point.value))
		return mlp_error_set(&ctx->err, MLP_EINVAL, "metric '%.*s': '%s' is not a number",
				     (int)len, arg, eq + 1);
	if (!has_step)
		r = next_step(ctx->db, run, arg, len, &point.step, &ctx->err);
	return r ? r : metric_batch_add(batch, arg, len, &point, &ctx->err);
}

static int record_metric(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	_cleanup_txn_ struct db *txn = NULL;
	const struct record_opts *o = opts;
	struct metric_point point = { 0 };
	int64_t run;
	int r;

	if (argc == 1 && !strcmp(argv[0], "-") && (o->step || o->time))
		return cmd_usage(ctx, "lines from standard input have step and time of their own");
	if (argc == 1 && !strcmp(argv[0], "-"))
		return (r = find_run(ctx, o, &run)) ? r : record_stream(ctx, run);
	r = check_pairs(ctx, argc, argv);
	if (r)
		return r;
	if (o->step && !text_parse_int(o->step, &point.step))
		return cmd_usage(ctx, "--step: '%s' is not a whole number", o->step);
	if (!parse_time(o->time, clock_ms(), &point.time_ms))
		return cmd_usage(ctx, "--time: '%s' is not a time", o->time);
	r = find_run(ctx, o, &run);
	/* Two scripts that count steps at once must not read the same one. */
	r = r ? r : db_txn(&txn, ctx->db, &ctx->err);
	for (int i = 0; i < argc && !r; i++)
		r = add_metric(ctx, batch, run, argv[i], point, o->step != NULL);
	r = r ? r : metric_batch_commit(batch, ctx->db, run, &ctx->err);
	return r ? r : db_txn_commit(&txn, &ctx->err);
}

/* All pairs or none. */
static int set_pairs(struct cmd_ctx *ctx, const struct record_opts *o, int argc, char **argv,
		     int (*set)(struct db *db, int64_t run, const char *key, const char *value,
				struct mlp_error *err))
{
	_cleanup_txn_ struct db *txn = NULL;
	int64_t run;
	int r = check_pairs(ctx, argc, argv);

	r = r ? r : find_run(ctx, o, &run);
	r = r ? r : db_txn(&txn, ctx->db, &ctx->err);
	for (int i = 0; i < argc && !r; i++) {
		const char *eq = split(argv[i]);
		_cleanup_free_ char *key = xmemdupz(argv[i], (size_t)(eq - argv[i]));

		r = set(ctx->db, run, key, eq + 1, &ctx->err);
	}
	return r ? r : db_txn_commit(&txn, &ctx->err);
}

static int record_param(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	return set_pairs(ctx, opts, argc, argv, param_set);
}

static int record_tag(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	return set_pairs(ctx, opts, argc, argv, tag_set);
}

static int record_artifact(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct record_opts *o = opts;
	int64_t run;
	int r;

	if (o->name && argc > 1)
		return cmd_usage(ctx, "--name is for one PATH");
	r = find_run(ctx, o, &run);
	for (int i = 0; i < argc && !r; i++)
		r = artifact_put(ctx->db, &ctx->repo, run,
				 &(struct artifact_new){ argv[i], o->name, &ctx->events },
				 &ctx->err);
	return r;
}

static const struct mlp_cmd verb_metric = {
	.name = "metric",
	.summary = "add points of metrics",
	.usage = "[--run RUN] [--step N] [--time TIME] K=V...\n[--run RUN] -",
	.opts = metric_options,
	.opts_size = sizeof(struct record_opts),
	.needs = NEED_DB_WRITE,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_METRIC,
	.run = record_metric,
};

static const struct mlp_cmd verb_param = {
	.name = "param",
	.summary = "set parameters",
	.usage = "[--run RUN] K=V...",
	.opts = run_options,
	.opts_size = sizeof(struct record_opts),
	.needs = NEED_DB_WRITE,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_PARAM,
	.run = record_param,
};

static const struct mlp_cmd verb_tag = {
	.name = "tag",
	.summary = "set tags",
	.usage = "[--run RUN] K=V...",
	.opts = run_options,
	.opts_size = sizeof(struct record_opts),
	.needs = NEED_DB_WRITE,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_TAG,
	.run = record_tag,
};

static const struct mlp_cmd verb_artifact = {
	.name = "artifact",
	.summary = "store files or folders",
	.usage = "[--run RUN] [--name NAME] PATH...",
	.opts = artifact_options,
	.opts_size = sizeof(struct record_opts),
	.needs = NEED_DB_WRITE,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_FILE,
	.run = record_artifact,
};

static const struct mlp_cmd *const verbs[] = { &verb_metric, &verb_param, &verb_tag, &verb_artifact,
					       NULL };

const struct mlp_cmd cmd_record = {
	.name = "record",
	.group = "change",
	.summary = "add metrics, parameters, tags and files to a run",
	.usage = "metric|param|tag|artifact ...",
	.verbs = verbs,
};
