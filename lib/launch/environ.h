/* SPDX-License-Identifier: Apache-2.0 */
/* The variables that a run's command gets. */
#ifndef LAUNCH_ENVIRON_H
#define LAUNCH_ENVIRON_H

#include "lib/launch/job.h"

/* What is known of the run when the command starts. */
struct environ_run {
	const char *uuid;
	const char *mlp_dir;
	const char *metrics_path; /* the FIFO */
	const char *params_path;
	int metrics_fd; /* its number in the command */
	int attempt;
	const char *visible_gpus; /* or NULL: leave CUDA_VISIBLE_DEVICES alone */
};

/* "MLP_PARAM_VAL_LOSS" of "val/loss"; the caller frees. */
char *environ_param_name(const char *key);
/* Our variables, sorted by name.  The caller frees with key_values_release(). */
void environ_of_job(const struct job *job, const struct environ_run *run,
		    struct key_values *out);
/* The environment of this process with those set, for execve(). */
void environ_merge(const struct key_values *ours, struct strvec *out);

#endif
