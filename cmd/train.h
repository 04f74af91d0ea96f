/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of mlp train. */
#ifndef CMD_TRAIN_H
#define CMD_TRAIN_H

#include "cmd/cmd.h"
#include "lib/launch/job.h"

struct train_opts {
	const char *experiment, *name, *gpus, *max_cost;
	struct strvec params, tags, inputs, outputs;
	int64_t seed, timeout, retries, grace;
	bool nice, detach, dry_run, reap;
};

typedef int train_fn(struct cmd_ctx *ctx, const struct job *job, const struct job_hooks *hooks);

/* --dry-run */
int train_plan(struct cmd_ctx *ctx, const struct job *job);
/* Runs run() in the background; prints the id once the command runs. */
int train_detach(struct cmd_ctx *ctx, const struct job *job, train_fn *run);
/* One line on stderr at the end. */
void train_summary(struct cmd_ctx *ctx, const struct job_result *result);
/* With --json and -z: the run as mlp log prints it, on stdout. */
int train_record(struct cmd_ctx *ctx, const struct job_result *result);
/* --reap */
int train_reap(struct cmd_ctx *ctx, int64_t grace_ms);

#endif
