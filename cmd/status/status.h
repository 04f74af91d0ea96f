/* SPDX-License-Identifier: Apache-2.0 */
/* mlp status in parts: what is loaded (status.c, gpu.c) and how it is shown. */
#ifndef CMD_STATUS_STATUS_H
#define CMD_STATUS_STATUS_H

#include "cmd/cmd.h"
#include "lib/cost/price.h"
#include "lib/gpu/nvml.h"
#include "lib/track/run.h"
#include "lib/vcs/git.h"

struct status_run {
	struct run run;
	enum run_status status; /* lost included */
	char id[RUN_SHORT_LEN + 1];
	pid_t supervisor; /* 0: none here, -1: not known */
	char *metric; /* logged last, or NULL */
	double value;
	int64_t step;
	double cpu_percent, rss_bytes; /* NaN: not known */
};

struct status_gpu {
	struct gpu_info info;
	struct gpu_sample sample;
	struct strvec holders; /* short ids of runs; "other" for processes of none */
	struct price price;    /* of an hour */
};

struct status {
	VEC(struct status_run) runs;
	VEC(struct status_gpu) gpus;
	bool has_code;
	struct vcs_state code;
};

int status_load_gpus(struct cmd_ctx *ctx, struct status *s);
void status_text(struct cmd_ctx *ctx, const struct status *s);
void status_records(struct cmd_ctx *ctx, const struct status *s); /* --json and -z */

#endif
