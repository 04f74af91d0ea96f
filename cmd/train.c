/* SPDX-License-Identifier: Apache-2.0 */
/* mlp train: runs a command, records what it was made of, supervises it to its end. */
#include "config.h"

#include <unistd.h>

#include "cmd/train.h"
#include "lib/launch/gpus.h"
#include "lib/track/schema.h"

#define OPTS struct train_opts
static const struct opt opts[] = {
	OPT_STRING('e', "experiment", "NAME", OPTS, experiment, "the experiment it belongs to",
		   .complete = COMPLETE_EXPERIMENT),
	OPT_STRING('n', "name", "NAME", OPTS, name, "a name for the run"),
	OPT_LIST('p', "param", "K=V", OPTS, params, "a parameter: {K} in the command",
		 .complete = COMPLETE_PARAM),
	OPT_LIST('t', "tag", "K=V", OPTS, tags, "a tag", .complete = COMPLETE_TAG),
	OPT_LIST('i', "input", "PATH", OPTS, inputs, "a file or folder it reads: hashed",
		 .complete = COMPLETE_FILE),
	OPT_LIST('o', "output", "PATH", OPTS, outputs, "a file or folder it makes: stored",
		 .complete = COMPLETE_FILE),
	OPT_INT(0, "seed", "N", OPTS, seed, "seed, given on as MLP_SEED and {seed}"),
	OPT_STRING(0, "gpus", "N|LIST", OPTS, gpus, "N free GPUs, or these: 0,1"),
	OPT_DURATION(0, "timeout", "TIME", OPTS, timeout, "end it after this time"),
	OPT_STRING(0, "max-cost", "MONEY", OPTS, max_cost, "end it when it has cost this much"),
	OPT_INT(0, "retry", "N", OPTS, retries, "start it again when it fails, up to N times"),
	OPT_DURATION(0, "grace", "TIME", OPTS, grace, "from SIGTERM to SIGKILL (default: 10s)"),
	OPT_FLAG(0, "nice", OPTS, nice, "run it at low priority"),
	OPT_FLAG('d', "detach", OPTS, detach, "print the run's id and go to the background"),
	OPT_FLAG(0, "dry-run", OPTS, dry_run, "print what would be recorded and run"),
	OPT_FLAG(0, "reap", OPTS, reap, "settle runs whose supervisor died"),
	OPT_END
};
/* Not -1, which somebody may type. */
#define NO_SEED INT64_MIN
static const struct train_opts defaults = { .seed = NO_SEED, .grace = JOB_GRACE_MS };

static int add_pairs(struct key_values *list, const struct strvec *given, const char *what,
		     struct mlp_error *err)
{
	for (size_t i = 0; i < given->len; i++) {
		int r = job_add_pair(list, given->v[i], what, err);

		if (r)
			return r;
	}
	return 0;
}

static int fill_job(struct cmd_ctx *ctx, struct job *job, const struct train_opts *o, int argc,
		    char **argv)
{
	const char *currency = settings_get(&ctx->repo.settings, "cost.currency");
	struct mlp_error *err = &ctx->err;
	int r;

	job->experiment = o->experiment;
	job->name = o->name;
	job->seed = o->seed == NO_SEED ? -1 : o->seed;
	job->gpus = o->gpus;
	job->timeout_ms = o->timeout;
	job->retries = o->retries;
	job->grace_ms = o->grace;
	job->nice = o->nice;
	job->detached = o->detach;
	for (size_t i = 0; i < o->inputs.len; i++)
		strvec_push(&job->inputs, o->inputs.v[i]);
	for (size_t i = 0; i < o->outputs.len; i++)
		strvec_push(&job->outputs, o->outputs.v[i]);
	for (int i = 0; i < argc; i++)
		strvec_push(&job->argv_template, argv[i]);
	if (o->max_cost && !money_parse(o->max_cost, currency ? currency : "USD", &job->max_cost))
		return mlp_error_set(err, MLP_EINVAL, "--max-cost takes an amount such as 2.50 or "
				     "'2.50 EUR', not '%s'", o->max_cost);
	r = add_pairs(&job->params, &o->params, "parameter", err);
	if (!r)
		r = add_pairs(&job->tags, &o->tags, "tag", err);
	return r ? r : job_fill(job, err);
}

static int check_options(struct cmd_ctx *ctx, const struct train_opts *o)
{
	if (o->seed < 0 && o->seed != NO_SEED)
		return cmd_usage(ctx, "a seed is 0 or more");
	if (o->retries < 0)
		return cmd_usage(ctx, "--retry takes 0 or more");
	if (o->gpus && !gpus_is_spec(o->gpus))
		return cmd_usage(ctx, "--gpus takes a number or a list, not '%s'", o->gpus);
	return 0;
}

/* The project of this folder, made when there is none: not by the dispatcher, because
 * --dry-run writes nothing. */
static int open_project(struct cmd_ctx *ctx)
{
	_release_(repo_release) struct repo found = REPO_INIT;
	const char *env = getenv("MLP_DIR");
	bool made = false;
	int r = 0;

	if (!ctx->repo.dir) {
		r = repo_discover(&found, &ctx->err);
		if (r == MLP_ENOTFOUND && !(env && *env)) {
			repo_release(&found);
			r = repo_create(".", &made, &ctx->err);
			if (!r)
				r = repo_open_at(&found, ".", &ctx->err);
		}
		if (r)
			return r;
		if (made)
			mlp_note(&ctx->events, "made a project in '%s'", found.root);
		ctx->repo.root = steal_ptr(&found.root);
		ctx->repo.dir = steal_ptr(&found.dir);
		ctx->repo.db_path = steal_ptr(&found.db_path);
	}
	/* Relaxed: the start of a run need not wait for the disk; its end does. */
	return track_open(&ctx->db, &ctx->repo, DB_CREATE | DB_RELAXED, &ctx->err);
}

static int run_job(struct cmd_ctx *ctx, const struct job *job, const struct job_hooks *hooks)
{
	struct job_host host = { &ctx->repo, NULL, &ctx->events, { NULL, NULL } };
	struct job_result result;
	int r = open_project(ctx);

	if (r)
		return r;
	host.db = ctx->db;
	if (hooks)
		host.hooks = *hooks;
	r = job_run(&host, job, &result, &ctx->err);
	if (result.outcome == JOB_NOT_STARTED && result.exit_code > 0) {
		cmd_report(ctx, r);
		return result.exit_code;
	}
	if (r)
		return r;
	if (!ctx->quiet)
		train_summary(ctx, &result);
	if (!hooks && ctx->out.mode != PRINT_TEXT)
		r = train_record(ctx, &result);
	return r ? r : job_exit_code(&result);
}

static int run(struct cmd_ctx *ctx, const void *data, int argc, char **argv)
{
	const struct train_opts *o = data;
	_release_(job_release) struct job job = JOB_INIT;
	int r;

	if (o->reap && argc)
		return cmd_usage(ctx, "--reap takes no command");
	if (o->reap)
		return train_reap(ctx, o->grace);
	if (!argc)
		return cmd_usage(ctx, "a command to run is missing");
	r = check_options(ctx, o);
	if (!r)
		r = cmd_argument(ctx, fill_job(ctx, &job, o, argc, argv));
	if (r)
		return r;
	if (o->dry_run)
		return train_plan(ctx, &job);
	if (o->detach)
		return train_detach(ctx, &job, run_job);
	return run_job(ctx, &job, NULL);
}

const struct mlp_cmd cmd_train = {
	.name = "train",
	.group = "run",
	.summary = "run a command, record and supervise it",
	.usage = "[OPTIONS] [--] COMMAND [ARG...]\n--reap [--grace TIME]",
	.opts = opts,
	.opts_size = sizeof(struct train_opts),
	.defaults = &defaults,
	.needs = TAKES_COMMAND | HAS_OUTPUT,
	.max_args = -1,
	.complete = COMPLETE_PROGRAM,
	.run = run,
};
