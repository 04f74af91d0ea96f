/* SPDX-License-Identifier: Apache-2.0 */
/* What mlp train is asked to run. */
#ifndef LAUNCH_JOB_H
#define LAUNCH_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/cost/price.h"
#include "lib/track/run.h"
#include "lib/util/vec.h"

enum { JOB_GRACE_MS = 10000 };

struct job {
	const char *experiment; /* NULL: "Default" */
	const char *name;	/* NULL: a generated one */
	struct key_values params, tags;
	struct strvec inputs, outputs; /* paths, as typed */
	int64_t seed;		       /* -1: none */
	const char *gpus;	       /* as typed: "2", "0,1", or NULL: not told */
	int64_t timeout_ms;	       /* of all attempts together; 0: none */
	struct money max_cost;	       /* not known: no limit */
	int64_t retries;
	int64_t grace_ms; /* from SIGTERM to SIGKILL */
	bool nice;
	bool detached;
	struct strvec argv_template; /* the command as typed */
	struct strvec argv;	     /* placeholders filled in: job_fill() */
};
#define JOB_INIT { .seed = -1, .grace_ms = JOB_GRACE_MS }

void job_release(struct job *job);
/* Adds "KEY=VALUE" to a list; MLP_EINVAL, also for a key given twice. */
int job_add_pair(struct key_values *list, const char *pair, const char *what,
		 struct mlp_error *err);
/* Makes argv of argv_template: {name} becomes the parameter's value ({seed} the seed's),
 * {{name}} the text {name}.  Without parameters the command is taken as it is; with them
 * a {name} that is none is MLP_EINVAL, as is a bad name of run, experiment or output, and
 * parameters that would be one variable. */
int job_fill(struct job *job, struct mlp_error *err);
/* The parameters as one JSON object; numbers and booleans typed. */
void job_params_json(const struct job *job, struct strbuf *out);
/* What run_command.options holds. */
void job_options_json(const struct job *job, struct strbuf *out);

/* How a job ended. */
enum job_outcome {
	JOB_ENDED,	 /* by itself */
	JOB_NOT_STARTED, /* the command could not be executed; or not watched, which is an error */
	JOB_STOPPED,	 /* by a signal to mlp */
	JOB_LIMIT,	 /* --timeout or --max-cost */
};

struct job_result {
	int64_t run; /* row id; 0: no run was made */
	char uuid[RUN_KEY_MAX + 7];
	enum job_outcome outcome;
	enum run_status status;
	int exit_code;	 /* -1: none */
	int exit_signal; /* 0: none */
	const char *reason; /* a constant, the text of job_run()'s error, or NULL */
	int64_t started_ms, ended_ms;
	int64_t cpu_ms;
	int64_t bad_lines, ignored_values; /* of metrics */
	int attempts;
	int64_t log_lost; /* bytes of output that could not be stored */
};

struct job_hooks {
	/* The command runs; for --detach.  May be NULL. */
	void (*started)(void *data, const char *uuid);
	void *data;
};

/* Where a job runs. */
struct job_host {
	const struct repo *repo;
	struct db *db; /* not to be used by others meanwhile */
	const struct mlp_events *events;
	struct job_hooks hooks;
};

/* Runs the job under supervision to its end.  0 once the run was recorded, however the
 * command ended. */
int job_run(const struct job_host *host, const struct job *job, struct job_result *out,
	    struct mlp_error *err);
/* What mlp train exits with: the command's code, 128 + its signal, 124 for a limit. */
int job_exit_code(const struct job_result *result);

#endif
