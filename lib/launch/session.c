/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a run, from its first row to its last. */
#include "config.h"

#include "lib/launch/session.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/capture.h"
#include "lib/core/id.h"
#include "lib/launch/files.h"
#include "lib/track/command.h"
#include "lib/track/live.h"
#include "lib/track/metric.h"
#include "lib/util/clock.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

/* For people: the script where an interpreter runs one. */
static const char *source_of(const struct job *job)
{
	static const char *const interpreters[] = { "python", "bash", "sh",    "Rscript",
						    "julia",  "perl", "torchrun", "node" };
	const char *program = path_basename(job->argv.v[0]);
	bool interpreter = false;

	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
		interpreter |= !strncmp(program, interpreters[i], strlen(interpreters[i]));
	for (size_t i = 1; interpreter && i < job->argv.len; i++) {
		struct stat st;

		if (job->argv.v[i][0] != '-' && !stat(job->argv.v[i], &st) && S_ISREG(st.st_mode))
			return job->argv.v[i];
	}
	return job->argv.v[0];
}

/* A run started from within a run of the same project is its child. */
static int64_t parent_of(struct session *s)
{
	const char *uuid = getenv("MLP_RUN_ID"), *dir = getenv("MLP_DIR");
	int64_t id = 0;

	if (!uuid || !dir || strcmp(dir, s->repo->dir) || run_find(s->db, uuid, &id, NULL))
		return 0;
	return id;
}

static int record_command(struct session *s, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf options = STRBUF_INIT;
	const char *below = path_below(s->cwd, s->repo->root);
	struct run_command command = {
		.argv = s->job->argv,
		.argv_template = s->job->argv_template,
		.cwd = s->cwd,
		.has_seed = s->job->seed >= 0,
		.seed = s->job->seed,
		.stdin_bytes = -1,
	};
	_cleanup_free_ char *project_dir = xstrdup(below && *below ? below : ".");
	_cleanup_free_ char *kind = xstrdup(input_kind_name(s->input.kind));

	job_options_json(s->job, &options);
	command.project_dir = project_dir;
	command.options = options.buf;
	command.stdin_kind = kind;
	return run_command_put(s->db, s->out->run, &command, err);
}

/* Whom the usage is charged to. */
static int read_user(struct session *s, struct mlp_error *err)
{
	_release_(run_release) struct run run = RUN_INIT;
	int r = run_get(s->db, s->out->run, &run, err);

	if (!r)
		s->user = steal_ptr(&run.user);
	return r;
}

static int record_run(struct session *s, const struct input_sets *inputs, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	const struct job *job = s->job;
	struct run_new n = { .uuid = s->out->uuid,
			     .experiment = job->experiment,
			     .name = job->name,
			     .source = source_of(job),
			     .host = live_host(),
			     .started_ms = s->out->started_ms,
			     .supervised = true };
	int64_t run = 0;
	int r = db_txn(&txn, s->db, err);

	if (r)
		return r;
	n.parent_id = parent_of(s);
	r = run_create(s->db, &n, &run, NULL, err);
	s->out->run = run;
	for (size_t i = 0; !r && i < job->params.len; i++)
		r = param_set(s->db, run, job->params.v[i].key, job->params.v[i].value, err);
	for (size_t i = 0; !r && i < job->tags.len; i++)
		r = tag_set(s->db, run, job->tags.v[i].key, job->tags.v[i].value, err);
	if (!r)
		r = read_user(s, err);
	if (!r)
		r = record_command(s, err);
	if (!r)
		r = inputs_record(s->db, run, inputs, err);
	if (!r)
		r = db_txn_commit(&txn, err);
	if (r)
		s->out->run = 0;
	return r;
}

static int write_params(struct session *s, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	FILE *f = fopen(s->dir.params, "we");
	bool failed;

	if (!f)
		return mlp_error_errno(err, errno, "cannot write '%s'", s->dir.params);
	job_params_json(s->job, &text);
	strbuf_addch(&text, '\n');
	failed = fwrite(text.buf, 1, text.len, f) != text.len;
	failed |= fclose(f) != 0;
	return failed ? mlp_error_errno(err, errno, "cannot write '%s'", s->dir.params) : 0;
}

static void capture(struct session *s)
{
	struct mlp_error err = MLP_ERROR_INIT;

	if (capture_code(s->db, s->repo, s->out->run, s->cwd, s->events, &err))
		mlp_warn(s->events, "the code is not recorded: %s", err.text);
}

/* What is missing may be descriptors, of which it takes some to remove the folder. */
static void abandon(struct session *s)
{
	control_restore(s->signals, &s->mask);
	s->signals = -1;
	if (s->live >= 0)
		close(s->live);
	s->live = -1;
	path_remove_tree(s->dir.path);
}

int session_begin(struct session *s, struct mlp_error *err)
{
	_release_(input_sets_release) struct input_sets inputs = { 0 };
	int r = inputs_scan(s->repo, s->job, s->events, &inputs, err);

	if (r)
		return r;
	mlp_id_new(s->out->uuid);
	s->out->started_ms = clock_ms();
	rundir_init(&s->dir, s->repo, s->out->uuid);
	/* From here on a signal ends the run, not us in the middle of writing it down. */
	s->signals = control_signals(&s->mask, err);
	if (s->signals < 0)
		return s->signals;
	s->live = live_hold(s->repo, s->out->uuid, err);
	r = s->live < 0 ? s->live : write_params(s, err);
	if (!r)
		r = record_run(s, &inputs, err);
	if (r) {
		abandon(s);
		return r;
	}
	capture(s);
	return 0;
}

static void store_outputs(struct session *s)
{
	_release_(strvec_release) struct strvec missing = STRVEC_INIT;
	struct job_host host = { .repo = s->repo, .db = s->db, .events = s->events };
	struct mlp_error err = MLP_ERROR_INIT;

	if (outputs_store(&host, s->out->run, s->job, &missing, &err))
		mlp_warn(s->events, "outputs are not stored: %s", err.text);
	for (size_t i = 0; i < missing.len; i++)
		mlp_warn(s->events, "the run made no output '%s'", missing.v[i]);
	if (missing.len && s->out->status == RUN_FINISHED && !s->out->reason)
		s->out->reason = "output missing";
}

static int record_end(struct session *s, struct mlp_error *err)
{
	const struct job_result *out = s->out;
	struct run_end end = { out->status, out->ended_ms, out->exit_code, out->exit_signal,
			       out->reason };
	char hex[SHA256_HEX + 1];
	int64_t bytes;
	int r;

	/* The end is what a power cut must not take back, and all before it. */
	r = db_exec(s->db, err, "PRAGMA synchronous=FULL", "");
	if (!r && input_result(&s->input, hex, &bytes))
		r = run_command_set_stdin(s->db, out->run, hex, bytes, err);
	if (!r)
		r = metric_compact(s->db, out->run, err);
	return r ? r : run_finish(s->db, out->run, &end, err);
}

int session_end(struct session *s, struct mlp_error *err)
{
	int r;

	if (s->out->outcome != JOB_NOT_STARTED)
		store_outputs(s);
	r = record_end(s, err);
	if (!r && s->keep_dir)
		live_forget(s->repo, s->out->uuid);
	else if (!r)
		path_remove_tree(s->dir.path);
	return r;
}
