/* SPDX-License-Identifier: Apache-2.0 */
/* mlp reproduce: makes the code of a run again, checks inputs and environment, runs the
 * command again and compares the results. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cmd/reproduce/reproduce.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

#define OPTS struct reproduce_opts
static const struct opt opts[] = {
	OPT_FLAG(0, "check", OPTS, check, "stop before running the command"),
	OPT_FLAG(0, "keep", OPTS, keep, "keep the work tree"),
	OPT_STRING(0, "dir", "DIR", OPTS, dir, "the work tree: an empty or new folder, kept",
		   .complete = COMPLETE_DIR),
	OPT_STRING(0, "tolerance", "REL", OPTS, tolerance,
		   "largest relative difference of a metric (default: 1e-6)"),
	OPT_LIST(0, "ignore", "PATTERN", OPTS, ignore, "leave results with such names uncompared",
		 .complete = COMPLETE_METRIC),
	OPT_END
};

static const struct column columns[] = { { "kind", "KIND" },
					 { "name", "NAME", .max = 60 },
					 { "was", "WAS", .max = 24 },
					 { "is", "IS", .max = 24 },
					 { "result", "RESULT" } };

void reproduction_release(struct reproduction *re)
{
	if (re->remove && re->tree)
		path_remove_tree(re->tree);
	run_release(&re->run);
	run_command_release(&re->command);
	run_code_release(&re->code);
	json_free(re->options);
	json_free(re->detail);
	free(re->origin);
	free(re->tree);
	free(re->cwd);
}

void reproduce_row(struct reproduction *re, const char *kind, const char *name, const char *was,
		   const char *is, const char *result)
{
	struct printer *p = &re->ctx->out;
	bool good = !strcmp(result, "same"), fine = !strcmp(result, "tolerable");

	if (!re->begun)
		print_begin(p, columns, ARRAY_SIZE(columns));
	re->begun = true;
	print_string(p, kind);
	print_string(p, name);
	print_string(p, was);
	print_string(p, is);
	print_color(p, good ? COLOR_GREEN : fine ? COLOR_YELLOW : COLOR_RED);
	print_string(p, result);
	print_end_row(p);
}

static void end_table(struct reproduction *re)
{
	if (re->begun)
		print_end(&re->ctx->out);
	re->begun = false;
	fflush(stdout);
}

static int read_run(struct reproduction *re, const char *ref)
{
	struct cmd_ctx *ctx = re->ctx;
	int64_t id;
	int r = run_resolve(ctx->db, ref, &id, &ctx->err);

	if (!r)
		r = run_get(ctx->db, id, &re->run, &ctx->err);
	if (!r)
		r = run_command_get(ctx->db, id, &re->command, &ctx->err);
	if (r)
		return r;
	if (!re->command.argv.len)
		return mlp_error_set(&ctx->err, MLP_EINVAL, "run '%s' has no command",
				     re->run.name);
	re->options = json_parse(re->command.options, strlen(re->command.options), NULL);
	r = run_code_get(ctx->db, id, &re->code, &ctx->err);
	re->has_code = !r;
	if (re->has_code)
		re->detail = json_parse(re->code.detail, strlen(re->code.detail), NULL);
	return r == MLP_ENOTFOUND ? 0 : r;
}

/* The folder the command ran in; after a move the same one in the project of now. */
static int find_origin(struct reproduction *re)
{
	re->origin = xstrdup(re->command.cwd);
	if (!access(re->origin, F_OK))
		return 0;
	free(re->origin);
	re->origin = path_join(re->ctx->repo.root, re->command.project_dir);
	if (!access(re->origin, F_OK))
		return 0;
	return mlp_error_set(&re->ctx->err, MLP_EMISSING, "the folder '%s' is not there any more",
			     re->command.cwd);
}

static int prepare(struct reproduction *re)
{
	int r = find_origin(re);

	/* With the code in git nothing of the old folder is needed but inputs. */
	if (r && !re->has_code)
		return r;
	if (re->has_code)
		r = reproduce_code(re);
	else
		cmd_warn("the code of the run is not recorded: what is in '%s' now is run in place",
			 re->origin);
	if (r)
		return r;
	if (!re->cwd)
		re->cwd = xstrdup(re->origin);
	r = reproduce_inputs(re);
	reproduce_stdin(re);
	return r ? r : reproduce_environment(re);
}

static void copy_list(struct reproduction *re, const char *key, struct strvec *out)
{
	const struct json *list = json_get(re->options, key);

	for (const struct json *v = NULL; (v = json_next(list, v));)
		if (json_text(v))
			strvec_push(out, json_text(v));
}

static int fill_job(struct reproduction *re, struct job *job)
{
	_cleanup_free_ char *tag = xasprintf("mlp.reproduceOf=%s", re->run.uuid);
	const struct strvec *argv = &re->command.argv, *typed = &re->command.argv_template;
	int r;

	job->experiment = re->run.experiment;
	job->seed = re->command.has_seed ? re->command.seed : -1;
	job->gpus = json_text(json_get(re->options, "gpus"));
	job->timeout_ms = json_integer(json_get(re->options, "timeout_ms"), 0);
	job->retries = json_integer(json_get(re->options, "retry"), 0);
	job->grace_ms = json_integer(json_get(re->options, "grace_ms"), JOB_GRACE_MS);
	job->nice = json_truth(json_get(re->options, "nice"), false);
	copy_list(re, "inputs", &job->inputs);
	copy_list(re, "outputs", &job->outputs);
	for (size_t i = 0; i < argv->len; i++)
		strvec_push(&job->argv, argv->v[i]);
	for (size_t i = 0; i < typed->len; i++)
		strvec_push(&job->argv_template, typed->v[i]);
	for (size_t i = 0; i < job->outputs.len; i++)
		if (job->outputs.v[i][0] == '/')
			cmd_warn("the output '%s' is written over", job->outputs.v[i]);
	r = params_get(re->ctx->db, re->run.id, &job->params, &re->ctx->err);
	return r ? r : job_add_pair(&job->tags, tag, "tag", &re->ctx->err);
}

/* The command's standard output goes to ours for errors: ours is the comparison. */
static int run_again(struct reproduction *re, struct job_result *result)
{
	_release_(job_release) struct job job = JOB_INIT;
	struct cmd_ctx *ctx = re->ctx;
	struct job_host host = { &ctx->repo, ctx->db, &ctx->events, { NULL, NULL } };
	_cleanup_close_ int out = -1, here = -1;
	int r = fill_job(re, &job);

	if (r)
		return r;
	reproduce_stdin_warn(re);
	here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (chdir(re->cwd) || out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return mlp_error_errno(&ctx->err, errno, "cannot run in '%s'", re->cwd);
	r = job_run(&host, &job, result, &ctx->err);
	if (dup2(out, STDOUT_FILENO) < 0 || (here >= 0 && fchdir(here)))
		return mlp_error_errno(&ctx->err, errno, "cannot go back to the folder before");
	return r;
}

static int conclude(struct reproduction *re, const struct job_result *result)
{
	int r = reproduce_compare(re, result);
	char name[RUN_SHORT_LEN + 1];

	end_table(re);
	if (r)
		return r;
	if (!re->remove && re->tree)
		mlp_note(&re->ctx->events, "the work tree is '%s'", re->tree);
	run_short(result->uuid, name);
	mlp_note(&re->ctx->events, "run '%s': %zu of %zu results are the same", name,
		 re->compared - re->differs, re->compared);
	if (re->differs && result->exit_code != re->run.exit_code && re->tree)
		fputs("hint: files that git ignores and no --input named are not in the work tree\n",
		      stderr);
	return re->differs ? EXIT_NO : 0;
}

static int reproduce(struct reproduction *re, const char *ref)
{
	struct job_result result;
	int r = read_run(re, ref);

	if (!r)
		r = prepare(re);
	end_table(re);
	if (r)
		return r;
	if (re->missing) {
		fprintf(stderr, "mlp: %zu input%s missing or not as before\n", re->missing,
			re->missing == 1 ? " is" : "s are");
		return EXIT_MISSING;
	}
	if (re->opts->check)
		return re->breaking ? EXIT_NO : 0;
	r = run_again(re, &result);
	return r ? r : conclude(re, &result);
}

static int run(struct cmd_ctx *ctx, const void *data, int argc, char **argv)
{
	const struct reproduce_opts *o = data;
	_release_(reproduction_release) struct reproduction re = {
		.ctx = ctx, .opts = o, .tolerance = 1e-6, .command = RUN_COMMAND_INIT,
	};

	(void)argc;
	if (o->tolerance && (!text_parse_double(o->tolerance, &re.tolerance) ||
			     !(re.tolerance >= 0) || isinf(re.tolerance)))
		return cmd_usage(ctx, "--tolerance takes a number of 0 or more, not '%s'",
				 o->tolerance);
	return reproduce(&re, argv[0]);
}

static bool only_reads(const void *data, int argc)
{
	(void)argc;
	return ((const struct reproduce_opts *)data)->check;
}

const struct mlp_cmd cmd_reproduce = {
	.name = "reproduce",
	.group = "run",
	.summary = "run a recorded run again and compare the results",
	.usage = "[--check] [--keep] [--dir DIR] [--tolerance REL] [--ignore PATTERN]... RUN",
	.opts = opts,
	.opts_size = sizeof(struct reproduce_opts),
	.needs = NEED_DB_WRITE | HAS_OUTPUT,
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_RUN,
	.only_reads = only_reads,
	.run = run,
};
