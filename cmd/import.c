/* SPDX-License-Identifier: Apache-2.0 */
/* mlp import: takes over what other trackers recorded. */
#include "config.h"

#include "cmd/cmd.h"
#include "cmd/copied.h"
#include "lib/mlflow/target.h"

struct import_opts {
	struct strvec experiments;
	const char *artifact_root;
	bool no_artifacts, dry_run;
};

static const struct opt options[] = {
	OPT_LIST('e', "experiment", "NAME", struct import_opts, experiments,
		 "only this experiment; may be given more than once"),
	OPT_STRING(0, "artifact-root", "DIR", struct import_opts, artifact_root,
		   "read artifacts below this folder, by default SRC or the folder it is in",
		   .complete = COMPLETE_DIR),
	OPT_FLAG(0, "no-artifacts", struct import_opts, no_artifacts,
		 "leave artifacts where they are, keep where that is"),
	OPT_FLAG('n', "dry-run", struct import_opts, dry_run, "only say what would be imported"),
	OPT_END
};

static int import_mlflow(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct import_opts *o = opts;
	struct copy_log log;
	struct mlflow_source_options source_options = { o->artifact_root, &log.events };
	struct mlflow_copy copy = { &o->experiments, o->no_artifacts, &log.events };
	_cleanup_(mlflow_source_close) struct mlflow_source *source = NULL;
	_cleanup_(mlflow_target_close) struct mlflow_target *target = NULL;
	int r;

	(void)argc;
	copy_log_init(&log, &ctx->events);
	r = mlflow_source_open(&source, argv[0], &source_options, &ctx->err);
	if (r)
		return r;
	target = mlflow_target_store(ctx->db, &ctx->repo, o->dry_run, &log.events);
	r = mlflow_copy(source, target, &copy, &ctx->err);
	if (!r)
		print_copied(ctx, o->dry_run ? "would be imported" : "imported", &target->counts,
			     &log);
	return r;
}

static const struct mlp_cmd verb_mlflow = {
	.name = "mlflow",
	.summary = "from a folder mlruns/, a file mlflow.db or a server",
	.usage = "[-e NAME]... [--artifact-root DIR] [--no-artifacts] [--dry-run] SRC",
	.opts = options,
	.opts_size = sizeof(struct import_opts),
	.needs = NEED_DB_WRITE | NEED_AUTO_INIT | HAS_OUTPUT,
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_FILE,
	.run = import_mlflow,
};

static const struct mlp_cmd *const verbs[] = { &verb_mlflow, NULL };

const struct mlp_cmd cmd_import = {
	.name = "import",
	.group = "change",
	.summary = "take over what another tracker recorded",
	.usage = "mlflow ...",
	.verbs = verbs,
};
