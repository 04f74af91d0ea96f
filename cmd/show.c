/* SPDX-License-Identifier: Apache-2.0 */
/* mlp show: everything about a run, one stored thing of it, or its metrics drawn. */
#include "config.h"

#include <string.h>

#include "cmd/show/show.h"

static const struct opt opts_table[] = {
	OPT_FLAG('s', "system", struct show_opts, system, "also the metrics of the machine"),
	OPT_LIST('p', "plot", "KEY", struct show_opts, plot, "draw a metric; may be repeated",
		 .complete = COMPLETE_METRIC),
	OPT_FLAG(0, "log", struct show_opts, log, "with --plot: a logarithmic scale"),
	OPT_STRING(0, "x", "AXIS", struct show_opts, x, "with --plot: step or time",
		   .complete = COMPLETE_WORDS, .words = "step time"),
	OPT_INT(0, "width", "N", struct show_opts, width, "with --plot: columns"),
	OPT_INT(0, "height", "N", struct show_opts, height, "with --plot: lines"),
	OPT_FLAG('t', "timestamps", struct show_opts, timestamps,
		 "with RUN:log: when each line was printed"),
	OPT_END
};

/* "RUN:part", or a run whose name holds a colon. */
static int resolve(struct cmd_ctx *ctx, char *arg, int64_t *id, const char **part)
{
	char *colon = strchr(arg, ':');
	struct mlp_error other = MLP_ERROR_INIT;
	int r;

	*part = NULL;
	if (!colon)
		return run_resolve(ctx->db, arg, id, &ctx->err);
	*colon = '\0';
	r = run_resolve(ctx->db, *arg ? arg : "@", id, &ctx->err);
	*part = colon + 1;
	*colon = ':';
	if (r == MLP_ENOTFOUND && !run_resolve(ctx->db, arg, id, &other)) {
		*part = NULL;
		return 0;
	}
	return r;
}

static int show_one(struct cmd_ctx *ctx, int64_t id, const struct show_opts *o)
{
	_release_(show_release) struct show_data data = { 0 };
	int r = show_load(ctx, id, &data);

	if (r)
		return r;
	if (ctx->out.mode == PRINT_JSON)
		return show_json(ctx, &data);
	if (ctx->out.mode == PRINT_TEXT)
		return show_text(ctx, &data, o);
	show_fields(ctx, &data);
	return 0;
}

static int show_all(struct cmd_ctx *ctx, const struct show_opts *o, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *part;
		int64_t id;
		int r = resolve(ctx, argv[i], &id, &part);

		if (r)
			return r;
		if (i && ctx->out.mode == PRINT_TEXT && !part)
			putchar('\n');
		r = part ? show_part(ctx, id, part, o) : show_one(ctx, id, o);
		if (r)
			return r;
	}
	return 0;
}

static int plot_all(struct cmd_ctx *ctx, const struct show_opts *o, int argc, char **argv)
{
	_cleanup_free_ int64_t *ids = xcalloc((size_t)argc, sizeof(*ids));

	for (int i = 0; i < argc; i++) {
		int r = run_resolve(ctx->db, argv[i], &ids[i], &ctx->err);

		if (r)
			return r;
	}
	return show_plot(ctx, ids, (size_t)argc, o);
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct show_opts *o = opts;
	char newest[] = "@", *newest_argv[] = { newest, NULL };

	if (o->x && strcmp(o->x, "step") && strcmp(o->x, "time"))
		return cmd_usage(ctx, "--x is step or time, not '%s'", o->x);
	if (o->width < 0 || o->width > 1000 || o->height < 0 || o->height > 1000)
		return cmd_usage(ctx, "--width and --height go up to 1000");
	if (!argc) {
		argc = 1;
		argv = newest_argv;
	}
	return o->plot.len ? plot_all(ctx, o, argc, argv) : show_all(ctx, o, argc, argv);
}

const struct mlp_cmd cmd_show = {
	.name = "show",
	.group = "look",
	.summary = "show everything about a run",
	.usage = "[-s] [RUN...]\n"
		 "[-t] RUN:PART\n"
		 "--plot KEY [--log] [--x AXIS] [--width N] [--height N] [RUN...]",
	.opts = opts_table,
	.opts_size = sizeof(struct show_opts),
	.needs = NEED_DB_READ | HAS_OUTPUT | USES_PAGER,
	.max_args = -1,
	.complete = COMPLETE_RUN,
	.run = run,
};
