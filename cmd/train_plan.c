/* SPDX-License-Identifier: Apache-2.0 */
/* mlp train --dry-run: what would be recorded and run; nothing is written. */
#include "config.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/train.h"
#include "lib/capture/capture.h"
#include "lib/json/read.h"
#include "lib/launch/environ.h"
#include "lib/launch/files.h"
#include "lib/track/command.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"
#include "lib/vcs/git.h"

enum { SECRETS_MAX = 20 };

static const struct column columns[] = { { "item", "ITEM" }, { "name", "NAME" },
					 { "value", "VALUE" } };

static void row(struct printer *p, const char *item, const char *name, const char *value)
{
	print_color(p, COLOR_DIM);
	print_string(p, item);
	print_string(p, name);
	print_string(p, value);
	print_end_row(p);
}

static void put_files(struct printer *p, const struct strvec *paths, const char *item)
{
	for (size_t i = 0; i < paths->len; i++) {
		struct stat st;
		_cleanup_free_ char *size = NULL;

		if (!stat(paths->v[i], &st) && S_ISREG(st.st_mode))
			size = xasprintf("%lld bytes", (long long)st.st_size);
		row(p, item, paths->v[i], size ? size : !access(paths->v[i], F_OK) ? "folder" : NULL);
	}
}

/* Files whose contents are left out for their names; the first ones. */
static void put_secrets(struct printer *p, const struct vcs_state *git,
			const struct settings *settings)
{
	size_t n = 0;

	for (size_t i = 0; i < git->untracked.len && n < SECRETS_MAX; i++) {
		const struct vcs_file *file = &git->untracked.v[i];

		if (S_ISDIR(file->mode) || !capture_is_secret(settings, file->path))
			continue;
		row(p, "code", "hash only", file->path);
		n++;
	}
}

static void put_code(struct printer *p, const struct settings *settings)
{
	_release_(vcs_state_release) struct vcs_state git = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	_cleanup_free_ char *untracked = NULL;

	if (vcs_state_read(".", &git, &err)) {
		row(p, "code", "state", err.text);
		return;
	}
	row(p, "code", "root", git.root);
	row(p, "code", "commit", git.commit ? git.commit : "none yet");
	row(p, "code", "branch", git.branch);
	row(p, "code", "state", git.dirty ? "differs from the commit, which is recorded" : "clean");
	untracked = xasprintf("%zu", git.untracked.len);
	row(p, "code", "untracked", untracked);
	put_secrets(p, &git, settings);
}

static void put_variables(struct printer *p, const struct job *job, const struct repo *repo)
{
	_release_(key_values_release) struct key_values ours = { 0 };
	_cleanup_free_ char *root = repo->dir ? xstrdup(repo->dir) : path_absolute(".mlp");
	_cleanup_free_ char *fifo = path_join(root, "runs/<run>/metrics");
	_cleanup_free_ char *params = path_join(root, "runs/<run>/params.json");
	struct environ_run run = { "<run>", root, fifo, params, 3, 1, NULL };

	environ_of_job(job, &run, &ours);
	for (size_t i = 0; i < ours.len; i++)
		row(p, "variable", ours.v[i].key,
		    strcmp(ours.v[i].key, "MLP_FD") ? ours.v[i].value : "<descriptor>");
}

static void put_limits(struct printer *p, const struct job *job)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (job->timeout_ms) {
		clock_add_duration(&text, job->timeout_ms);
		row(p, "limit", "timeout", text.buf);
	}
	if (job->max_cost.known) {
		strbuf_clear(&text);
		money_add_text(&text, &job->max_cost);
		row(p, "limit", "cost", text.buf);
	}
	if (job->retries) {
		strbuf_clear(&text);
		strbuf_addf(&text, "%lld", (long long)job->retries);
		row(p, "limit", "retries", text.buf);
	}
	strbuf_clear(&text);
	clock_add_duration(&text, job->grace_ms);
	row(p, "limit", "grace", text.buf);
	if (job->gpus)
		row(p, "limit", "gpus", job->gpus);
	if (job->nice)
		row(p, "limit", "nice", "low priority for processor and disk");
}

static void put_python(struct printer *p, const struct json *python)
{
	const char *version = json_text(json_get(python, "version"));
	const char *by = json_text(json_get(python, "guessed_by"));
	_cleanup_free_ char *packages = xasprintf("%zu", json_count(json_get(python, "packages")));

	if (!python) {
		row(p, "environment", "python", "none is found");
		return;
	}
	row(p, "environment", "python", version ? version : "of unknown version");
	row(p, "environment", "interpreter", json_text(json_get(python, "path")));
	if (by)
		row(p, "environment", "guessed by", by);
	row(p, "environment", "packages", packages);
}

static void put_environment(struct printer *p, const struct job *job,
			    const struct settings *settings)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	const struct json *gpu;

	if (!capture_environment(settings, (const char *const *)job->argv.v, ".", &text, &err))
		doc = json_parse(text.buf, text.len, &err);
	if (!doc) {
		row(p, "environment", "state", err.text);
		return;
	}
	put_python(p, json_get(doc, "python"));
	gpu = json_get(json_get(doc, "gpu"), "devices");
	for (const struct json *v = NULL; (v = json_next(gpu, v));)
		row(p, "environment", "gpu", json_text(json_get(v, "model")));
}

static void put_seed(struct printer *p, const struct job *job)
{
	_cleanup_free_ char *seed = xasprintf("%lld", (long long)job->seed);

	if (job->seed >= 0)
		row(p, "run", "seed", seed);
}

int train_plan(struct cmd_ctx *ctx, const struct job *job)
{
	_release_(strbuf_release) struct strbuf command = STRBUF_INIT;
	_cleanup_free_ char *program = path_find_program(job->argv.v[0]);
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	struct printer *p = &ctx->out;
	int r = inputs_check(job, &ctx->err);

	if (r)
		return r;
	argv_add_quoted(&command, &job->argv);
	print_begin(p, columns, ARRAY_SIZE(columns));
	row(p, "run", "experiment", job->experiment ? job->experiment : "Default");
	row(p, "run", "name", job->name ? job->name : "(generated)");
	row(p, "run", "command", command.buf);
	row(p, "run", "program", program);
	row(p, "run", "folder", cwd);
	row(p, "run", "project", ctx->repo.dir ? ctx->repo.dir : "(would be made here)");
	put_seed(p, job);
	for (size_t i = 0; i < job->params.len; i++)
		row(p, "parameter", job->params.v[i].key, job->params.v[i].value);
	for (size_t i = 0; i < job->tags.len; i++)
		row(p, "tag", job->tags.v[i].key, job->tags.v[i].value);
	put_limits(p, job);
	put_files(p, &job->inputs, "input");
	put_files(p, &job->outputs, "output");
	put_code(p, &ctx->repo.settings);
	put_environment(p, job, &ctx->repo.settings);
	put_variables(p, job, &ctx->repo);
	print_end(p);
	return program ? 0 : EXIT_NO;
}
