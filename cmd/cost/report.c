/* SPDX-License-Identifier: Apache-2.0 */
/* mlp cost report: the ledger summed up. */
#include "config.h"

#include <string.h>

#include "cmd/cost/cells.h"
#include "cmd/cost/verbs.h"

struct report_opts {
	const char *by;
	int64_t since_ms, until_ms; /* 0: any */
};

static const struct report_opts defaults = { .by = "experiment" };

static const struct opt opts_table[] = {
	OPT_STRING(0, "by", "WHAT", struct report_opts, by,
		   "experiment, user, tag:KEY, model or day", .complete = COMPLETE_WORDS,
		   .words = "experiment user tag: model day"),
	OPT_TIME(0, "since", "TIME", struct report_opts, since_ms, "leave out what was used before"),
	OPT_TIME(0, "until", "TIME", struct report_opts, until_ms, "and what from then on"),
	OPT_END
};

static bool parse_by(const char *s, struct cost_query *query)
{
	static const char *const names[] = { [COST_BY_EXPERIMENT] = "experiment",
					     [COST_BY_USER] = "user", [COST_BY_TAG] = "tag",
					     [COST_BY_MODEL] = "model", [COST_BY_DAY] = "day" };

	query->by = COST_BY_TAG;
	query->tag = s + strlen("tag:");
	if (!strncmp(s, "tag:", 4))
		return *query->tag != '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (i != COST_BY_TAG && !strcmp(s, names[i])) {
			query->by = (enum cost_by)i;
			return true;
		}
	return false;
}

static void print_group(struct printer *p, const struct cost_group *group, bool total, size_t i)
{
	enum color color = total ? COLOR_BOLD : COLOR_NONE;

	print_bool(p, total);
	print_color(p, color);
	if (total)
		print_shown(p, "total", "");
	else
		print_shown(p, group->name ? group->name : "(no tag)", group->name ? group->name : "");
	if (i) { /* a further currency: its money only, so that all columns add up */
		for (int n = 0; n < 9; n++)
			print_null(p);
	} else {
		print_int(p, (int64_t)group->runs.len);
		print_duration(p, group->gpu_ms);
		if (group->measured_ms)
			print_duration(p, group->busy_ms);
		else
			print_null(p);
		print_idle(p, group->busy_ms, group->measured_ms);
		print_duration(p, group->cpu_ms);
		print_energy(p, group->energy_mj);
		print_int(p, group->unpriced);
	}
	print_color(p, color);
	print_cost(p, group_money(group, i), group_without(group));
	print_end_row(p);
}

static void print_report(struct printer *p, const struct cost_report *report, const char *heading)
{
	const struct column cols[] = {
		{ .key = "total" },
		{ .key = "group", .title = heading, .max = 40 },
		{ .key = "runs", .title = "RUNS", .right = true },
		{ .key = "gpu_ms", .title = "GPU TIME", .right = true },
		{ .key = "busy_ms" },
		{ .key = "idle_percent", .title = "IDLE %", .right = true },
		{ .key = "cpu_ms", .title = "CPU TIME", .right = true },
		{ .key = "energy_mj" },
		{ .key = "joules", .title = "JOULES", .right = true },
		{ .key = "kwh", .title = "KWH", .right = true },
		{ .key = "unpriced", .title = "UNPRICED", .right = true },
		{ .key = "cost", .title = "COST", .right = true },
		{ .key = "currency" },
	};

	print_begin(p, cols, ARRAY_SIZE(cols));
	for (size_t g = 0; g < report->len; g++)
		for (size_t i = 0; !i || i < report->v[g].money.len; i++)
			print_group(p, &report->v[g], false, i);
	for (size_t i = 0; !i || i < report->total.money.len; i++)
		print_group(p, &report->total, true, i);
	print_end(p);
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	static const char *const headings[] = { "EXPERIMENT", "USER", "TAG", "MODEL", "DAY" };
	_release_(cost_report_release) struct cost_report report = { 0 };
	const struct report_opts *o = opts;
	struct cost_query query = { .since_ms = o->since_ms ? o->since_ms : INT64_MIN,
				    .until_ms = o->until_ms ? o->until_ms : INT64_MAX };
	int r;

	(void)argc;
	(void)argv;
	if (!parse_by(o->by, &query))
		return cmd_usage(ctx, "bad value '%s' for --by", o->by);
	r = cost_report(ctx->db, &ctx->repo.settings, &query, &report, &ctx->err);
	if (r)
		return r;
	print_report(&ctx->out, &report, headings[query.by]);
	if (report.total.unpriced)
		cmd_warn("the cost leaves out %lld row%s of the ledger without a price",
			 (long long)report.total.unpriced,
			 report.total.unpriced == 1 ? "" : "s");
	warn_stale(&report.stale);
	return 0;
}

const struct mlp_cmd cmd_cost_report = {
	.name = "report",
	.group = "cost",
	.summary = "usage and cost, by experiment, user, tag, model or day",
	.usage = "[--by WHAT] [--since TIME] [--until TIME]",
	.opts = opts_table,
	.opts_size = sizeof(struct report_opts),
	.defaults = &defaults,
	.needs = NEED_DB_READ | HAS_OUTPUT | USES_PAGER,
	.run = run,
};
