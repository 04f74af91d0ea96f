/* SPDX-License-Identifier: Apache-2.0 */
/* .mlp/runs/<uuid>: what a run needs while it is live. */
#ifndef LAUNCH_RUNDIR_H
#define LAUNCH_RUNDIR_H

#include "lib/core/repo.h"

struct rundir {
	char *path;
	char *fifo;   /* metrics: MLP_METRICS */
	char *params; /* params.json: MLP_PARAMS */
	char *cgroup; /* names the control group, where there is one */
};

void rundir_init(struct rundir *dir, const struct repo *repo, const char *uuid);
void rundir_release(struct rundir *dir);
/* log-<attempt>, metrics-<attempt>; caller frees. */
char *rundir_log(const struct rundir *dir, int attempt);
char *rundir_metrics(const struct rundir *dir, int attempt);

#endif
