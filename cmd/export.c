/* SPDX-License-Identifier: Apache-2.0 */
/* mlp export: hands over what was recorded to other trackers. */
#include "config.h"

#include <strings.h>

#include "cmd/cmd.h"
#include "cmd/copied.h"
#include "lib/mlflow/target.h"
#include "lib/track/run.h"

struct export_opts {
	struct strvec experiments;
	const char *artifacts;
	bool no_artifacts, dry_run;
};

static const struct opt options[] = {
	OPT_LIST('e', "experiment", "NAME", struct export_opts, experiments,
		 "only this experiment; may be given more than once",
		 .complete = COMPLETE_EXPERIMENT),
	OPT_STRING(0, "artifacts", "DIR", struct export_opts, artifacts,
		   "the folder for artifacts beside a database", .complete = COMPLETE_DIR),
	OPT_FLAG(0, "no-artifacts", struct export_opts, no_artifacts, "leave artifacts out"),
	OPT_FLAG('n', "dry-run", struct export_opts, dry_run, "only say what would be exported"),
	OPT_END
};

static bool is_server(const char *where)
{
	return !strncasecmp(where, "http://", 7) || !strncasecmp(where, "https://", 8);
}

static int open_target(struct cmd_ctx *ctx, const struct export_opts *o, const char *where,
		       const struct mlp_events *events, struct mlflow_target **out)
{
	if (is_server(where))
		return mlflow_target_live(out, where, o->dry_run, events, &ctx->err);
	return mlflow_target_db(out, where,
				&(struct mlflow_db_options){ o->artifacts, o->dry_run,
							     events },
				&ctx->err);
}

static int export_mlflow(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct export_opts *o = opts;
	_cleanup_free_ int64_t *runs = xreallocarray(NULL, (size_t)argc, sizeof(*runs));
	struct mlflow_store_part part = { runs, (size_t)argc - 1 };
	struct copy_log log;
	struct mlflow_copy copy = { &o->experiments, o->no_artifacts, &log.events };
	_cleanup_(mlflow_source_close) struct mlflow_source *source = NULL;
	_cleanup_(mlflow_target_close) struct mlflow_target *target = NULL;
	const char *where = argv[argc - 1];
	int r = 0;

	copy_log_init(&log, &ctx->events);
	if (o->artifacts && (o->no_artifacts || is_server(where)))
		return cmd_usage(ctx, "--artifacts goes with a database and its artifacts");
	for (int i = 0; !r && i < argc - 1; i++)
		r = run_resolve(ctx->db, argv[i], &runs[i], &ctx->err);
	if (!r)
		r = open_target(ctx, o, where, &log.events, &target);
	if (r)
		return r;
	source = mlflow_source_store(ctx->db, &ctx->repo, &part, &log.events);
	r = mlflow_copy(source, target, &copy, &ctx->err);
	if (!r)
		print_copied(ctx, o->dry_run ? "would be exported" : "exported", &target->counts,
			     &log);
	return r;
}

static const struct mlp_cmd verb_mlflow = {
	.name = "mlflow",
	.summary = "to a server that speaks MLflow's protocol, or a new file mlflow.db",
	.usage = "[-e NAME]... [--artifacts DIR] [--no-artifacts] [--dry-run] [RUN]... DEST",
	.opts = options,
	.opts_size = sizeof(struct export_opts),
	.needs = NEED_DB_READ | HAS_OUTPUT,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_RUN,
	.run = export_mlflow,
};

static const struct mlp_cmd *const verbs[] = { &verb_mlflow, NULL };

const struct mlp_cmd cmd_export = {
	.name = "export",
	.group = "change",
	.summary = "hand over what was recorded to another tracker",
	.usage = "mlflow ...",
	.verbs = verbs,
};
